"""The guard against requests to private addresses (SSRF).

It is the resolver of the connection pool, so what was checked is what is connected to: a name that changes
its address between check and connection (DNS rebinding) gains nothing. Redirects pass here as well.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any, Final

from aiohttp.abc import AbstractResolver, ResolveResult

from ringback.sharing.seats import Full, Seats
from ringback.web.webhooks.target import Target

# Ports of services that a line of HTTP could talk to by mistake (after the Fetch standard's bad ports).
BAD_PORTS: Final = frozenset(
    {1, 7, 9, 13, 19, 21, 22, 23, 25, 53, 110, 111, 119, 135, 139, 143, 445, 465, 587, 993, 995}
)
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
MAX_ADDRESSES: Final = 16
LOOK_UPS: Final = 32
"""Host names that are looked up at a time, each in a thread; a quarter is never one account's alone, so that the slow
name servers of one do not hold up others."""
LONGEST_LINE: Final = 1000
"""Look-ups of one account that may wait."""
RESOLVING_FOR: ContextVar[str] = ContextVar("RESOLVING_FOR", default="")
"""The account for which the present task sends: the pool asks its resolver for a name and tells no more."""


class Forbidden(OSError):
    """The guard refused; the text names the setting that would allow it."""


def is_public(address: str) -> bool:
    """Whether an address literal is one that anybody on the internet may be sent to.

    False for private, loopback, link-local (so also for cloud metadata), multicast, reserved and unspecified
    ones, and for IPv6 forms that carry such an IPv4 address (mapped, 6to4, Teredo, NAT64). Raises ValueError
    if it is no address.
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = [found.ipv4_mapped, found.sixtofour, *(found.teredo or ())]
        if found in _NAT64:
            inner.append(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF))
        if any(one is not None and not is_public(str(one)) for one in inner):
            return False
        if found.ipv4_mapped is not None:
            return True
        if found.is_site_local:
            return False
    return found.is_global and not found.is_multicast and not found.is_reserved


class Guard(AbstractResolver):
    """Resolves host names for the pool and refuses what must not be reached.

    With `allow_private` every address and port passes (RINGBACK_ALLOW_PRIVATE_WEBHOOKS).
    """

    def __init__(self, *, allow_private: bool, seconds: float = 5.0) -> None:
        self._allow = allow_private
        self._seconds = seconds
        self._seats = Seats(LOOK_UPS, reserve=LOOK_UPS // 4, longest=LONGEST_LINE)
        self._threads: ThreadPoolExecutor | None = None
        self._looking: set[asyncio.Task[Any]] = set()

    def check(self, target: Target) -> None:
        """Refuse bad ports and address literals, which the pool never resolves. Raises `Forbidden`."""
        if self._allow:
            return
        if target.port in BAD_PORTS:
            raise Forbidden(f"Port {target.port} belongs to another service and is not requested.")
        try:
            # inet_aton reads all forms that the C library and aiohttp connect to without asking the resolver:
            # "2130706433", "0x7f.1", "0177.0.0.1".
            literal = socket.inet_ntoa(socket.inet_aton(target.host))
        except (OSError, UnicodeError, ValueError):
            literal = target.host
        try:
            public = is_public(literal)
        except ValueError:
            # A name: `resolve` checks what it leads to.
            return
        if not public:
            raise self._refusal(target.host)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Addresses of `host`; raises `Forbidden` if any of them is private, OSError if there is none."""
        found = await self._within_time(host, port, family)
        answers: list[ResolveResult] = []
        for kind, _, protocol, _, address in found[:MAX_ADDRESSES]:
            literal = str(address[0])
            if not self._allow and not is_public(literal):
                raise self._refusal(host)
            answers.append(
                {
                    "hostname": host,
                    "host": literal,
                    "port": port,
                    "family": kind,
                    "proto": protocol,
                    "flags": socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
                }
            )
        if not answers:
            raise OSError(f"{host} has no address")
        return answers

    async def close(self) -> None:
        """End the threads that look up; a later look-up starts others."""
        threads, self._threads = self._threads, None
        if threads is not None:
            threads.shutdown(wait=False, cancel_futures=True)

    async def _within_time(self, host: str, port: int, family: int) -> Any:
        """The answer of the system's resolver; raises OSError, also when it takes too long."""
        task = asyncio.get_running_loop().create_task(self._looked_up(host, port, family))
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)
        try:
            await asyncio.wait([task], timeout=self._seconds)
            if task.done():
                return task.result()
        finally:
            task.cancel()
        # With an errno, so that the pool reports a name failure (11210), not the end of the total.
        raise OSError(errno.ETIMEDOUT, f"{host[:100]} was not resolved in time")

    async def _looked_up(self, host: str, port: int, family: int) -> Any:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(LOOK_UPS, thread_name_prefix="look-up")
        try:
            async with self._seats.of(RESOLVING_FOR.get()):
                work = asyncio.get_running_loop().run_in_executor(
                    self._threads, _addresses, host, port, family
                )
                try:
                    return await asyncio.shield(work)
                except asyncio.CancelledError:
                    # A thread cannot be stopped: it keeps its seat until it is done, and nobody asks with what.
                    await asyncio.gather(work, return_exceptions=True)
                    raise
        except Full as full:
            raise OSError(errno.EBUSY, f"{host[:100]}: too many names are looked up: {full}") from full

    def _refusal(self, host: str) -> Forbidden:
        return Forbidden(
            f"{host[:100]} is at a private address, and webhooks may not go there. "
            "Set RINGBACK_ALLOW_PRIVATE_WEBHOOKS=true to allow it."
        )


def _addresses(host: str, port: int, family: int) -> Any:
    """Blocking; raises ``OSError``."""
    return socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
