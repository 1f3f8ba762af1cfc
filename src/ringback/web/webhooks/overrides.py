"""Connection overrides: `#ct=2000&rc=2&rp=ct,5xx` at the end of a webhook URL (webhooks sheet, 4, 5).

Pure.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urldefrag

RETRY_POLICIES: Final = frozenset({"4xx", "5xx", "ct", "rt", "all"})
# key → (lowest, highest); milliseconds, except rc which counts retries
RANGES: Final = {"ct": (100, 10_000), "rt": (100, 15_000), "tt": (100, 15_000), "rc": (0, 5)}
_FIELDS: Final = {"ct": "connect_ms", "rt": "read_ms", "tt": "total_ms", "rc": "retries"}


@dataclass(frozen=True, slots=True)
class Trouble:
    """One debugger entry: an error or warning number of the errors sheet, and a sentence for a person."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Overrides:
    """How long one webhook may take and when it is tried again; the defaults are the platform's.

    `connect_ms` covers TCP and TLS, `read_ms` the wait for the first byte and between packets, `total_ms`
    everything with all retries. `sni` and `edges` are read and kept, but change nothing: Python's TLS ties
    the certificate check to SNI, and there is one edge.
    """

    connect_ms: int = 5_000
    read_ms: int = 15_000
    total_ms: int = 15_000
    retries: int = 1
    retry_on: frozenset[str] = frozenset({"ct"})
    sni: bool = True
    edges: tuple[str, ...] = ()

    def retries_after(self, failure: str) -> bool:
        """Whether a failure class (`ct`, `rt`, `4xx`, `5xx`) is one that the policy tries again."""
        return failure in RETRY_POLICIES and (failure in self.retry_on or "all" in self.retry_on)


DEFAULTS: Final = Overrides()


@functools.lru_cache(1024)
def parse_overrides(url: str) -> tuple[Overrides, tuple[Trouble, ...]]:
    """Read the fragment of `url`.

    Unknown keys are ignored; a value out of its range or not understood keeps the default and yields a
    Trouble with code 11243. A later pair wins over an earlier one of the same key.
    """
    fragment = urldefrag(url).fragment
    if not fragment:
        return DEFAULTS, ()
    found = DEFAULTS
    troubles: list[Trouble] = []
    for pair in fragment.split("&")[:32]:
        key, separator, value = pair.partition("=")
        if not separator:
            continue
        if key in _FIELDS:
            low, high = RANGES[key]
            number = int(value) if value.isascii() and value.isdigit() and len(value) < 7 else -1
            if low <= number <= high:
                found = replace(found, **{_FIELDS[key]: number})  # type: ignore[arg-type]
            else:
                troubles.append(_bad(key, value, f"a whole number from {low} to {high}"))
        elif key == "rp":
            policies = frozenset(value.split(","))
            if policies <= RETRY_POLICIES:
                found = replace(found, retry_on=policies)
            else:
                troubles.append(_bad(key, value, "a list of " + ", ".join(sorted(RETRY_POLICIES))))
        elif key == "sni":
            if value in ("y", "n"):
                found = replace(found, sni=value == "y")
            else:
                troubles.append(_bad(key, value, "y or n"))
        elif key == "e":
            found = replace(found, edges=tuple(edge for edge in value.split(",") if edge)[:16])
    return found, tuple(troubles)


def _bad(key: str, value: str, wanted: str) -> Trouble:
    return Trouble(11243, f"Connection override {key}={value[:40]!r} is not {wanted}; the default is used.")
