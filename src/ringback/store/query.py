"""What a list asks the store for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Operator = Literal["=", "in", "not in", ">=", "<", "<=", ">", "like"]


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison: attribute, operator, value (a tuple for ``in`` and ``not in``; ``%`` and ``_`` for ``like``)."""

    name: str
    operator: Operator
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A part of a table; newest first (SIDs begin with their time of creation: kernel/sid.py) unless it says how."""

    conditions: Sequence[Condition] = ()
    limit: int = 50
    after: str = ""
    """Only what follows this SID: the last of the page before."""
    before: str = ""
    """Only what precedes this SID: the first of the page after."""
    order: str = "sid"
    """The attribute to sort by; equal ones by SID."""
    ascending: bool = False
    mark: Any = None
    """The value of another ``order`` at ``after`` or ``before``: the place is known when that record has gone, too."""


@dataclass(frozen=True, slots=True)
class Page:
    """The records, and whether there are more on either side."""

    records: list[Any]
    more_after: bool
    more_before: bool
