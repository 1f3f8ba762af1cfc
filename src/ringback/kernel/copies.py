"""Copies of records: what a commit and its listeners get while the live record goes on changing.

A queued call makes about fifty. ``copy.copy`` and ``dataclasses.replace`` walk the fields by name each time and take
some 6 µs for a task; a function written out for the class takes a tenth of that.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any


@functools.cache
def copier(cls: type[Any]) -> Callable[[Any], Any]:
    """A function that makes a shallow copy of an instance of ``cls``, a slotted dataclass."""
    lines = [f"    new.{each.name} = old.{each.name}\n" for each in dataclasses.fields(cls)]
    text = f"def copy(old):\n    new = make(cls)\n{''.join(lines)}    return new\n"
    names: dict[str, Any] = {"make": object.__new__, "cls": cls}
    exec(text, names)  # noqa: S102 - the names of fields, as dataclasses itself does it
    made: Callable[[Any], Any] = names["copy"]
    return made
