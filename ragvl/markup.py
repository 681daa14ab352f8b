"""
HTML from templates, safe by default: what was not built as `Html` is escaped when it is filled in.
"""

from __future__ import annotations

import base64
import functools
import html
import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from importlib.resources import files
from string import Template

__all__ = ["Html", "clean", "escape", "fill", "fill_from", "join", "page", "source"]

_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")  # stand in paths that are not UTF-8, and cannot be written


class Html(str):
    """Markup that ragvl built itself; only such text reaches a page as it is."""

    __slots__ = ()


def clean(text: str) -> str:
    """Drop control characters and direction overrides; replace what UTF-8 cannot hold."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _SURROGATE.sub("\ufffd", _UNWANTED.sub("", text))


def escape(text: str) -> Html:
    """Make text safe between tags and inside quoted attributes."""
    return Html(html.escape(clean(text), quote=True))


def join(parts: Iterable[Html]) -> Html:
    """Put pieces of markup one after another."""
    return Html("".join(parts))


def fill(template: str, **values: str) -> Html:
    """Fill `templates/<template>.html`; values that are not `Html` are escaped."""
    return fill_from("ragvl", template, values)


def fill_from(package: str, template: str, values: Mapping[str, str]) -> Html:
    """Fill a template in the folder `templates` of another package, as `fill` does."""
    safe = {key: value if isinstance(value, Html) else escape(value) for key, value in values.items()}
    return Html(_template(package, template).substitute(safe))


def source(package: str, name: str) -> str:
    """The text of a file in the folder `templates` of a package."""
    return (files(package) / "templates" / name).read_text("utf-8")


def page(
    title: str,
    body: Html,
    foot: str,
    images: Html,
    *,
    more_css: str = "",
    product: str = "ragvl",
    kind: str = "",
) -> str:
    """
    Write a whole page, its style inlined and allowed by hash; it may load and run nothing else.

    Args:
        more_css: style that follows that of every page.
        product: what the window's title ends with.
        kind: of page, for its style; "" for an answer or a search.
    """
    css = source("ragvl", "show.css") + more_css
    digest = base64.b64encode(sha256(css.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    filled = fill(
        "shell",
        policy=Html(policy),
        title=" ".join(title.split()),
        product=product,
        css=Html(css),
        of_kind=Html(f' class="{escape(kind)}"' if kind else ""),
        body=body,
        foot=foot,
        images=images,
    )
    return filled + "\n"


@functools.cache
def _template(package: str, name: str) -> Template:
    return Template(source(package, f"{name}.html").rstrip("\n"))
