"""Paths beside the declared API, read off what serves them: features, the simulator, the pages for operators."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from starlette.routing import BaseRoute, Route

from ringback.web.docs.vocabulary import Door


def of_features(root: str, signed: Mapping[str, Any], agents: Mapping[str, Any]) -> Iterable[Door]:
    """``studio/…`` and ``flex/…``; a door's docstring says what it takes."""
    for folder, doors, group in (
        ("studio", signed, "Callback and voicemail: signed requests"),
        ("flex", agents, "Callback and voicemail: agents"),
    ):
        for name, door in doors.items():
            yield Door(method="POST", path=f"{root}{folder}/{name}", doc=_said(door), group=group)


def of_routes(routes: Iterable[BaseRoute], group: str) -> Iterable[Door]:
    """The routes of a Starlette application; an endpoint's docstring says what it does."""
    for route in routes:
        if isinstance(route, Route):
            for method in sorted((route.methods or set()) - {"HEAD"}):
                yield Door(method=method, path=route.path, doc=_said(route.endpoint), group=group)


def of_paths(paths: Mapping[str, str], group: str) -> Iterable[Door]:
    """``GET /health`` → what it tells."""
    for request, doc in paths.items():
        method, _, path = request.partition(" ")
        yield Door(method=method, path=path, doc=doc, group=group)


def _said(endpoint: Callable[..., Any]) -> str:
    """A docstring without its first mention of the path, which stands above it."""
    doc = " ".join((inspect.getdoc(endpoint) or "").split())
    return re.sub(r"^``(?:studio|flex)/[\w-]+``(?: and ``flex/[\w-]+``)?[:.]\s*", "", doc)
