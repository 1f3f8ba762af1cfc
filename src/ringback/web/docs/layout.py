"""The frame of every page: head, search, navigation with the current place, table of contents, foot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ringback import __version__
from ringback.web.docs.markup import Html, Piece, el, escape, join


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page, before it is framed."""

    url: str
    title: str
    body: Html
    description: str = ""
    trail: tuple[tuple[str, str], ...] = ()
    """Where it is: (name, address) of what is above it."""
    contents: tuple[tuple[str, str], ...] = ()
    """Its parts: (name, fragment)."""
    wide: bool = False
    """Text and examples side by side."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the navigation."""

    name: str
    url: str
    below: tuple[Entry, ...] = ()
    mark: str = ""
    """A small word before it: a method."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of the navigation with its lines."""

    name: str
    entries: tuple[Entry, ...] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What all pages have in common."""

    sections: tuple[Section, ...]
    static: Mapping[str, str]
    """File name → address with its version."""

    def page(self, page: Page, query: str = "") -> Html:
        """The whole document."""
        head = el(
            "head",
            el("meta", charset="utf-8"),
            el("meta", name="viewport", content="width=device-width, initial-scale=1"),
            el("title", "Ringback documentation" if page.url == "/docs" else f"{page.title} – Ringback"),
            el("meta", name="description", content=page.description) if page.description else None,
            el("meta", name="color-scheme", content="light dark"),
            el("link", rel="stylesheet", href=self.static["docs.css"]),
            el("link", rel="icon", type="image/svg+xml", href=self.static["mark.svg"]),
            el("script", src=self.static["theme.js"]),
            el("script", src=self.static["docs.js"], defer=True),
        )
        body = el(
            "body",
            el("a", "Skip to the content", href="#content", class_="skip"),
            self._top(query),
            el(
                "div",
                self._navigation(page),
                el(
                    "main",
                    _trail(page),
                    el("article", page.body, class_="wide" if page.wide else None),
                    _foot(),
                    id="content",
                    tabindex="-1",
                ),
                _contents(page),
                class_="frame" + ("" if page.contents else " bare"),
            ),
        )
        return Html("<!doctype html>" + el("html", head, body, lang="en"))

    def _top(self, query: str) -> Html:
        return el(
            "header",
            el(
                "a",
                el("span", "", class_="mark", aria_hidden="true"),
                "Ringback",
                el("span", "docs", class_="sub"),
                href="/docs",
                class_="brand",
            ),
            el(
                "form",
                el("label", "Search the documentation", for_="q", class_="unseen"),
                el(
                    "input",
                    type="search",
                    id="q",
                    name="q",
                    value=query or None,
                    autocomplete="off",
                    spellcheck="false",
                    placeholder="Search calls, 21211, Gather …",
                    maxlength="100",
                ),
                el("kbd", "/", aria_hidden="true"),
                el("div", id="found", class_="found", hidden=True),
                action="/docs/search",
                method="get",
                role="search",
            ),
            el(
                "nav",
                el("a", "OpenAPI", href="/openapi.json"),
                el(
                    "button",
                    el("span", "", class_="sun", aria_hidden="true"),
                    type="button",
                    id="theme",
                    hidden=True,
                    aria_label="Dark or light",
                    title="Dark or light",
                ),
                class_="links",
                aria_label="More",
            ),
            class_="top",
        )

    def _navigation(self, page: Page) -> Html:
        sections = [
            join(el("h2", section.name), el("ul", *(_entry(one, page) for one in section.entries)))
            for section in self.sections
        ]
        return el(
            "nav",
            el("details", el("summary", "Menu"), el("div", *sections, class_="menu"), open=True, id="menu"),
            class_="side",
            aria_label="Documentation",
        )


def _entry(one: Entry, page: Page) -> Html:
    here = one.url == page.url
    within = (
        here
        or (one.url != "/docs" and page.url.startswith(one.url + "/"))
        or any(each.url == page.url for each in one.below)
    )
    link = el(
        "a",
        one.name,
        href=one.url,
        aria_current="page" if here else None,
        class_="within" if within and not here else None,
    )
    if not (within and one.below):
        return el("li", link)
    return el("li", link, el("ul", *(_entry(each, page) for each in one.below)))


def _trail(page: Page) -> Html:
    if not page.trail:
        return Html("")
    return el(
        "nav",
        el(
            "ol",
            *(el("li", el("a", name, href=url)) for name, url in page.trail),
            el("li", el("span", page.title, aria_current="page")),
        ),
        class_="trail",
        aria_label="Where you are",
    )


def _contents(page: Page) -> Html:
    if not page.contents:
        return Html("")
    return el(
        "nav",
        el("h2", "On this page"),
        el("ul", *(el("li", el("a", name, href=f"#{anchor}")) for name, anchor in page.contents)),
        class_="contents",
        aria_label="On this page",
    )


def _foot() -> Html:
    return el(
        "footer",
        el(
            "p",
            f"Ringback {__version__}. Made from the declarations of the server that serves this page. ",
            el("a", "Source and guides", href="/docs/guides"),
            ".",
        ),
    )


def heading(level: int, anchor: str, *pieces: Piece) -> Html:
    """A heading that can be linked to."""
    words = join(*pieces)
    sign = el("a", "#", href=f"#{anchor}", class_="anchor", aria_label="Link to this part")
    return el(f"h{level}", words, " ", sign, id=anchor)


def cards(items: Iterable[tuple[str, str, Piece]]) -> Html:
    """Links with a sentence each: (name, address, what it is)."""
    return el(
        "ul",
        *(el("li", el("a", el("strong", name), el("span", text), href=url)) for name, url, text in items),
        class_="cards",
    )


def badge(method: str) -> Html:
    """An HTTP method."""
    return el("span", method, class_=f"verb {escape(method.lower())}")
