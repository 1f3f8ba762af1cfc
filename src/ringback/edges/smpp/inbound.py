"""What an SMSC delivers: messages, their parts, receipts. Each has its status for the response once it is committed."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import smpp34

from ringback.edges.channels import Reports
from ringback.edges.smpp.link import Link
from ringback.kernel.errors import Refused
from ringback.kernel.text_carrier import Smpp
from ringback.smpp import parts, pdu, receipts
from ringback.smpp.address import caller, ours
from ringback.smpp.pdu import Unit
from ringback.smpp.repeats import Repeats
from ringback.smpp.statuses import OK, RECEIVER_LATER, RECEIVER_NEVER
from ringback.smpp.text import UDHI, NotText, read

log = logging.getLogger("ringback.smpp")

UNAVAILABLE: Final = 503
LONGEST_WAIT: Final = 10.0
"""Seconds that a receipt waits for its message."""


class KeptParts(Protocol):
    """Where the parts of a message are kept until it is whole (``web/text_parts.py``)."""

    async def keep(
        self, channel: str, from_: str, to: str, place: Any, octets: bytes, data_coding: int
    ) -> Any:
        """Write a part; the whole when it is there, and what was given up."""

    async def done(self, key: str) -> None:
        """The whole was handed on."""

    async def stuck(self, channel: str) -> Sequence[Any]:
        """Messages that are whole and were not handed on."""

    async def expire(self, channel: str) -> Sequence[Any]:
        """Remove what is too old; gives what never became whole."""

    async def lately(self, channel: str) -> Sequence[str]:
        """Carrier ids of what came just before an earlier process ended."""


class Inbound:
    """See the module."""

    def __init__(
        self, channel: str, setting: Smpp, reports: Reports, kept: KeptParts,
        warn: Callable[[str], Awaitable[None]],
    ) -> None:  # fmt: skip
        self._channel, self._setting = channel, setting
        self._reports, self._kept, self._warn = reports, kept, warn
        self._repeats = Repeats()
        names = ("inbound", "inbound_refused", "inbound_incomplete", "receipts", "receipts_unknown")
        self._figures = dict.fromkeys(names, 0)

    async def start(self) -> None:
        """Learn what an earlier process may have left without a response."""
        known = [(one.rpartition(".")[0], one) for one in await self._kept.lately(self._channel)]
        self._repeats.restore([(mark, one) for mark, one in known if mark], _now())
        await self._hand_on_stuck()

    def read(self, session: int, written: float) -> None:
        """They have read what we wrote by this connection until then."""
        self._repeats.read(session, written)

    def ended(self, session: int) -> None:
        """A connection is gone."""
        self._repeats.ended(session, _now())

    def figures(self) -> Mapping[str, int]:
        """Counts, without prefix."""
        return {f"{name}_total": count for name, count in self._figures.items()}

    async def sweep(self) -> None:
        """Give up what never became whole."""
        try:
            await self._hand_on_stuck()
            for each in await self._kept.expire(self._channel):
                await self._incomplete(each)
        except Refused as error:
            log.warning("%s: %s", self._channel, error)  # the database is away: next time

    async def take(self, one: Unit, link: Link) -> int:
        """A ``deliver_sm``; gives the status of its response. Never raises."""
        try:
            return await self._taken(one, link)
        except NotText as error:
            return self._refused(str(error), RECEIVER_NEVER)
        except ValueError as error:
            return self._refused(f"no deliver_sm: {error}", RECEIVER_NEVER)
        except Refused as error:
            return self._refused(
                error.message, RECEIVER_LATER if error.status == UNAVAILABLE else RECEIVER_NEVER
            )
        except Exception:
            log.exception("%s: a message was not taken", self._channel)
            return self._refused("a defect of ours", RECEIVER_LATER)

    def _refused(self, why: str, status: int) -> int:
        self._figures["inbound_refused"] += 1
        log.warning("%s: a message was refused: %s", self._channel, why)
        return status

    async def _taken(self, one: Unit, link: Link) -> int:
        message = pdu.delivered(one)
        tags = pdu.tags(message)
        octets = message.short_message or tags.get(receipts.PAYLOAD, b"")
        shown = octets.decode("latin-1")
        if receipts.is_receipt(message.esm_class, tags, shown):
            await self._receipt(tags, shown)
            return OK
        place = parts.segment(tags)
        if message.esm_class & UDHI:
            octets, headed = parts.without_header(octets)
            place = headed or place
        from_ = caller(message.source_addr, message.source_addr_ton)
        to = ours(message.destination_addr, message.dest_addr_ton, self._setting.numbers)
        if place is None:
            await self._text(one, link, message, tags, from_, to, octets)
            return OK
        read(
            b"", message.data_coding, self._setting.default_alphabet
        )  # what cannot be read is refused, not kept
        whole, given_up = await self._kept.keep(self._channel, from_, to, place, octets, message.data_coding)
        if given_up is not None:
            await self._incomplete(given_up)
        if whole is not None:
            await self._hand_on(whole)
        return OK

    async def _text(
        self, one: Unit, link: Link, message: smpp34.DeliverSm, tags: Mapping[int, bytes],
        from_: str, to: str, octets: bytes,
    ) -> None:  # fmt: skip
        body = read(octets, message.data_coding, self._setting.default_alphabet)
        own = tags.get(receipts.RECEIPTED_ID, b"").split(b"\0", 1)[0].decode("latin-1").strip()
        if own:  # an SMSC that gives ids to what it delivers
            await self._arrived(from_, to, body, own)
            return
        mark = hashlib.sha256(one.data[pdu.HEADER :]).hexdigest()[:32]
        met = self._repeats.meet(mark, f"{mark}.{uuid.uuid4().hex[:12]}", link.number, _now())
        try:
            await self._arrived(from_, to, body, met.carrier_id)
        except BaseException:
            self._repeats.refuse(met)
            raise
        self._repeats.answer(met, _now())

    async def _hand_on(self, whole: Any) -> None:
        """A message of several parts, once all are there."""
        body, rest = [], list(whole.parts)
        while rest:  # a character may be cut between parts of one alphabet
            coding = rest[0][1]
            octets = b""
            while rest and rest[0][1] == coding:
                octets += rest.pop(0)[0]
            body.append(read(octets, coding, self._setting.default_alphabet))
        try:
            await self._arrived(whole.from_, whole.to, "".join(body), whole.carrier_id)
        except Refused as error:
            if error.status != UNAVAILABLE:
                await self._kept.done(whole.key)
            raise
        await self._kept.done(whole.key)

    async def _hand_on_stuck(self) -> None:
        for whole in await self._kept.stuck(self._channel):
            try:
                await self._hand_on(whole)
            except Refused as error:
                self._refused(error.message, OK)

    async def _arrived(self, from_: str, to: str, body: str, carrier_id: str) -> None:
        await self._reports.arrived(self._channel, from_=from_, to=to, body=body, carrier_id=carrier_id)
        self._figures["inbound"] += 1

    async def _receipt(self, tags: Mapping[int, bytes], text: str) -> None:
        found = receipts.read(tags, text, self._setting.receipt_ids)
        self._figures["receipts"] += 1
        if found is None or not await self._known(found):
            self._figures["receipts_unknown"] += 1

    async def _known(self, found: receipts.Receipt) -> bool:
        """Report it by the first of its ids that is known. An id may be unknown only because the response that gives
        it is on its way: that is waited for, but not long, since the SMSC waits as well, and can come again."""
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                for name in found.ids:
                    if await self._reports.receipt(
                        self._channel, name, found.status,
                        error_code=found.error_code, text=found.text, done_at=found.done_at,
                    ):  # fmt: skip
                        return True
        except TimeoutError:
            raise Refused(20503, "a receipt came before the message's own response", UNAVAILABLE) from None
        return False

    async def _incomplete(self, one: Any) -> None:
        self._figures["inbound_incomplete"] += 1
        missing = ", ".join(map(str, one.missing))
        whose = f"A message from {one.from_} to {one.to}"
        text = f"{whose} never became whole: of {one.total} parts, {missing} did not come"
        await self._warn(text)


def _now() -> float:
    """Seconds of the loop's clock: the link's, too."""
    return asyncio.get_running_loop().time()
