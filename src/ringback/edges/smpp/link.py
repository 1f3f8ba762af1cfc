"""One connection to an SMSC: binds, sends requests within the window, hands on what comes, sees that it lives.

A link lives once: what reconnects is the channel. A request whose response does not come is told from one that was
never written (:class:`Lost`, :class:`NotSent`): only the second may be sent again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from ringback.kernel.text_carrier import Smpp
from ringback.smpp import pdu
from ringback.smpp.pdu import Frames, Garbage, Unit
from ringback.smpp.statuses import INVALID_COMMAND, OK, QUEUE_FULL, meaning

log = logging.getLogger("ringback.smpp")

CONNECT: Final = 10.0
"""Seconds for the connection, and again for the bind."""
LEAVE: Final = 2.0
"""Seconds that an end waits for responses, and for the one to our unbind."""
MOST_INBOUND: Final = 1000
"""Messages of theirs that are worked on at a time; more are refused for now."""
_READ: Final = 65_536


class NotSent(Exception):
    """There is no connection: the request was not written."""


class Lost(Exception):
    """The request was written, and no response came."""


class BindRefused(OSError):
    """The SMSC does not let us in."""


@dataclass(slots=True)
class Counts:
    """What happened, over all connections of a channel."""

    connected: int = 0
    garbage: int = 0
    unexpected: int = 0
    """Responses that nothing waited for: late, twice, or to nothing."""
    refused_inbound: int = 0


class Link:
    """One connection."""

    def __init__(
        self, setting: Smpp, command: int, number: int, counts: Counts,
        take: Callable[[Unit, Link], Awaitable[int]], read: Callable[[int, float], None],
    ) -> None:  # fmt: skip
        """``command``: which bind. ``take``: what is done with a ``deliver_sm``, gives the status of the response;
        ``read``: they have read all that we wrote by this connection until then. ``number`` tells connections
        apart."""
        self.setting, self.number = setting, number
        self._command, self._counts = command, counts
        self._take, self._told_read = take, read
        self._loop = asyncio.get_running_loop()
        self._frames = Frames()
        self._writer: asyncio.StreamWriter | None = None
        self._sequence = 0
        self._waiting: dict[int, tuple[int, float, asyncio.Future[Unit]]] = {}
        self._window = asyncio.Semaphore(setting.window)
        self._inbound: set[asyncio.Task[None]] = set()
        self._tails: dict[bytes, asyncio.Task[None]] = {}
        self._heard = self._loop.time()
        self._leaving = False
        self.bound = False
        """Whether requests may be sent."""
        self.why = ""
        """Why it ended."""

    async def open(self) -> asyncio.StreamReader:
        """Connect and bind. Raises ``OSError`` (:class:`BindRefused` when they refuse)."""
        setting = self.setting
        tls = ssl.create_default_context(cafile=setting.tls_ca or None) if setting.tls else None
        try:
            async with asyncio.timeout(CONNECT):
                reader, self._writer = await asyncio.open_connection(setting.host, setting.port, ssl=tls)
            async with asyncio.timeout(CONNECT):
                await self._bind(reader)
        except TimeoutError:
            await self._close()
            raise OSError(f"no answer within {CONNECT:g} s") from None
        except Garbage as error:
            self._counts.garbage += 1
            await self._close()
            raise OSError(f"this is no SMPP: {error}") from None
        except BaseException:
            await self._close()
            raise
        return reader

    async def _bind(self, reader: asyncio.StreamReader) -> None:
        setting = self.setting
        self._sequence = 1
        self._write(pdu.bind(self._command, 1, setting.system_id, setting.password, setting.system_type))
        while True:
            data = await reader.read(_READ)
            if not data:
                raise OSError("the connection was closed during the bind")
            units = list(self._frames.feed(data))
            for at, one in enumerate(units):
                if one.command in (self._command | pdu.RESPONSE, pdu.GENERIC_NACK):
                    if one.status != OK or one.command == pdu.GENERIC_NACK:
                        raise BindRefused(f"the bind was refused: {meaning(one.status).name}")
                    self.bound = True
                    self._counts.connected += 1
                    for early in units[at + 1 :]:
                        self._handle(early)
                    return

    async def serve(self, reader: asyncio.StreamReader) -> None:
        """Work until the connection ends; then everything that waits is lost. Never raises for what they do."""
        keeper = self._loop.create_task(self._keep())
        try:
            while not self.why:
                data = await reader.read(_READ)
                if not data:
                    self.why = self.why or "the connection was closed"
                    break
                self._heard = self._loop.time()
                for one in self._frames.feed(data):
                    self._handle(one)
                await self._drain()
        except Garbage as error:
            self._counts.garbage += 1
            self.why = str(error)
        except OSError as error:
            self.why = self.why or str(error) or type(error).__name__
        finally:
            keeper.cancel()
            await self._close()
            if self._inbound:  # they finish; their responses have nowhere to go
                await asyncio.wait(self._inbound, timeout=LEAVE)

    async def request(self, build: Callable[[int], bytes]) -> Unit:
        """Send a request and wait for its response. ``build`` makes it, given its sequence number.

        Raises :class:`NotSent`, :class:`Lost`.
        """
        if not self.bound or self._leaving:
            raise NotSent
        async with self._window:
            if not self.bound or self._leaving:
                raise NotSent
            return await self._exchange(build, self.setting.response_timeout)

    async def _exchange(self, build: Callable[[int], bytes], seconds: float) -> Unit:
        self._sequence = self._sequence % pdu.LAST_SEQUENCE + 1
        sequence, answer = self._sequence, asyncio.Future[Unit]()
        data = build(sequence)
        command = int.from_bytes(data[4:8], "big")
        self._waiting[sequence] = (command, self._loop.time(), answer)
        try:
            if not self._write(data):
                raise NotSent
            async with asyncio.timeout(seconds):
                return await answer
        except TimeoutError:
            raise Lost(f"no response within {seconds:g} s") from None
        finally:
            self._waiting.pop(sequence, None)

    async def leave(self) -> None:
        """End in order: wait a moment for responses, unbind, close."""
        self._leaving = True
        end = self._loop.time() + LEAVE
        while (self._waiting or self._inbound) and self.bound and self._loop.time() < end:
            await asyncio.sleep(0.02)
        if self.bound:
            with contextlib.suppress(Lost, NotSent):
                await self._exchange(lambda sequence: pdu.unit(pdu.UNBIND, sequence), LEAVE)
        self.why = self.why or "stopped"
        await self._close()

    def _handle(self, one: Unit) -> None:
        if one.is_response:
            self._answered(one)
        elif one.command == pdu.DELIVER_SM:
            self._deliver(one)
        elif one.command == pdu.ENQUIRE_LINK:
            self._write(pdu.answer(one))
        elif one.command == pdu.UNBIND:
            self._write(pdu.answer(one))
            self.why = "the SMSC has unbound"
            self.bound = False
        elif one.command != pdu.ALERT_NOTIFICATION:
            self._write(pdu.unit(pdu.GENERIC_NACK, one.sequence, status=INVALID_COMMAND))

    def _answered(self, one: Unit) -> None:
        command, written, answer = self._waiting.get(one.sequence, (0, 0.0, None))
        if answer is None or answer.done() or one.command not in (command | pdu.RESPONSE, pdu.GENERIC_NACK):
            self._counts.unexpected += 1
            return
        answer.set_result(one)
        self._told_read(self.number, written)

    def _deliver(self, one: Unit) -> None:
        if len(self._inbound) >= MOST_INBOUND:
            self._counts.refused_inbound += 1
            self._write(pdu.answer(one, QUEUE_FULL))
            return
        key = pdu.sender(one)
        task = self._loop.create_task(self._delivered(one, self._tails.get(key) if key else None))
        if key:
            self._tails[key] = task
        self._inbound.add(task)

        def over(done: asyncio.Task[None]) -> None:
            self._inbound.discard(done)
            if self._tails.get(key) is done:
                del self._tails[key]

        task.add_done_callback(over)

    async def _delivered(self, one: Unit, before: asyncio.Task[None] | None) -> None:
        """One after the other of each sender: what they wrote first comes first."""
        if before is not None:
            await asyncio.wait({before})
        status = await self._take(one, self)
        self._write(pdu.answer(one, status))

    async def _keep(self) -> None:
        """Ask whether they are there when they are silent; without an answer the connection is given up."""
        every = self.setting.enquire_link
        while every:
            await asyncio.sleep(max(0.01, self._heard + every - self._loop.time()))
            if self._loop.time() - self._heard < every:
                continue
            try:
                await self._exchange(
                    lambda sequence: pdu.unit(pdu.ENQUIRE_LINK, sequence), min(every, CONNECT)
                )
            except (Lost, NotSent):
                self.why = self.why or "no answer to enquire_link"
                await self._close()
                return

    def _write(self, data: bytes) -> bool:
        """Whether there is a connection to write it to."""
        if self._writer is None or self._writer.is_closing():
            return False
        self._writer.write(data)
        return True

    async def _drain(self) -> None:
        if self._writer is not None:
            await self._writer.drain()

    async def _close(self) -> None:
        self.bound = False
        for _, _, answer in list(self._waiting.values()):
            if not answer.done():
                answer.set_exception(Lost(self.why or "the connection ended"))
                answer.exception()  # whoever waited may be gone
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError, TimeoutError, ssl.SSLError):
                async with asyncio.timeout(LEAVE):
                    await writer.wait_closed()
