"""The pages beside: features, guides, results of a search, and the one that is not there."""

from __future__ import annotations

from collections.abc import Mapping

from ringback.web.docs.api_page import HOME, path_shown
from ringback.web.docs.handbook import Guide, opening, title_of
from ringback.web.docs.layout import Page, badge, heading
from ringback.web.docs.markup import Html, Piece, el, join, prose, slug
from ringback.web.docs.search import Hit
from ringback.web.docs.vocabulary import Sources


def features_page(sources: Sources) -> Page:
    """Paths that are no declared resource."""
    groups: dict[str, list[Html]] = {}
    for door in sources.doors:
        line = join(
            el("p", badge(door.method), path_shown(door.path), class_="line", id=door.anchor),
            el("p", prose(door.doc)) if door.doc else None,
        )
        groups.setdefault(door.group, []).append(el("section", line, class_="door"))
    parts = [join(heading(2, slug(name), name), *lines) for name, lines in groups.items()]
    body = join(
        el("h1", "Features and simulator"),
        el("p", "Paths beside the REST API.", class_="lead"),
        *parts,
    )
    return Page(
        url="/docs/features",
        title="Features and simulator",
        body=body,
        trail=(HOME,),
        contents=tuple((name, slug(name)) for name in groups),
        description="Callback and voicemail, the simulator, health and metrics.",
    )


def guides_page(guides: Mapping[str, Guide]) -> Page:
    """All pages of ``docs/`` and ``examples/``."""
    groups = {
        "Guides": "",
        "How-to": "how-to/",
        "Reference": "reference/",
        "Decisions": "adr/",
        "Examples": "examples/",
    }
    parts: list[Piece] = [el("h1", "Guides")]
    if not guides:
        parts.append(el("p", "This installation carries no guides: they are in the source."))
    for title, prefix in groups.items():
        chosen = [
            one for name, one in guides.items() if (name.startswith(prefix) if prefix else "/" not in name)
        ]
        if chosen:
            listed = [el("li", el("a", title_of(one), href=one.url)) for one in chosen]
            parts += [heading(2, slug(title), title), el("ul", *listed, class_="plain")]
    return Page(
        url="/docs/guides",
        title="Guides",
        body=join(*parts),
        trail=(HOME,),
        description="Guides of Ringback.",
    )


def guide_page(guide: Guide) -> Page:
    """One of them."""
    second = [each for each in guide.headings if each.level == 2]
    return Page(
        url=guide.url,
        title=title_of(guide),
        body=el("div", guide.body, class_="guide"),
        trail=(HOME, ("Guides", "/docs/guides")),
        contents=tuple((each.text, each.anchor) for each in second),
        description=opening(guide),
    )


def search_page(query: str, hits: list[Hit]) -> Page:
    """What was found; works without a script."""
    parts: list[Piece] = [el("h1", f"Results for “{query}”" if query else "Search")]
    if query and not hits:
        parts.append(el("p", "Nothing was found. Try a part of the word, or a number."))
    parts.append(
        el(
            "ul",
            *(
                el(
                    "li",
                    el(
                        "a",
                        el("strong", hit.name),
                        el("span", f"{hit.kind} · {hit.where}" if hit.where else hit.kind),
                        href=hit.url,
                    ),
                )
                for hit in hits
            ),
            class_="cards results",
        )
        if hits
        else None
    )
    return Page(url="/docs/search", title="Search", body=join(*parts), trail=(HOME,))


def missing_page(path: str) -> Page:
    """There is no such page."""
    body = join(
        el("h1", "No such page"),
        el(
            "p",
            "Nothing is at ",
            el("code", path),
            ". Search for it, or begin with ",
            el("a", "the first page", href="/docs"),
            ".",
        ),
    )
    return Page(url=path, title="No such page", body=body, trail=(HOME,))
