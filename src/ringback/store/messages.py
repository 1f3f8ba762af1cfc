"""Messages between lanes as rows, and back: which events may travel, by their names."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping

import msgspec

from ringback import events
from ringback.events import Event

_dump = msgspec.json.Encoder().encode


@functools.cache
def travelling() -> Mapping[str, type[Event]]:
    """Every event by the name of its class."""
    modules = [events]
    for each in pkgutil.iter_modules(events.__path__, events.__name__ + "."):
        modules.append(importlib.import_module(each.name))
    found: dict[str, type[Event]] = {}
    for name, value in (pair for module in modules for pair in vars(module).items()):
        if (
            isinstance(value, type)
            and issubclass(value, Event)
            and found.setdefault(name, value) is not value
        ):
            raise TypeError(f"two events are called {name}")
    return found


@functools.cache
def _decoder(name: str) -> msgspec.json.Decoder[Event]:
    return msgspec.json.Decoder(travelling()[name])


def dump(event: Event) -> tuple[str, str]:
    """The name and the body of a row."""
    return type(event).__name__, _dump(event).decode()


def load(name: str, body: str) -> Event:
    """The event of a row. Raises ``KeyError`` or ``msgspec.ValidationError`` for one of another version."""
    return _decoder(name).decode(body)
