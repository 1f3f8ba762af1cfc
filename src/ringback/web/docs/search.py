"""The search: one list of everything that has an address, and what of it is like what was asked for.

The page of results and the list below the field (``docs.js``, by ``/docs/search.json``) are ranked by the same code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ringback.web.docs.handbook import Guide
from ringback.web.docs.vocabulary import Sources, about
from ringback.web.docs.webhooks import CALL, WEBHOOKS

LIMIT = 50
"""Results that are shown."""


class Hit(NamedTuple):
    """Something with an address."""

    name: str
    kind: str
    """``Resource``, ``Parameter``, ``Error`` …"""
    where: str
    """What it belongs to, or what it means."""
    url: str
    weight: int
    """0 comes before 1 of the same likeness."""


def entries(sources: Sources, guides: Mapping[str, Guide]) -> list[Hit]:
    """Everything."""
    return [
        *_api(sources),
        *_twiml(sources),
        *_errors(sources),
        *_webhooks(),
        *_doors(sources),
        *_guides(guides),
    ]


def _api(sources: Sources) -> Iterable[Hit]:
    for product in sources.products:
        yield Hit(product.title, "Product", f"/{product.name}", product.url, 0)
        for resource in product.resources:
            yield Hit(resource.name, "Resource", product.title, resource.url, 0)
            for operation in resource.operations:
                url = f"{resource.url}#{operation.anchor}"
                yield Hit(operation.title, "Operation", f"{operation.method} {operation.path}", url, 1)
                for each in operation.parameters:
                    if each.where != "path" and each.name not in ("PageSize", "Page", "PageToken"):
                        yield Hit(each.name, "Parameter", operation.title, f"{url}.{each.name}", 2)
            for field in resource.fields:
                yield Hit(field.key, "Field", resource.name, f"{resource.url}#answer", 3)


def _twiml(sources: Sources) -> Iterable[Hit]:
    for verb in sources.verbs:
        url = f"/docs/twiml/{verb.tag.lower()}"
        yield Hit(f"<{verb.tag}>", "TwiML verb", about(verb), url, 0)
        for owner, declared in ({verb.tag: verb.attributes} | dict(verb.nouns)).items():
            if owner != verb.tag:
                yield Hit(
                    f"<{owner}>", "TwiML noun", f"in <{verb.tag}>", f"{url}#attributes-{owner.lower()}", 0
                )
            for name in declared:
                yield Hit(name, "Attribute", f"<{owner}>", f"{url}#attributes-{owner.lower()}.{name}", 2)


def _errors(sources: Sources) -> Iterable[Hit]:
    for error in sources.errors.values():
        yield Hit(str(error.code), "Error", error.title, error.url, 0)


def _webhooks() -> Iterable[Hit]:
    for one in WEBHOOKS:
        yield Hit(one.name, "Webhook", one.when.replace("``", ""), f"/docs/webhooks#{one.anchor}", 0)
        for name in one.parameters:
            yield Hit(name, "Webhook parameter", one.name, f"/docs/webhooks#{one.anchor}.{name}", 3)
    for name in CALL:
        yield Hit(name, "Webhook parameter", "Facts of the call", f"/docs/webhooks#call-facts.{name}", 2)


def _doors(sources: Sources) -> Iterable[Hit]:
    for door in sources.doors:
        yield Hit(door.path, door.group, door.method, f"/docs/features#{door.anchor}", 2)


def _guides(guides: Mapping[str, Guide]) -> Iterable[Hit]:
    for guide in guides.values():
        yield Hit(guide.title, "Guide", guide.name, guide.url, 1)
        for each in guide.headings:
            if each.level in (2, 3):
                yield Hit(each.text, "Guide", guide.title, f"{guide.url}#{each.anchor}", 2)


class Index:
    """All of them, ready to be searched."""

    def __init__(self, every: Iterable[Hit]) -> None:
        self._rows = [
            (hit.name.lower().strip("<>"), f"{hit.kind} {hit.where}".lower(), number, hit)
            for number, hit in enumerate(every)
        ]

    def find(self, query: str, limit: int = LIMIT) -> list[Hit]:
        """The best first: every word must be in the name, the kind or the place; a name counts most."""
        words = [word for each in query.lower().split() if (word := each.strip("<>"))][:8]
        ranked: list[tuple[int, int, int, Hit]] = []
        for name, rest, number, hit in self._rows if words else ():
            score = 0
            for word in words:
                likeness = _likeness(word, name, rest)
                if likeness is None:
                    break
                score += likeness
            else:
                ranked.append((score * 4 + hit.weight, len(name), number, hit))
        return [each[-1] for each in sorted(ranked)[:limit]]


def _likeness(word: str, name: str, rest: str) -> int | None:
    """0: it is the name; then a word of it, the beginning of one, a part; then the same of the rest. None: nowhere."""
    if word == name:
        return 0
    if word in name:
        padded = f" {name} "
        return 1 if f" {word} " in padded else 2 if f" {word}" in padded else 4
    if word in rest:
        return 6 if f" {word}" in f" {rest}" else 8
    return None
