"""Phones register here: the registrar's table, made durable before a phone is told that it is registered."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from ringback.edges.sip.registrar import MAX_EXPIRES, MOST_AHEAD, Binding, Registered, Registrar
from ringback.edges.sip.transport import Source
from ringback.kernel.errors import Refused
from ringback.sip.message import Request

log = logging.getLogger("ringback.sip")

STORE_SECONDS = 10.0
"""A phone waits no longer for the store; it repeats its REGISTER for 32 seconds."""
Contact = Mapping[str, Any]
"""What is stored of a binding: `phone`, `contact`, `next_hop`, `transport`, `quality`, `expires` (Unix seconds),
`sip_call_id`, `cseq`."""
Answer = Callable[[int, Sequence[tuple[str, str]]], None]


class Kept(Protocol):
    """The store, as far as phones need it."""

    async def load(self) -> Sequence[Contact]:
        """Everything stored, also what has expired."""

    async def keep(self, saved: Sequence[Contact], gone: Sequence[Contact]) -> None:
        """Write and delete together; returns when it is durable. May raise anything."""


class Phones:
    """The registrar with its store; without one (`kept` is None) a restart forgets every phone.

    After a restart phones that registered over UDP are reachable at once, where they were heard last. Over TCP
    and TLS they are not: their connection died with the server. They see that, connect and register again.
    """

    def __init__(
        self,
        registrar: Registrar,
        kept: Kept | None,
        *,
        clock: Callable[[], float],
        wall: Callable[[], float],
        allowed: Callable[[str], bool] = lambda user: True,
    ) -> None:
        """`clock` gives monotonic, `wall` Unix seconds; `allowed`: whether a stored phone may still register."""
        self.registrar = registrar
        self._kept = kept
        self._clock = clock
        self._wall = wall
        self._allowed = allowed
        self._writing: set[asyncio.Task[None]] = set()

    async def load(self) -> None:
        """Put back what the last run stored; what has expired, or may not register any more, is deleted."""
        if self._kept is None:
            return
        gone = [row for row in await self._kept.load() if not self._restore(row)]
        if gone:
            await self._kept.keep([], gone)
        if self.registrar.users:
            log.info("phones that are still registered: %d", self.registrar.users)

    def _restore(self, row: Contact) -> bool:
        left = min(row["expires"] - self._wall(), MAX_EXPIRES + MOST_AHEAD)
        if left <= 0 or row["transport"] != "udp" or not self._allowed(row["phone"]):
            return False
        until = self._clock() + left
        binding = Binding(
            contact=row["contact"],
            next_hop=row["next_hop"],
            transport=row["transport"],
            expires_at=until,
            quality=row["quality"],
            call_id=row["sip_call_id"],
            cseq=row["cseq"],
            kept_until=until,
        )
        return self.registrar.restore(row["phone"], binding)

    def register(self, request: Request, source: Source, answer: Answer) -> None:
        """Apply an authorised REGISTER; `answer` is called now, or when what it changes is stored."""
        done = self.registrar.register(request, source, self._clock())
        if self._kept is None or not (done.save or done.drop):
            answer(done.code, done.headers)
            return
        task = asyncio.get_running_loop().create_task(
            self._store(self._kept, request.to.uri.user, done, answer)
        )
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _store(self, kept: Kept, user: str, done: Registered, answer: Answer) -> None:
        try:
            async with asyncio.timeout(STORE_SECONDS):
                await kept.keep(
                    [self._row(user, each) for each in done.save],
                    [self._row(who, each) for who, each in done.drop],
                )
        except Refused:  # the store cannot write now, and has said so once for everybody
            self.registrar.not_stored(user, done.save)
            answer(503, [("Retry-After", "10")])
        except Exception:
            log.exception("the registration of %s could not be stored", user)
            self.registrar.not_stored(user, done.save)
            answer(500, [("Retry-After", "10")])
        else:
            answer(done.code, done.headers)

    def _row(self, user: str, binding: Binding) -> Contact:
        return {
            "phone": user,
            "contact": binding.contact,
            "next_hop": binding.next_hop,
            "transport": binding.transport,
            "quality": binding.quality,
            "expires": self._wall() + binding.kept_until - self._clock(),
            "sip_call_id": binding.call_id,
            "cseq": binding.cseq,
        }

    async def close(self) -> None:
        """Finish what is being written."""
        if self._writing:
            await asyncio.wait(self._writing)
