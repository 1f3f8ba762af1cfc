"""A carrier's SMSC over SMPP 3.4: connections that come back, messages out within its limits, messages and receipts in.

What is known not to have been sent waits and is tried again (no connection, throttled); what was written without an
answer is unclear, and never sent again. What comes in is acknowledged once it is committed.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import smpp34

from ringback.edges.channels import Channel, Declined, NotYet, Outcome, Reports, Taken, Unclear
from ringback.edges.channels._pace import Pace
from ringback.edges.smpp.inbound import Inbound, KeptParts
from ringback.edges.smpp.link import Counts, Link, Lost, NotSent
from ringback.effects.messaging import SendText
from ringback.kernel.text_carrier import Smpp
from ringback.smpp import pdu
from ringback.smpp.address import Address, numbered
from ringback.smpp.statuses import AGAIN, OK, UNKNOWN, meaning
from ringback.smpp.text import Piece, pieces

log = logging.getLogger("ringback.smpp")

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds between two attempts to connect; they double, and are then shortened by up to a half, at random."""
LIVED: Final = 30.0
"""Seconds after which a connection counts as having worked: the next pause is short again."""
EVERY: Final = 60.0
"""Seconds between two looks at what became too old."""
UNREACHABLE_CARRIER: Final = 30006
RECEIPTS: Final = {"final": 1, "failure": 2, "off": 0}


