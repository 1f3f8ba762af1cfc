"""Records as JSON: which keys, dates, numbers as strings, and links (rest-conventions.md §3, §7)."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from ringback.kernel.resource import Field, Noun, Place, pascal, snake
from ringback.web.rest.links import Links

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SEGMENTS = {"sip": "SIP", "siprec": "Siprec", "balance": "Balance", "usage": "Usage"}

Show = Callable[[Any], Any]


@functools.lru_cache(4096)
def _rfc2822(seconds: int) -> str:
    t = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    day, month = _DAYS[t.weekday()], _MONTHS[t.month - 1]
    return f"{day}, {t.day:02d} {month} {t.year:04d} {t.hour:02d}:{t.minute:02d}:{t.second:02d} +0000"


@functools.lru_cache(4096)
def _iso8601(seconds: int) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc2822(seconds: float | None) -> str | None:
    """``Fri, 18 Oct 2019 17:00:00 +0000``; None stays None."""
    return None if seconds is None else _rfc2822(int(seconds))


def iso8601(seconds: float | None) -> str | None:
    """``2019-10-18T17:00:00Z``; None stays None."""
    return None if seconds is None else _iso8601(int(seconds))


def path_segment(link: str) -> str:
    """``user_defined_messages`` → ``UserDefinedMessages``."""
    return _SEGMENTS.get(link, pascal(link))


def _nested(shape: Sequence[Field]) -> Show:
    """Shows every key of a nested object, those that have no value too."""
    inner = [
        (part.key, part.name, _nested(part.shape) if part.shape else None, part.initial) for part in shape
    ]

    def show(value: Any) -> Any:
        found = {}
        for key, name, turn, initial in inner if value is not None else ():
            one = value[name] if name in value else initial()
            found[key] = one if turn is None else turn(one)
        return None if value is None else found

    return show


class View:
    """One place's way to show its records."""

    def __init__(self, noun: Noun, place: Place, public_url: str) -> None:
        self.noun = noun
        self.place = place
        self._site = public_url
        self._base = f"{public_url}/{place.product}"
        ending = ".json" if place.classic else ""
        self._below = [(link, f"/{path_segment(link)}{ending}") for link in place.links]

    @functools.cached_property
    def shown(self) -> dict[str, str]:
        """JSON key → attribute."""
        if self.place.show is not None:
            return dict(self.place.show)
        return {field.key: field.name for field in self.noun.fields if not field.hidden}

    @functools.cached_property
    def _parts(self) -> list[tuple[str, str, Show | None]]:
        """Key, attribute, how it is shown."""
        return [(key, name, self._turn(name)) for key, name in self.shown.items()]

    @functools.cached_property
    def _listed(self) -> list[tuple[str, str, Show | None]]:
        """The same in a list."""
        return [part for part in self._parts if not self.noun.by_name[part[1]].detail]

    @functools.cached_property
    def _elsewhere(self) -> Links | None:
        links = self.place.links
        return Links(links, self._base) if isinstance(links, Mapping) else None

    def _turn(self, name: str) -> Show | None:
        if self.noun.by_name[name].shape:
            return _nested(self.noun.by_name[name].shape)
        wire = self.place.wires.get(name, self.noun.by_name[name].wire)
        if not isinstance(wire, str):
            table = dict(wire)
            return lambda value: table.get(value, value)
        if wire == "date":
            return rfc2822 if self.place.classic else iso8601
        if wire == "string":
            return lambda value: None if value is None else str(value)
        if wire == "link":
            return lambda value: self._site + value if value else value
        if wire == "text":
            return lambda value: None if value is None else msgspec.json.encode(value).decode()
        return None

    def path(self, record: Any, args: Mapping[str, str]) -> str:
        """Path of one record, without suffix."""
        return f"{self.list_path(record, args)}/{record.sid}"

    def list_path(self, record: Any, args: Mapping[str, str]) -> str:
        """Path of the list at this place. The parts come from the request, or from the record."""
        path = self.place.path
        for name in self.place.parents:
            value = args.get(name)
            if value is None:
                value = getattr(record, snake(name), None) or ""
            path = path.replace("{" + name + "}", value)
        return path

    def body(self, record: Any, args: Mapping[str, str], *, detail: bool = True) -> dict[str, Any]:
        """The JSON object of a record."""
        return self._body(record, self._parts if detail else self._listed, self.path(record, args))

    def bodies(self, records: Sequence[Any], args: Mapping[str, str]) -> list[dict[str, Any]]:
        """Those of a list."""
        if not all(name in args for name in self.place.parents):
            return [self.body(record, args, detail=False) for record in records]
        path = self.list_path(None, args)
        return [self._body(record, self._listed, f"{path}/{record.sid}") for record in records]

    def _body(self, record: Any, parts: list[tuple[str, str, Show | None]], path: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, name, turn in parts:
            value = getattr(record, name)
            found[key] = value if turn is None else turn(value)
        if self.place.classic:
            found["uri"] = path + ".json"
            if self._below:
                found["subresource_uris"] = {link: path + below for link, below in self._below}
        else:
            url = found["url"] = self._base + path
            if self._elsewhere is not None:
                found["links"] = self._elsewhere.of(record)
            elif self._below:
                found["links"] = {link: url + below for link, below in self._below}
        return found

    def stored(self, name: str, shown: str) -> tuple[Any, ...]:
        """The stored values that are shown as ``shown`` (for filters)."""
        wire = self.place.wires.get(name, self.noun.by_name[name].wire)
        if isinstance(wire, str):
            return (shown,)
        matching = [stored for stored, text in wire.items() if text == shown]
        if shown not in wire and self.noun.by_name[name].kind == "str":
            matching.append(shown)
        return tuple(matching)
