"""What an operator may choose: the table ``[callback]`` of ``ringback.toml`` (callback-voicemail.md §5, §10)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from ringback.callbacks.calendar import Calendar, read_calendar
from ringback.kernel.setting import SettingsError, meant, number, refusal

MOST_LOOKUPS = 1000
BOUNDS: Mapping[str, tuple[float, float]] = {
    "lookup_limit": (1, MOST_LOOKUPS),
    "lookup_tries": (1, 10),
    "min_backoff": (0, 60_000),
    "max_backoff": (0, 60_000),
    "sweep_seconds": (1, math.inf),
}
"""Least and greatest value; what is not named here is 0 or more."""
_REGION = re.compile(r"[A-Z]{2}\Z")
FEATURE = "/features/callback-and-voicemail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """All choices with their defaults."""

    workflow_sid: str = ""
    """Workflow of callbacks that name none and come from no task; empty: the one that is called "Callback"."""
    workspace_sid: str = ""
    """Empty: found by the workflow, else the account's first workspace."""
    retain_place: bool = True
    """A callback keeps the caller's place in line (virtual start time)."""
    retain_routing: bool = True
    """It inherits attributes, workflow, channel, priority and timeout of the caller's task."""
    allow_alternate_number: bool = True
    """The menu offers to be called back at another number."""
    allow_voicemail: bool = True
    """The menu offers to leave a message."""
    transcribe: bool = True
    """Messages are written down."""
    lookup: Literal["auto", "list", "evaluate"] = "auto"
    """How the waiting task is found: ``evaluate`` asks for the attribute call_sid (Ringback has an index; the hosted
    service allows about 3 such requests a second), ``list`` reads the newest tasks; ``auto``: ``evaluate``
    here, ``list`` at another base_url."""
    lookup_limit: int = 50
    """How many of the newest tasks ``list`` looks through."""
    lookup_tries: int = 8
    """How often a task that is not there yet is looked for at once (8: for 1.3 s); then again in every round."""
    voice: str = ""
    """Of every ``<Say>``; empty: the account's."""
    language: str = "en-US"
    """Of callers whose URL has no ``language``."""
    regions: Mapping[str, str] = field(default_factory=dict)
    """Number of ours → country (ISO-2) whose national numbers its callers key; else the country of the number, else
    ``home_country``. ``[callback.regions]``"""
    music_url: str = ""
    """About 30 s, absolute or relative to the feature; empty: music of our own."""
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Language → name → text, over the built-in ones: ``[callback.texts.de-DE]``."""
    max_attempts: int = 3
    """Calls that one callback may come to; 0: no limit."""
    delays: tuple[float, ...] = ()
    """Seconds that attempt 1, 2 … is parked by the feature; the last holds for the rest. Empty: at once, and the
    workflow parks it (callback-voicemail.md §7)."""
    retain_place_on_retry: bool = False
    """A re-queued callback keeps its virtual start time; else it goes to the end of the line."""
    caller_id: str = ""
    """Caller ID of return calls when the customer had called a SIP address."""
    auto_select: bool = True
    """After the return call the desktop goes back to the callback's task."""
    release_queue_sid: str = ""
    """Scheduled and delayed callbacks are let go only as workers of this queue are free; empty: when due."""
    release_reserve: int = 0
    """Free workers of that queue who are left to live callers."""
    time_zone: str = "UTC"
    """IANA zone of the business (``mainTimeZone``, business hours)."""
    hours: Mapping[str, str] = field(default_factory=dict)
    """Weekday → ``09:00-12:00,13:00-17:00``; empty: always open. ``[callback.hours]``"""
    holidays: tuple[str, ...] = ()
    """Closed days, YYYY-MM-DD."""
    base_url: str = ""
    """The REST API to use; empty: this Ringback. ``twilio``: the hosted service."""
    account_sid: str = ""
    """Credentials at base_url; empty: the first account's."""
    auth_token: str = field(default="", repr=False)
    """As above; also checks the signatures of the requests that come from there."""
    retry_limit: int = 5
    """Repetitions of a REST request (callback-voicemail.md §3)."""
    min_backoff: float = 100.0
    """Milliseconds."""
    max_backoff: float = 300.0
    """Milliseconds."""
    sweep_seconds: float = 30.0
    """How often unfinished work is looked at again."""
    own_url: str = ""
    """Where this feature is reached; set by the composition root."""
    home: str = "US"
    """The home country (ISO-2); set by the composition root."""

    @property
    def feature_url(self) -> str:
        """The feature's own base, without a trailing slash."""
        return self.own_url + FEATURE

    @property
    def wait_url(self) -> str:
        """Of the wait experience."""
        return f"{self.feature_url}/studio/wait-experience"

    @property
    def music(self) -> str:
        """What is played between the prompts."""
        if not self.music_url:
            return f"{self.feature_url}/assets/wait-music.wav"
        if "://" in self.music_url:
            return self.music_url
        return f"{self.own_url}/{self.music_url.lstrip('/')}"

    @property
    def calendar(self) -> Calendar:
        """When the business is open."""
        return read_calendar(self.time_zone, self.hours, self.holidays)

    @property
    def evaluates(self) -> bool:
        """Whether tasks are found by expression."""
        return self.lookup == "evaluate" or (self.lookup == "auto" and not self.base_url)


def read_options(table: Mapping[str, Any], own_url: str, home: str = "US") -> Options:
    """Read and check the table; raises ``ValueError`` with the name and value of what is wrong, and what to write."""
    hints = get_type_hints(Options)
    known = {one.name for one in fields(Options)} - {"own_url", "home"}
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name not in known:
            raise SettingsError(f"[callback] {name}: there is no such key{meant(name, known)}")
        values[name] = _read(f"[callback] {name}", hints[name], value, BOUNDS.get(name, (0, math.inf)))
    options = Options(**values, own_url=own_url.rstrip("/"), home=home)
    if options.min_backoff > options.max_backoff:
        write = f"at most max_backoff, which is {options.max_backoff:g}"
        raise refusal("[callback] min_backoff", options.min_backoff, write)
    for number_of_ours, region in options.regions.items():
        if not _REGION.match(region):
            raise refusal(f"[callback.regions] {number_of_ours}", region, "a country such as US or DE")
    try:
        _ = options.calendar
    except SettingsError:
        raise
    except ValueError as error:
        what = str(error)
        raise SettingsError(
            what if what.startswith("[callback") else f"[callback] time_zone: {what}"
        ) from None
    return options


def _read(name: str, hint: Any, value: Any, bounds: tuple[float, float]) -> Any:
    """One value as the annotation of its field says."""
    origin = get_origin(hint)
    if hint is bool and isinstance(value, bool):
        return value
    if hint in (int, float) and isinstance(value, int | float):
        return number(name, value, hint.__name__, bounds)
    if hint is str and isinstance(value, str):
        return value
    if origin is Literal and value in get_args(hint):
        return value
    if origin is tuple and isinstance(value, list | tuple):
        return tuple(_read(name, get_args(hint)[0], one, bounds) for one in value)
    if origin not in (None, tuple, Literal) and isinstance(value, Mapping):
        inner = get_args(hint)[1]
        return {str(key): _read(f"{name} {key}", inner, one, bounds) for key, one in value.items()}
    if origin is Literal:
        raise refusal(name, value, f"one of {', '.join(get_args(hint))}")
    wanted = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", tuple: "a list"}
    secret = name.endswith("token")
    raise refusal(name, value, wanted.get(origin or hint, "a table"), secret=secret)
