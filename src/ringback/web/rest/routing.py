"""From a path to a place, by dictionaries made once; no pattern is tried per request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ringback.kernel.resource import at
from ringback.web.rest.paging import filters_of
from ringback.web.rest.render import View
from ringback.web.rest.rules import Handler, Rules, parents_of


@dataclass(slots=True)
class Target:
    """What is at the end of a path."""

    view: View
    rules: Rules
    instance: bool
    methods: Mapping[str, str]
    """HTTP method → operation."""
    filters: dict[str, tuple[str, str]] = field(default_factory=dict)
    custom: Handler | None = None
    """A handler of its own, in place of the generic operation."""
    names: tuple[str, ...] = ()
    """Names of the path's parts, in order."""
    parents: tuple[tuple[str, Rules], ...] = ()
    """Parts that name records on the way, those that the path leaves out included, and whose they are."""


@dataclass(slots=True)
class _Node:
    fixed: dict[str, _Node] = field(default_factory=dict)
    any: _Node | None = None
    target: Target | None = None


def _below(node: _Node, path: str) -> Iterator[tuple[str, Target]]:
    """The targets at a node and below it, with their paths."""
    if node.target is not None:
        parts = iter(node.target.names)
        yield (
            "/".join(f"{{{next(parts)}}}" if part == "{}" else part for part in path.split("/")),
            node.target,
        )
    for part, following in node.fixed.items():
        yield from _below(following, f"{path}/{part}")
    if node.any is not None:
        yield from _below(node.any, path + "/{}")


class Router:
    """Products by path prefix and by host name; each a tree of path segments."""

    def __init__(self) -> None:
        self._products: dict[str, _Node] = {}

    @property
    def products(self) -> Iterable[str]:
        """Names of the products."""
        return self._products

    def add(self, product: str, path: str, target: Target) -> None:
        """Put a target at a path with ``{Name}`` parts."""
        node = self._products.setdefault(product, _Node())
        names: list[str] = []
        for part in path.strip("/").split("/"):
            if part.startswith("{"):
                names.append(part[1:-1])
                node.any = node.any or _Node()
                node = node.any
            else:
                node = node.fixed.setdefault(part, _Node())
        target.names = tuple(names)
        node.target = target

    def add_noun(self, rules: Rules, public_url: str, every: Sequence[Rules]) -> None:
        """Add every place of a noun, and its further paths; ``every`` noun's rules tell whom a path's parts name."""
        noun = rules.noun.__noun__
        for place in noun.places:
            view = View(noun, place, public_url)
            parents = parents_of(place.scope, place.product, every)
            lists = {m: o for m, o in (("GET", "list"), ("POST", "create")) if o in place.can}
            single = {
                m: o
                for m, o in (("GET", "fetch"), ("POST", "update"), ("DELETE", "delete"))
                if o in place.can
            }
            if lists:
                target = Target(view, rules, False, lists, filters_of(view), parents=parents)
                self.add(place.product, place.path, target)
            if single:
                self.add(
                    place.product, place.path + "/{Sid}", Target(view, rules, True, single, parents=parents)
                )
        for extra in rules.extras:
            product = extra.product or noun.places[0].product
            place = at(extra.path, key="", can=(), product=product, implied=extra.implied)
            parents = parents_of(place.scope, place.product, every)
            view = View(noun, place, public_url)
            target = Target(view, rules, False, extra.methods, custom=extra.handler, parents=parents)
            self.add(place.product, extra.path, target)

    def targets(self) -> Iterator[tuple[str, str, Target]]:
        """Product, path and target of everything that is there."""
        for product, node in self._products.items():
            yield from ((product, path, target) for path, target in _below(node, ""))

    def product_of(self, path: str, host: str) -> tuple[str, str] | None:
        """The product that a request is for, and the path within it; None: not ours."""
        label = host.partition(".")[0].lower()
        first = path[1:].partition("/")[0]
        if label in self._products and "." in host and first[:1] in ("v", "2"):
            return label, path
        if first == "2010-04-01":
            return "api", path
        if first in self._products:
            return first, path[len(first) + 1 :] or "/"
        return None

    def find(self, product: str, path: str) -> tuple[Target, dict[str, str]] | None:
        """The target of a path (suffix already taken off) and the values of its parts."""
        node = self._products[product]
        values: list[str] = []
        for part in path[1:].split("/"):
            following = node.fixed.get(part)
            if following is None:
                following = node.any
                if following is None or not part or len(part) > 256:
                    return None
                values.append(part)
            node = following
        if node.target is None:
            return None
        return node.target, dict(zip(node.target.names, values, strict=True))
