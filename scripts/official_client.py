"""How the official Python client calls what this server serves: found by walking the installed client's own objects.

``scripts/docs`` writes the answer to ``src/ringback/web/docs/official.json``, so that the examples of ``/docs`` need no
client at run time: ``"METHOD /product/version/path"`` → the chain of attributes with ``{0}`` for the first part of the
path, and the keyword arguments.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from typing import Any

METHODS = {"list": "GET", "create": "POST", "fetch": "GET", "update": "POST", "delete": "DELETE"}
PAGING = {"limit", "page_size"}


def page() -> str:
    """The file: one operation a line, in the order of the paths."""
    wanted = served()
    found: dict[str, tuple[str, list[str]]] = {}
    for key, chain, names in sorted(operations(), key=lambda one: (len(one[1]), one[1])):
        if key in wanted:
            found.setdefault(key, (chain, names))
    lines = [f"  {json.dumps(key)}: {json.dumps(found[key])}" for key in sorted(found)]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def served() -> set[str]:
    """Every operation that our router knows."""
    from unittest.mock import MagicMock

    from ringback.resources import all_nouns
    from ringback.web.docs.official import key_of
    from ringback.web.docs.reference import products
    from ringback.web.nouns import collect
    from ringback.web.rest.rules import complete

    every = complete(all_nouns(), collect(MagicMock()))  # the paths are asked for, not the answers
    return {
        key_of(operation)
        for product in products(every)
        for resource in product.resources
        for operation in resource.operations
    }


def operations() -> Iterator[tuple[str, str, list[str]]]:
    """Key, chain and keyword arguments of every operation of the client."""
    from twilio.base.domain import Domain  # type: ignore[import-untyped]
    from twilio.base.list_resource import ListResource  # type: ignore[import-untyped]
    from twilio.rest import Client  # type: ignore[import-untyped]

    client = Client("AC" + "0" * 32, "none")
    for name, domain in properties(client, Domain):
        product = domain.base_url.split("//")[1].split(".")[0]
        for version_name, member in inspect.getmembers(type(domain), lambda one: isinstance(one, property)):
            if not re.fullmatch(r"v\d+|v2010", version_name):
                continue
            assert member is not None
            version = getattr(domain, version_name)
            for attribute, lists in properties(version, ListResource):
                for key, chain, names in _visit(lists, f"{name}.{version_name}.{attribute}", 0):
                    method, _, path = key.partition(" ")
                    yield f"{method} /{product}/{version.version}{path}", chain, names


def properties(holder: Any, kind: type) -> Iterator[tuple[str, Any]]:
    """The properties of an object that are of a kind."""
    for cls in type(holder).__mro__:
        for name, member in vars(cls).items():
            if isinstance(member, property) and not name.startswith("_"):
                try:
                    value = getattr(holder, name)
                except Exception:  # noqa: BLE001, S112 - a product that the client no longer has
                    continue
                if isinstance(value, kind):
                    yield name, value


def _visit(holder: Any, chain: str, depth: int) -> Iterator[tuple[str, str, list[str]]]:
    """A list or one of its members: its operations, then what hangs below it."""
    from twilio.base.list_resource import ListResource

    yield from _methods(holder, chain)
    for name, below in properties(holder, ListResource):
        yield from _visit(below, f"{chain}.{name}", depth)
    call = vars(type(holder)).get("__call__")
    if call is not None:
        names = list(inspect.signature(call).parameters)[1:]
        marks = [f"~{depth + number}~" for number in range(len(names))]
        yield from _visit(holder(*marks), f"{chain}({', '.join(marks)})", depth + len(names))


def _methods(holder: Any, chain: str) -> Iterator[tuple[str, str, list[str]]]:
    uri = getattr(holder, "_uri", None)
    if uri is None:
        return
    marks = re.findall(r"~\d+~", uri)
    path = re.sub(r"~\d+~", "{}", uri).removesuffix(".json")
    for name, http in METHODS.items():
        function = vars(type(holder)).get(name)
        if function is None:
            continue
        told = chain
        for place, mark in enumerate(marks):
            told = told.replace(mark, "{" + str(place) + "}")
        if "~" in told:
            continue  # a part of the chain that the path does not have
        source = inspect.getsource(vars(type(holder)).get(f"_{name}", function))
        verb = "PUT" if '"PUT"' in source else http
        names = [each for each in list(inspect.signature(function).parameters)[1:] if each not in PAGING]
        short = re.sub(r"^api\.v2010\.accounts\(\{0\}\)\.", "", told)
        yield f"{verb} {path}", f"{short}.{name}", names
