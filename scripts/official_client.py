"""How the official Python client calls what this server serves: found by walking the installed client's own objects.

``scripts/docs`` writes the answer to ``src/ringback/web/docs/official.json``, so that the examples of ``/docs`` need no
client at run time: ``"METHOD /product/version/path"`` → the chain of attributes with ``{0}`` for the first part of the
path, the keyword arguments, and whether what it gives has a SID.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterator
from typing import Any

METHODS = {"list": "GET", "create": "POST", "fetch": "GET", "update": "POST", "delete": "DELETE"}
PAGING = {"limit", "page_size"}


def page() -> str:
    """The file: one operation a line, in the order of the paths."""
    wanted = served()
    found: dict[str, tuple[str, list[str], bool]] = {}
    ours = {key.split("/")[1] for key in wanted}
    for key, chain, names, sid in sorted(operations(ours), key=lambda one: (len(one[1]), one[1])):
        if key in wanted:
            found.setdefault(key, (chain, names, sid))
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


def operations(ours: set[str]) -> Iterator[tuple[str, str, list[str], bool]]:
    """Key, chain, keyword arguments, and whether the result has a SID, of every operation of these products; each
    product that is not asked for saves the import of hundreds of modules."""
    from twilio.base.domain import Domain  # type: ignore[import-untyped]
    from twilio.base.list_resource import ListResource  # type: ignore[import-untyped]
    from twilio.rest import Client  # type: ignore[import-untyped]

    client = Client("AC" + "0" * 32, "none")
    for product in sorted(ours):
        name = product.replace("-", "_")
        domain = getattr(client, name, None)
        if not isinstance(domain, Domain):
            continue
        for version_name, member in inspect.getmembers(type(domain), lambda one: isinstance(one, property)):
            if not re.fullmatch(r"v\d+|v2010", version_name):
                continue
            assert member is not None
            version = getattr(domain, version_name)
            for attribute, lists in properties(version, ListResource):
                for key, chain, names, sid in _visit(lists, f"{name}.{version_name}.{attribute}", 0):
                    method, _, path = key.partition(" ")
                    yield f"{method} /{product}/{version.version}{path}", chain, names, sid


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


def _visit(holder: Any, chain: str, depth: int) -> Iterator[tuple[str, str, list[str], bool]]:
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


def _methods(holder: Any, chain: str) -> Iterator[tuple[str, str, list[str], bool]]:
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
        codes = [one.__code__ for one in (function, vars(type(holder)).get(f"_{name}")) if one is not None]
        verb = "PUT" if any("PUT" in code.co_consts for code in codes) else http
        made = {each for code in codes for each in code.co_names if each.endswith("Instance")}
        module = sys.modules[type(holder).__module__]
        sid = any("sid" in getattr(module, each).__init__.__code__.co_names for each in made)
        names = [each for each in list(inspect.signature(function).parameters)[1:] if each not in PAGING]
        short = re.sub(r"^api\.v2010\.accounts\(\{0\}\)\.", "", told)
        yield f"{verb} {path}", f"{short}.{name}", names, sid
