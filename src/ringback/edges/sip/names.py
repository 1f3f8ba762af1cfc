"""Host names of the addresses that calls go to (RFC 3263, as far as A and AAAA records go: no SRV, no NAPTR)."""

import asyncio
from collections.abc import Callable

from ringback.edges.sip.counters import SipCounters

_LOOK_UP_SECONDS = 5.0
_KEPT_SECONDS = 60.0
_MOST = 1000


class Names:
    """Looks names up without stopping anybody, and remembers them for a minute. `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float], counters: SipCounters) -> None:
        self._clock = clock
        self._counters = counters
        self._known: dict[str, tuple[float, list[str]]] = {}
        self._running: set[asyncio.Task[None]] = set()

    def look_up(
        self, name: str, port: int, reaches: Callable[[str], bool], then: Callable[[str | None], None]
    ) -> None:
        """Call `then` with an address, now or later: one that `reaches` accepts if there is any, IPv4 before IPv6.

        None: the name is not known, or nobody says so in time.
        """
        known = self._known.get(name)
        if known is not None and known[0] > self._clock():
            then(_best(known[1], reaches))
            return
        task = asyncio.get_running_loop().create_task(self._ask(name, port, reaches, then))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _ask(
        self, name: str, port: int, reaches: Callable[[str], bool], then: Callable[[str | None], None]
    ) -> None:
        try:
            async with asyncio.timeout(_LOOK_UP_SECONDS):
                found = await asyncio.get_running_loop().getaddrinfo(name, port)
        except (OSError, TimeoutError, UnicodeError):
            self._counters.dropped["dns"] += 1
            then(None)
            return
        if len(self._known) > _MOST:
            self._known.clear()
        addresses = [str(entry[4][0]) for entry in found]
        self._known[name] = (self._clock() + _KEPT_SECONDS, addresses)
        then(_best(addresses, reaches))

    async def close(self) -> None:
        """Give up what is being looked up."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


def _best(addresses: list[str], reaches: Callable[[str], bool]) -> str:
    return min(addresses, key=lambda address: (not reaches(address), ":" in address))
