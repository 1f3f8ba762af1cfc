"""How the official libraries call an operation; ``official.json`` is read off the installed one (``make docs``)."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ringback.web.docs.reference import Operation


@dataclass(frozen=True, slots=True)
class OfficialCall:
    """One operation of the client."""

    chain: str
    """``taskrouter.v1.workspaces({0}).tasks.create``: ``{0}`` is the first part of the path."""
    names: tuple[str, ...]
    """Keyword arguments."""

    def name_of(self, parameter: str) -> str | None:
        """The keyword argument of a parameter (``From`` → ``from_``); None: the client does not know it."""
        wanted = re.sub(r"[^a-z0-9]", "", parameter.lower())
        return next((name for name in self.names if name.replace("_", "") == wanted), None)


def key_of(operation: Operation) -> str:
    """``POST /taskrouter/v1/Workspaces/{}/Tasks``."""
    return f"{operation.method} {re.sub(r'{[^}]*}', '{}', operation.path).removesuffix('.json')}"


@functools.cache
def calls() -> Mapping[str, OfficialCall]:
    """Every operation that the official client knows, by its key."""
    kept = msgspec.json.decode(
        (Path(__file__).parent / "official.json").read_bytes(), type=dict[str, tuple[str, tuple[str, ...]]]
    )
    return {key: OfficialCall(chain, names) for key, (chain, names) in kept.items()}
