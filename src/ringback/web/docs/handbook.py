"""The pages of ``docs/`` and the programs of ``examples/``, rendered.

In a checkout they lie beside the sources; an installed package carries them in ``ringback/_handbook`` (pyproject.toml).
HTML within Markdown is shown as text, links lead to pages of this documentation or nowhere, and drawings become tables.
"""

from __future__ import annotations

import functools
import posixpath
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ringback.web.docs.highlight import code_block
from ringback.web.docs.markup import Html, el, table

_PACKAGE = Path(__file__).parents[2]
ROOT = "/docs/guides/"
FOLDERS = ("docs", "examples")
_SHOWN = {".md": "", ".py": "python", ".mjs": "javascript", ".toml": "toml"}
_LARGEST = 256 * 1024
"""Bytes of a page; larger files are no documentation."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a page."""

    level: int
    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Guide:
    """One file."""

    name: str
    """``how-to/callbacks``, ``examples/agents/README``: its address below ``/docs/guides/``."""
    title: str
    headings: tuple[Heading, ...]
    body: Html
    text: str
    """Its words, for the search."""

    @property
    def url(self) -> str:
        """Its page."""
        return ROOT + self.name


def folder() -> Path:
    """Where ``docs/`` and ``examples/`` are."""
    carried = _PACKAGE / "_handbook"
    return carried if carried.is_dir() else _PACKAGE.parents[1]


@functools.cache
def guides(root: Path | None = None) -> Mapping[str, Guide]:
    """Every page by its name; empty when the installation has none."""
    root = root or folder()
    found: dict[str, Guide] = {}
    for part in FOLDERS:
        for path in sorted((root / part).rglob("*")):
            inner = path.relative_to(root)
            hidden = any(each.startswith((".", "_")) or each == "node_modules" for each in inner.parts)
            if hidden or path.suffix not in _SHOWN or not path.is_file() or path.stat().st_size > _LARGEST:
                continue
            guide = _read(path, inner.as_posix(), root)
            found[guide.name] = guide
    return found


def name_of(inner: str) -> str:
    """``docs/how-to/callbacks.md`` → ``how-to/callbacks``; programs keep their suffix."""
    return inner.removeprefix("docs/").removesuffix(".md")


def _read(path: Path, inner: str, root: Path) -> Guide:
    text = path.read_text("utf-8")
    if path.suffix != ".md":
        title = path.name
        return Guide(
            name_of(inner), title, (), join_title(title, code_block(text, _SHOWN[path.suffix])), text
        )
    text = re.sub(r"\A<!--.*?-->\s*", "", text, flags=re.DOTALL)
    tokens = _PARSER.parse(text)
    headings = _anchor(tokens)
    _relink(tokens, inner, root)
    title = next((each.text for each in headings if each.level == 1), path.stem)
    body = Html(_PARSER.renderer.render(tokens, _PARSER.options, {}))
    return Guide(name_of(inner), title, tuple(headings), body, re.sub(r"[`*#|\[\]]+", " ", text))


def join_title(title: str, body: Html) -> Html:
    """A page that is a program."""
    return Html(el("h1", title) + body)


def _anchor(tokens: list[Token]) -> list[Heading]:
    """Give headings the fragments that other pages use (GitHub's way), and say which there are."""
    found: list[Heading] = []
    used: Counter[str] = Counter()
    for number, token in enumerate(tokens):
        if token.type == "heading_open":
            words = tokens[number + 1].content
            anchor = re.sub(r"[^\w -]", "", words.lower()).replace(" ", "-")
            used[anchor] += 1
            if used[anchor] > 1:  # two nouns of one name
                anchor = f"{anchor}-{used[anchor] - 1}"
            token.attrSet("id", anchor)
            plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", words)
            found.append(Heading(int(token.tag[1]), plain, anchor))
    return found


