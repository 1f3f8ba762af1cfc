"""What may be written for a setting, and the words in which anything else is refused.

Each function takes the setting's name as people write it (``RINGBACK_HTTP``, ``[phone.alice] password``) and what was
written, and returns the value or raises :class:`SettingsError`, which says name, value and what to write instead.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

LONGEST_SHOWN: Final = 100
"""Characters of a bad value that a message repeats."""

GREATEST: Final = 2.0**53
"""No setting counts further."""
BOUNDS: Final[Mapping[str, tuple[float, float]]] = {
    "media_workers": (1, 64),
    "media_megabytes": (0.001, math.inf),
    "transcription_workers": (0, 64),
    "transcription_queue": (1, 1_000_000),
    "time_limit": (1, 86_400),
    "documents_per_minute": (1, 1_000_000),
    **dict.fromkeys(("speech_workers", "sound_workers"), (1, 64)),
    **dict.fromkeys(("webhook_connections", "api_requests"), (1, 1_000_000)),
    **dict.fromkeys(("http_head_bytes", "http_body_bytes"), (1024, math.inf)),
    **dict.fromkeys(("http_head_seconds", "http_body_seconds", "http_idle_seconds"), (0.05, math.inf)),
    **dict.fromkeys(("sip_message_seconds", "sip_idle_seconds"), (0.05, math.inf)),
}
"""Least and greatest value of a number; what is not named here is 0 or more."""

HOST: Final = r"\[?[A-Za-z0-9_][A-Za-z0-9._:-]{0,252}\]?"
"""A host name or an address, perhaps with a port; the name service knows the rest."""
ACCOUNT: Final = (r"AC[0-9a-f]{32}", "AC and 32 of the characters 0-9 and a-f")
SECRET: Final = (r"[!-~]{1,128}", "1 to 128 printable ASCII characters without blanks")

FORMS: Final[Mapping[str, tuple[str, str]]] = {
    "account_sid": ACCOUNT,
    "test_account_sid": ACCOUNT,
    "auth_token": SECRET,
    "test_auth_token": SECRET,
    "database_url": (
        r"(sqlite:///|postgres(ql)?://)[^\s\x00-\x1f]+",
        "postgresql://user:password@host/name, or sqlite:///path",
    ),
    "turn_secret": SECRET,
    "bus_url": (r"nats://[!-~]+", "nothing: one process is all there is now"),
    "home_country": (r"[A-Z]{2}", "an ISO code, such as US"),
    "sip_external_host": (HOST, "a host name or an address, such as 203.0.113.7"),
    "transcription_engine": (r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", "package.module:Class"),
    "default_number": (r"\+[1-9][0-9]{1,14}", "a number such as +15550100, or off"),
}
"""Setting → the form of a text that is not empty, and what to write."""


class SettingsError(ValueError):
    """A setting that cannot be used; the message names it and says what to write instead."""


def refusal(name: str, value: Any, write: str, *, secret: bool = False) -> SettingsError:
    """The error for a value; ``write``: what to write instead. A secret is not repeated."""
    return SettingsError(f"{name}={'…' if secret else repr(shown(str(value)))}: write {write}")


def number(name: str, value: Any, kind: str, bounds: tuple[float, float] = (0, math.inf)) -> int | float:
    """A number (``kind`` is ``int`` or ``float``) within its bounds."""
    low, high = bounds
    what = "a whole number" if kind == "int" else "a number"
    write = f"{what}, {low:g} or more" if high == math.inf else f"{what} from {low:g} to {high:g}"
    try:
        if isinstance(value, bool):
            raise ValueError
        found = int(str(value).strip()) if kind == "int" else float(str(value).strip())
    except ValueError:
        raise refusal(name, value, write) from None
    if not low <= found <= min(high, GREATEST):  # nor is it nan or inf
        raise refusal(name, value, write)
    return found


def truth(name: str, value: Any) -> bool:
    """``true`` or ``false``, as people and TOML write them."""
    text = str(value).strip().lower()
    if text in ("true", "1", "yes", "on"):
        return True
    if text in ("false", "0", "no", "off"):
        return False
    raise refusal(name, value, "true or false")


def choice(name: str, value: Any, choices: Iterable[str]) -> str:
    """One of some words; capital letters do not matter."""
    known = {one.lower(): one for one in choices}
    found = known.get(str(value).strip().lower())
    if found is None:
        raise refusal(name, value, f"one of {', '.join(known.values())}")
    return found


def text(name: str, value: Any, *, secret: bool = False) -> str:
    """A text of one line."""
    if not isinstance(value, str) or any(one < " " or one == "\x7f" for one in value):
        raise refusal(name, value, "a text of one line", secret=secret)
    return value


def texts(name: str, value: Any) -> tuple[str, ...]:
    """A list of texts."""
    if not isinstance(value, list | tuple):
        raise refusal(name, value, 'a list of texts, such as ["+15550100"]')
    return tuple(text(name, one) for one in value)


def formed(name: str, value: str, form: tuple[str, str], *, secret: bool = False) -> str:
    """A text of a form (see :data:`FORMS`); an empty one says nothing and is left as it is."""
    if value and not re.fullmatch(form[0], value):
        raise refusal(name, value, form[1], secret=secret)
    return value


def meant(name: str, known: Iterable[str]) -> str:
    """``: did you mean …?`` when one of the known names is much like this one; else nothing."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.75)
    return f": did you mean {near[0]}?" if near else ""


def unknown_variables(environ: Mapping[str, str], known: Iterable[str]) -> list[str]:
    """A sentence for each variable that begins with ``RINGBACK_`` and is none of the known ones."""
    names = set(known)
    return [
        f"{name} is no setting{meant(name, names) or '; docs/settings.md lists them all'}"
        for name in sorted(environ)
        if name.startswith("RINGBACK_") and name not in names
    ]


def shown(value: str) -> str:
    """A value as it may be shown: not too long, a URL without what signs in."""
    hidden = re.sub(r"//[^/@\s]*@", "//…@", value)
    return hidden if len(hidden) <= LONGEST_SHOWN else hidden[:LONGEST_SHOWN] + "…"
