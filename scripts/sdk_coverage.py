"""What of the official Python client's TaskRouter is served here: read off the client's source and our routes.

The client is generated from the API's description, one class a path; each operation is one method that names its
parameters. ``scripts/docs`` writes the page.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

VIEWS = Path(__file__).resolve().parent.parent / "src" / "ringback" / "web" / "taskrouter_views"
HTTP = {"list": "GET", "create": "POST", "fetch": "GET", "update": "POST", "delete": "DELETE"}
PAGING = {"PageToken", "Page", "PageSize"}
METHODS = {"page": "list", "create": "create", "fetch": "fetch", "update": "update", "delete": "delete"}
CONSTANT_HEADERS = {"Content-Type", "Accept"}


@dataclass(frozen=True)
class Call:
    """One operation of the client."""

    resource: str
    operation: str
    path: str
    params: tuple[str, ...]


def client_calls(below: str = "twilio.rest.taskrouter.v1.workspace") -> Iterator[Call]:
    """Every operation of a package of the installed client, TaskRouter's by default, in the order of its modules."""
    package: Any = importlib.import_module(below)
    names = [one.name for one in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
    for module in [package, *map(importlib.import_module, sorted(names))]:
        yield from _calls(module)


def _calls(module: ModuleType) -> Iterator[Call]:
    """The operations of one module: of its list class, then of its instances."""
    found: list[Call] = []
    for name, cls in vars(module).items():
        if not inspect.isclass(cls) or cls.__module__ != module.__name__:
            continue
        if not name.endswith(("Context", "List")):
            continue
        path = re.search(r'_uri = \(?\s*"([^"]+)"', inspect.getsource(cls))
        if path is None:
            continue
        parent = "Worker" if ".worker." in module.__name__ and name.startswith("Reservation") else ""
        resource = parent + re.sub(r"(Context|List)$", "", name)
        for method, operation in METHODS.items():
            function = vars(cls).get(f"_{method}") or vars(cls).get(method)
            if function is not None:
                found.append(Call(resource, operation, "/v1" + path[1], tuple(_names(function))))
    order = list(HTTP)
    yield from sorted(found, key=lambda call: order.index(call.operation))


def _names(function: Any) -> Iterator[str]:
    """Parameters and headers that a method sends."""
    source = inspect.getsource(function)
    given = [*re.findall(r'"([A-Z][\w-]*)":', source), *re.findall(r'headers\["([\w-]+)"\]', source)]
    for name in dict.fromkeys(given):
        if name not in CONSTANT_HEADERS:
            yield name


def served(call: Call) -> set[str] | None:
    """The call's parameters that are served; None when the whole operation is not."""
    target = _target(call)
    if target is None:
        return None
    view = target.view
    place, operation = view.place, call.operation
    if target.custom is not None:
        known = _constants(VIEWS) | PAGING
    else:
        known = set(place.takes.get(operation, ()))
        if operation == "list":
            from ringback.web.rest.paging import filters_of

            known |= set(filters_of(view)) | PAGING
        else:
            known |= {one.param for one in view.noun.fields if getattr(one, operation, False)}
            known |= {"If-Match"} if place.etag else set()
    return known & set(call.params)


def _target(call: Call) -> Any:
    """Where the request would arrive; None when nobody answers it."""
    found = _router().find("taskrouter", re.sub(r"\{\w+\}", "XX" + "0" * 32, call.path))
    return found[0] if found is not None and HTTP[call.operation] in found[0].methods else None


def _router() -> Any:
    from ringback.resources import all_nouns
    from ringback.web.nouns import collect
    from ringback.web.rest.routing import Router
    from ringback.web.rest.rules import complete

    router = Router()
    every = complete(all_nouns(), collect(MagicMock()))  # the paths are asked for, not the answers
    for rules in every:
        router.add_noun(rules, "", every)
    return router


def _constants(folder: Path) -> set[str]:
    """Every string in the sources of a folder: the parameters that its views read are among them."""
    return {
        node.value
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def page() -> str:
    """The page as Markdown."""
    import twilio  # type: ignore[import-untyped]

    rows, missing, operations, parameters, kept = [], [], 0, 0, 0
    for call in client_calls():
        given = served(call)
        params = [name for name in call.params if name not in PAGING]
        operations += 1
        parameters += len(params)
        without = [name for name in params if given is None or name not in given]
        kept += len(params) - len(without)
        answer = "no" if given is None else "yes"
        if given is None or without:
            what = (
                "not served"
                if given is None
                else "without effect: " + ", ".join(f"`{name}`" for name in without)
            )
            missing.append(f"* {call.resource}, {call.operation}: {what}")
        rows.append(
            f"| {call.resource} | {call.operation} | `{HTTP[call.operation]} {call.path}` | {answer} "
            f"| {len(params) - len(without)} of {len(params)} |"
        )
    lines = [
        "# TaskRouter coverage",
        "",
        f"What the official Python client {twilio.__version__} can ask of TaskRouter, and what is served of it. "
        "Computed from the client's own source and from the routes and declarations of this server: a parameter "
        "counts as served when the declaration of the resource has it, or, for the paths that are no resource "
        "(statistics), when the sources of their views name it. Others are accepted and ignored. How each behaves "
        "is shown by `tests/contract/test_taskrouter.py`.",
        "",
        f"{operations - sum('not served' in one for one in missing)} of {operations} operations, {kept} of "
        f"{parameters} parameters and conditional headers (without those of paging).",
        "",
        "| resource | operation | request | served | parameters |",
        "|---|---|---|---|---|",
        *rows,
        "",
        "## What is missing",
        "",
        *(missing or ["Nothing."]),
        "",
    ]
    return "\n".join(lines)
