"""Bad credentials: who sends many is slowed, and the log has a line a minute for each source, not one a request."""

import ipaddress
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger("ringback.sip")

BURST = 20
"Failures that a source may have at once: an office behind one address, whose phones all have an old password."
SECONDS_EACH = 2.0
"After those, one more each so many seconds."
SUM_UP = 60.0
MAX_SOURCES = 10_000
_OTHERS = "other sources"


@dataclass(slots=True)
class _Source:
    left: float
    at: float
    untold: int = 0


class Failures:
    """Failures by source address (of IPv6 by its /64, which one machine has to itself), bounded.

    `clock` gives monotonic seconds, `after(seconds, action)` runs an action later.
    """

    def __init__(
        self, clock: Callable[[], float], after: Callable[[float, Callable[[], None]], object]
    ) -> None:
        self._clock = clock
        self._after = after
        self._sources: dict[str, _Source] = {}

    def wait(self, host: str) -> int:
        """Whole seconds for which credentials from there are not looked at; 0: they are."""
        source = self._sources.get(self._key(host))
        if source is None:
            return 0
        self._refill(source)
        return 0 if source.left >= 1 else math.ceil((1 - source.left) * SECONDS_EACH)

    def note(self, method: str, host: str, port: int) -> None:
        """A request with bad credentials came."""
        key = self._key(host)
        source = self._sources.get(key)
        if source is None:
            log.info("%s from %s:%d with bad credentials", method, host, port)
            source = self._sources[key] = _Source(BURST, self._clock())
            self._after(SUM_UP, lambda: self._sum_up(key))
        else:
            source.untold += 1
        self._refill(source)
        source.left = max(0.0, source.left - 1)

    def _key(self, host: str) -> str:
        key = host
        if ":" in host:
            key = str(ipaddress.IPv6Network((host.partition("%")[0], 64), strict=False))
        return key if key in self._sources or len(self._sources) < MAX_SOURCES else _OTHERS

    def _refill(self, source: _Source) -> None:
        now = self._clock()
        source.left = min(BURST, source.left + (now - source.at) / SECONDS_EACH)
        source.at = now

    def _sum_up(self, key: str) -> None:
        source = self._sources[key]
        self._refill(source)
        if not source.untold and source.left >= BURST:
            del self._sources[key]
            return
        if source.untold:
            log.info("%s: %d more with bad credentials in %d s", key, source.untold, SUM_UP)
            source.untold = 0
        self._after(SUM_UP, lambda: self._sum_up(key))