def _relink(tokens: list[Token], inner: str, root: Path) -> None:
    """Links to pages lead to their addresses here; those to other files of the checkout lead nowhere."""
    for token in tokens:
        for child in token.children or ():
            if child.type == "link_open":
                _relink_one(child, inner, root)


def _relink_one(token: Token, inner: str, root: Path) -> None:
    target = str(token.attrGet("href") or "")
    if target.startswith(("#", "/docs")):
        return
    if re.match(r"[a-z][a-z0-9+.-]*:", target, re.IGNORECASE):
        token.attrSet("rel", "noreferrer")
        return
    name, _, fragment = target.partition("#")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(inner), name))
    known = path.split("/")[0] in FOLDERS and Path(path).suffix in _SHOWN and (root / path).is_file()
    if known:
        token.attrSet("href", ROOT + name_of(path) + (f"#{fragment}" if fragment else ""))
        return
    token.tag = "span"
    token.attrs = {"class": "elsewhere", "title": f"{path}, in the source"}


def _close(renderer: Any, tokens: list[Token], index: int, options: Any, env: Any) -> str:
    """The end of a link, or of what was one."""
    depth = 0
    for token in reversed(tokens[:index]):
        if token.type == "link_close":
            depth += 1
        elif token.type == "link_open":
            if depth == 0:
                return f"</{token.tag}>"
            depth -= 1
    return "</a>"


def _fence(renderer: Any, tokens: list[Token], index: int, options: Any, env: Any) -> str:
    """Code; a drawing in Mermaid becomes the table of its arrows."""
    token = tokens[index]
    if token.info.strip() == "mermaid":
        return arrows(token.content)
    return code_block(token.content, token.info.strip())


def _indented(renderer: Any, tokens: list[Token], index: int, options: Any, env: Any) -> str:
    return code_block(tokens[index].content, "")


_ARROW = re.compile(
    r"^\s*(\S+?)(?:\(\[(.+?)\]\))?\s*-->\s*(?:\|(.+?)\|\s*)?(\S+?)(?:\(\[(.+?)\]\))?(?::\s*(.+))?$"
)


def arrows(drawing: str) -> Html:
    """A state diagram or flow chart as a table of its arrows: from, what happens, to."""
    names = dict(re.findall(r"(\w+)\(\[(.+?)\]\)", drawing))
    rows = []
    for line in drawing.splitlines():
        found = _ARROW.match(line)
        if found is not None:
            start, _, what, end, _, event = found.groups()
            show = {"[*]": "(begin)" if start == "[*]" else "(end)"}
            rows.append(
                [
                    show.get(start) or names.get(start, start),
                    event or what or "",
                    show.get(end) or names.get(end, end),
                ]
            )
    if not rows:
        return code_block(drawing, "")
    return table(("from", "what happens", "to"), rows, "The arrows of the drawing")


def _table_open(renderer: Any, tokens: list[Token], index: int, options: Any, env: Any) -> str:
    return '<div class="scroll" role="group" aria-label="Table" tabindex="0"><table>'


def _table_close(renderer: Any, tokens: list[Token], index: int, options: Any, env: Any) -> str:
    return "</table></div>"


def _parser() -> MarkdownIt:
    """CommonMark with tables, without HTML."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    for name, rule in (
        ("fence", _fence),
        ("code_block", _indented),
        ("link_close", _close),
        ("table_open", _table_open),
        ("table_close", _table_close),
    ):
        parser.add_render_rule(name, rule)
    return parser


_PARSER = _parser()


def title_of(guide: Guide) -> str:
    """What a page is called in lists: examples by their path."""
    return guide.name.removeprefix("examples/") if guide.name.startswith("examples/") else guide.title


def opening(guide: Guide) -> str:
    """The first sentence or so of a guide."""
    lines = [line.strip() for line in guide.text.splitlines()]
    begin = next((line for line in lines if line and line != guide.title and not line.startswith("<!--")), "")
    return begin[:110] + ("…" if len(begin) > 110 else "")
