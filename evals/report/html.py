"""The report's own templates, filled as those of `ragvl.markup`: what is not markup of ours is escaped."""

from __future__ import annotations

from ragvl.markup import Html, escape, fill_from, join, page, source

__all__ = ["bold", "fill", "item", "section", "tag", "whole_page"]

_PACKAGE = "ragvl.evals.report"


def fill(template: str, **values: str) -> Html:
    """Fill `templates/<template>.html`; values that are not `Html` are escaped."""
    return fill_from(_PACKAGE, template, values)


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
    """Write a whole page: the style of the pages that `--show` writes, and the report's own."""
    more_css = source(_PACKAGE, "report.css")
    return page(title, body, foot, images, more_css=more_css, product="ragvl eval", kind="report")
