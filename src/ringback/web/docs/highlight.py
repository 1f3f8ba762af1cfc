"""Code as HTML: coloured by classes, with a caption and a place for the copy button; nothing is inline."""

from __future__ import annotations

from pygments import lex
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES, Token
from pygments.util import ClassNotFound

from ringback.web.docs.markup import Html, el, escape, join

_NAMES = {"sh": "bash", "console": "console", "curl": "bash", "node": "javascript"}
_KINDS = ("k", "s", "c", "n", "m", "o")
"""The kinds that have a colour, by the first letter of Pygments' class: keyword, string, comment, name, number."""


def coloured(code: str, language: str) -> Html:
    """The code with its words in spans; as it is when nobody knows the language."""
    try:
        lexer = get_lexer_by_name(_NAMES.get(language, language), stripnl=False)
    except ClassNotFound:
        return escape(code)
    pieces: list[Html] = []
    for kind, text in lex(code, lexer):
        name = _class(kind)
        pieces.append(el("span", text, class_=name) if name else escape(text))
    return join(*pieces)


def _class(kind: object) -> str:
    while kind not in STANDARD_TYPES and kind is not Token:
        kind = kind.parent  # type: ignore[attr-defined]
    short = STANDARD_TYPES.get(kind, "")
    if short in ("nt", "nf", "nc", "na", "nb", "nv"):
        return f"hl-{short}"
    if short[:1] == "m" or short in ("il",):
        return "hl-m"
    return f"hl-{short[0]}" if short[:1] in ("k", "s", "c") else ""


def code_block(code: str, language: str = "", label: str = "") -> Html:
    """A block of code that can be copied."""
    shown = code.rstrip("\n")
    head = el("span", label or language, class_="lang") if label or language else None
    return el(
        "div",
        el("div", head, class_="bar"),
        el("pre", el("code", coloured(shown, language) if language else shown), tabindex="0"),
        class_="code",
    )
