"""What a ``repr`` must not tell: events and effects land in logs when something goes wrong."""

from __future__ import annotations

from typing import Protocol


class _Struct(Protocol):
    @property
    def __struct_fields__(self) -> tuple[str, ...]: ...


def repr_without(one: _Struct, secret: str) -> str:
    """The usual ``repr`` of a ``msgspec.Struct``, without its field ``secret``."""
    shown = (f"{name}={getattr(one, name)!r}" for name in one.__struct_fields__ if name != secret)
    return f"{type(one).__name__}({', '.join(shown)})"