class SmppChannel(Channel):
    """See the module."""

    def __init__(
        self, setting: Smpp, reports: Reports, parts: KeptParts, warn: Callable[[str], Awaitable[None]],
    ) -> None:  # fmt: skip
        """``parts`` keeps parts of inbound messages; ``warn(text)`` makes an entry of the debugger."""
        self.name = f"smpp:{setting.name}"
        self._setting = setting
        self._counts = Counts()
        self._inbound = Inbound(self.name, setting, reports, parts, warn)
        self._pace = Pace(setting.throughput)
        self._links: dict[int, Link] = {}
        self._why: dict[int, str] = {}
        self._up = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False
        self._numbers = 0
        self._reference = random.randrange(0x10000)  # noqa: S311 - nobody may guess nothing by it
        self._figures = dict.fromkeys(("sent", "declined", "unclear", "not_yet", "throttled"), 0)
        pair = (pdu.BIND_TRANSMITTER, pdu.BIND_RECEIVER)
        self._binds = pair if setting.bind == "pair" else (pdu.BIND_TRANSCEIVER,)

    async def start(self) -> None:
        """Begin to connect, which goes on until it succeeds; nothing waits for it."""
        await self._inbound.start()
        self._why = dict.fromkeys(self._binds, "not connected yet")
        self._tasks = [asyncio.create_task(self._stay(command)) for command in self._binds]
        self._tasks.append(asyncio.create_task(self._sweep()))

    async def stop(self) -> None:
        """Unbind and close; what waits to be sent stays in line until the next start."""
        self._stopping = True
        self._up.set()
        self._pace.close()
        await asyncio.gather(*(link.leave() for link in list(self._links.values())))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def carries(self, address: str) -> bool:
        """Whether it is one of the numbers of the setting."""
        return address in self._setting.numbers or ("*" in self._setting.numbers and ":" not in address)

    @property
    def ready(self) -> str:
        """Why there is no connection; empty: there is."""
        return "; ".join(sorted({why for why in self._why.values() if why}))

    def figures(self) -> Mapping[str, float]:
        """Numbers for ``/metrics``."""
        found: dict[str, float] = {
            "up": float(bool(self._tasks) and not self.ready),
            "connected_total": self._counts.connected,
            "garbage_total": self._counts.garbage,
            "responses_unexpected_total": self._counts.unexpected,
            "inbound_overflow_total": self._counts.refused_inbound,
            **{f"{name}_total": count for name, count in self._figures.items()},
            **self._inbound.figures(),
        }
        prefix = "channel_smpp_" + self._setting.name.replace("-", "_")
        return {f"{prefix}_{name}": float(value) for name, value in found.items()}

    async def send(self, text: SendText) -> Outcome:
        """Submit one text, in parts if it is long; the receipt of the last one counts for the whole."""
        outcome = await self._send(text)
        kind = {Taken: "sent", Declined: "declined", Unclear: "unclear", NotYet: "not_yet"}[type(outcome)]
        self._figures[kind] += 1
        return outcome

    async def _send(self, text: SendText) -> Outcome:
        setting = self._setting
        if text.media:
            return Declined(UNKNOWN, "SMPP carries text only, no media")
        self._reference = (self._reference + 1) % 0x10000
        try:
            found = pieces(
                text.body, self._reference, wide=setting.wide_references, default=setting.default_alphabet
            )
            source = numbered(text.from_, setting.source_ton, setting.source_npi)
            dest = numbered(text.to, setting.dest_ton, setting.dest_npi)
        except ValueError as error:
            return Declined(UNKNOWN, str(error))
        until = asyncio.get_running_loop().time() + setting.patience
        outcome: Outcome = Declined(UNKNOWN)
        for number, piece in enumerate(found, 1):
            last = number == len(found)
            outcome = await self._submit(piece, source, dest, until, receipt=last)
            if (
                isinstance(outcome, Declined | NotYet) and number > 1
            ):  # sent again, its parts would come twice
                code = outcome.error_code if isinstance(outcome, Declined) else UNREACHABLE_CARRIER
                return Declined(code, f"{outcome.text}; {number - 1} of {len(found)} parts were taken")
            if not isinstance(outcome, Taken):
                return outcome
        return Taken(outcome.carrier_id if isinstance(outcome, Taken) else "", len(found))

    async def _submit(
        self, piece: Piece, source: Address, dest: Address, until: float, *, receipt: bool
    ) -> Outcome:
        """One part: again as long as it is known not to have been taken and ``until`` has not come."""
        setting = self._setting

        def build(sequence: int) -> bytes:
            return smpp34.SubmitSm(
                source.text, dest.text, piece.octets, service_type=setting.service_type,
                source_addr_ton=source.ton, source_addr_npi=source.npi,
                dest_addr_ton=dest.ton, dest_addr_npi=dest.npi,
                esm_class=piece.esm_class, data_coding=piece.data_coding,
                registered_delivery=RECEIPTS[setting.registered_delivery] if receipt else 0,
                sequence_number=sequence,
            ).encode()  # fmt: skip

        why = ""
        while True:
            link = await self._transmitter(until)
            going = link is not None and await self._pace.turn(until)
            if not going and self._stopping:
                return NotYet(f"It was not sent: {why or 'the server stops'}")
            if link is None:
                why = why or f"not connected: {self.ready}"
                return Declined(UNREACHABLE_CARRIER, f"It was not sent: {why}")
            if not going:
                return Declined(meaning(0x58).error_code, f"It was not sent: {why or 'too much to send'}")
            try:
                answer = await link.request(build)
            except NotSent:
                await asyncio.sleep(0.05)
                continue
            except Lost as error:
                return Unclear(f"{error}: whether it was sent is not known")
            if answer.command == pdu.GENERIC_NACK or answer.status not in {OK, *AGAIN}:
                found = meaning(answer.status)
                return Declined(found.error_code, f"The SMSC refused it: {found.name}")
            if answer.status == OK:
                self._pace.went()
                return Taken(answer.word)
            self._figures["throttled"] += 1
            why = f"the SMSC takes no more ({meaning(answer.status).name})"
            self._pace.slow()

    async def _transmitter(self, until: float) -> Link | None:
        """The connection to send by; ``None`` when there is none in time."""
        loop = asyncio.get_running_loop()
        while not self._stopping:
            link = self._links.get(self._binds[0])
            if link is not None and link.bound:
                return link
            self._up.clear()
            try:
                async with asyncio.timeout(until - loop.time()):
                    await self._up.wait()
            except TimeoutError:
                return None
        return None

    async def _stay(self, command: int) -> None:
        """Connect, and again whenever the connection ends."""
        loop = asyncio.get_running_loop()
        pause = 0.0
        while not self._stopping:
            self._numbers += 1
            link = Link(
                self._setting, command, self._numbers, self._counts, self._inbound.take, self._inbound.read
            )
            began = loop.time()
            try:
                reader = await link.open()
            except (OSError, UnicodeError) as error:  # the second: a host that is no name
                why = str(error) or type(error).__name__
            else:
                self._links[command], self._why[command] = link, ""
                self._up.set()
                log.info("%s: bound", self.name)
                try:
                    await link.serve(reader)
                finally:
                    self._links.pop(command, None)
                    self._inbound.ended(link.number)
                why = link.why
            if why != self._why[command] and not self._stopping:
                log.warning("%s: %s", self.name, why)
            self._why[command] = why
            pause = (
                FIRST_PAUSE
                if loop.time() - began > LIVED
                else min(max(FIRST_PAUSE, pause * 2), LONGEST_PAUSE)
            )
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - so that not all come at once

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self._inbound.sweep()
            except Exception:
                log.exception("%s: incomplete messages were not looked at", self.name)
