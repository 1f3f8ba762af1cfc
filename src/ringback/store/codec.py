"""Records to rows and back: tuples in the order of the columns, without reflection per row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import msgspec

from ringback.kernel.resource import Record

_dump = msgspec.json.Encoder().encode
_load = msgspec.json.Decoder().decode


def encoder(record: type[Record]) -> Callable[[Any], tuple[Any, ...]]:
    """Make the function that turns a record into the values of its columns.

    NUL characters are taken out of texts (PostgreSQL cannot store them).
    """
    fields = record.__noun__.fields
    pick = attrgetter(*(field.name for field in fields))
    texts = tuple(index for index, field in enumerate(fields) if field.kind == "str")
    json = tuple(index for index, field in enumerate(fields) if field.kind == "json")

    def encode(one: Any) -> tuple[Any, ...]:
        values: tuple[Any, ...] = pick(one)
        row = list(values)
        for index in json:
            if row[index] is not None:
                row[index] = _dump(row[index]).decode()
        for index in texts:
            if row[index] is not None and "\0" in row[index]:
                row[index] = row[index].replace("\0", "")
        return tuple(row)

    return encode


def decoder(record: type[Record]) -> Callable[[Sequence[Any]], Any]:
    """Make the function that turns a row into a record. Rows come from either database."""
    fields = record.__noun__.fields
    names = tuple(field.name for field in fields)
    turns: list[tuple[int, Callable[[Any], Any]]] = []
    for index, field in enumerate(fields):
        if field.model is not None:
            # Not strict: numbers and truth values that were once written as texts are read as what they mean.
            turns.append((index, msgspec.json.Decoder(field.model, strict=False).decode))
        elif field.kind == "json":
            turns.append((index, _load))
        elif field.kind == "bool":
            turns.append((index, bool))

    def decode(row: Sequence[Any]) -> Any:
        values = list(row)
        for index, turn in turns:
            if values[index] is not None:
                values[index] = turn(values[index])
        return record(**dict(zip(names, values, strict=True)))

    return decode
