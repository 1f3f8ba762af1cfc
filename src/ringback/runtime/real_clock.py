"""The real clock: Unix time of the machine, alarms of the running event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


class _NoHold:
    """Real time cannot be held; everybody shares this one object."""

    __slots__ = ()

    def release(self) -> None:
        """Nothing to do."""


_NO_HOLD = _NoHold()


class RealClock:
    """:class:`~ringback.kernel.clock.Clock` of the machine; alarms need a running event loop."""

    mode = "real"
    advance: None = None
    """Real time moves by itself alone."""

    def now(self) -> float:
        """Unix seconds."""
        return time.time()

    def call_at(
        self, when: float, function: Callable[[], None], *, pulls: bool = True
    ) -> asyncio.TimerHandle:
        """Call ``function`` at ``when``; ``pulls`` means nothing here.

        The distance is measured once, now, and then kept on the loop's monotonic clock: when the
        machine's wall clock is set, pending alarms neither burst nor stall. Must be called in the
        loop's thread; raises ``RuntimeError`` when no loop is running.
        """
        loop = asyncio.get_running_loop()
        return loop.call_later(max(0.0, when - time.time()), function)

    def hold(self) -> _NoHold:
        """Return a hold that holds nothing."""
        return _NO_HOLD
