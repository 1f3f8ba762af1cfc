"""HTML as values: what is no ``Html`` is escaped wherever it is put, so that no page can forget to."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


Piece = str | None | Iterable["str | None"]
"""What stands in an element: text (escaped), ``Html`` (as it is), nothing, or several of them."""

_VOID = frozenset({"br", "hr", "input", "link", "meta"})


def escape(text: str) -> Html:
    """The text as HTML; ``Html`` stays what it is."""
    return text if isinstance(text, Html) else Html(html.escape(text))


def join(*pieces: Piece) -> Html:
    """The pieces one after the other."""
    found: list[str] = []
    for piece in pieces:
        if piece is None:
            continue
        if isinstance(piece, str):
            found.append(escape(piece))
        else:
            found.append(join(*piece))
    return Html("".join(found))


def el(tag: str, *pieces: Piece, **attributes: str | bool | None) -> Html:
    """An element. ``class_`` is the attribute ``class``, ``aria_label`` is ``aria-label``; True: without a value;
    False and None: left out."""
    written = ""
    for name, value in attributes.items():
        if value is None or value is False:
            continue
        shown = name.rstrip("_").replace("_", "-")
        written += f" {shown}" if value is True else f' {shown}="{html.escape(str(value))}"'
    if tag in _VOID:
        return Html(f"<{tag}{written}>")
    return Html(f"<{tag}{written}>{join(*pieces)}</{tag}>")


def prose(text: str) -> Html:
    """Docstring text: double (or single) backticks become code, code that is a number of five digits links to its
    error. Line breaks are blanks."""
    parts = re.split(r"(``.+?``|`[^`]+`)", " ".join(text.split()))
    return join(*(el("code", part.strip("`")) if part.startswith("`") else part for part in parts))


def slug(text: str) -> str:
    """``Call recording`` → ``call-recording``: what stands in addresses and fragments."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", text)
    return re.sub(r"[^a-z0-9]+", "-", spaced.lower()).strip("-")


def table(head: Iterable[Piece], rows: Iterable[Iterable[Piece]], caption: str) -> Html:
    """A table that scrolls by itself on a narrow screen; the caption is for those who hear it. Empty without rows."""
    body = [el("tr", *(el("td", cell) for cell in row)) for row in rows]
    if not body:
        return Html("")
    return el(
        "div",
        el(
            "table",
            el("caption", caption, class_="unseen"),
            el("thead", el("tr", *(el("th", cell, scope="col") for cell in head))),
            el("tbody", *body),
        ),
        class_="scroll",
        role="region",
        aria_label=caption,
        tabindex="0",
    )
