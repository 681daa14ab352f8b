"""The report's own templates, filled as those of `ragvl.markup`: what is not markup of ours is escaped."""

from __future__ import annotations

import base64
import functools
from hashlib import sha256
from importlib.resources import files
from string import Template

from ragvl.markup import Html, escape, join

__all__ = ["bold", "fill", "item", "section", "tag", "whole_page"]


def fill(template: str, **values: str) -> Html:
    """Fill `templates/<template>.html`; values that are not `Html` are escaped."""
    safe = {key: value if isinstance(value, Html) else escape(value) for key, value in values.items()}
    return Html(_template(template).substitute(safe))


def tag(name: str, content: str, kind: str = "") -> Html:
    """Put content into an element; text is escaped."""
    inside = content if isinstance(content, Html) else escape(content)
    of_kind = f' class="{escape(kind)}"' if kind else ""
    return Html(f"<{name}{of_kind}>{inside}</{name}>")


def bold(text: str) -> Html:
    """Emphasise text."""
    return tag("b", text)


def item(text: str) -> Html:
    """Make an item of a list."""
    return tag("li", text)


def section(anchor: str, title: str, lead: str, *parts: Html) -> Html:
    """Put parts under a title; nothing when there are none."""
    inside = join(parts)
    if not inside:
        return Html("")
    return fill(
        "section", anchor=anchor, title=title, lead=tag("p", lead, "lead") if lead else Html(""), parts=inside
    )


def whole_page(title: str, body: Html, foot: str, images: Html) -> str:
    """Write a whole page, its style inlined and allowed by hash; it may load and run nothing else."""
    css = _show_style() + _source("report.css")
    digest = base64.b64encode(sha256(css.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    filled = fill(
        "page",
        policy=Html(policy),
        title=" ".join(title.split()),
        css=Html(css),
        body=body,
        foot=foot,
        images=images,
    )
    return filled + "\n"


def _show_style() -> str:
    """The style of the pages that `--show` writes: colours, type, and pages that can be enlarged."""
    return (files("ragvl") / "templates" / "show.css").read_text("utf-8")


@functools.cache
def _template(name: str) -> Template:
    return Template(_source(f"{name}.html").rstrip("\n"))


def _source(name: str) -> str:
    return (files("ragvl.evals.report") / "templates" / name).read_text("utf-8")
