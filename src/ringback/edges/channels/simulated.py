"""The simulated network of handsets: takes every text, tells how it went, keeps what arrived (``/sim/v1/Messages``).

A number that is ours is written to like any other sender's. How a handset behaves is said by ``/sim/v1/Numbers``, like
that of a simulated callee; ``/sim/v1/Faults`` makes the network fail.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from ringback.edges.channels import Declined, Outcome, ReceiptStatus, Reports, Taken, Unclear
from ringback.edges.simulator.book import PhoneBook
from ringback.edges.simulator.faults import Fault, Faults
from ringback.edges.simulator.handsets import Handsets, Received
from ringback.effects.messaging import SendText
from ringback.events.messaging import Attachment
from ringback.kernel.clock import Alarm, Clock
from ringback.kernel.errors import Refused

log = logging.getLogger("ringback.simulated")

AFTER: Final = 0.5
"""Seconds from the sending to the receipt, when nobody says otherwise."""
MISSED: Final[dict[str, tuple[int, str]]] = {
    "invalid": (30005, "Unknown destination handset"),
    "unreachable": (30003, "Unreachable destination handset"),
    "unavailable": (30003, "Unreachable destination handset"),
    "reject": (30004, "Message blocked"),
    "forbidden": (30007, "Message filtered by the carrier"),
}
"""What a handset ``answers`` → code and words of its receipt; on every other one the message arrives."""
CONGESTED: Final = (30006, "The carrier is congested")


class SimulatedChannel:
    """A :class:`~ringback.edges.channels.Channel` without a network."""

    name = "simulated"

    def __init__(
        self, *, reports: Reports, clock: Clock, is_ours: Callable[[str], Awaitable[bool]], book: PhoneBook,
        faults: Faults,
    ) -> None:  # fmt: skip
        """``is_ours(number)``: whether a text to it comes back in."""
        self._reports = reports
        self._clock = clock
        self._is_ours = is_ours
        self._book = book
        self._faults = faults
        self._ids = itertools.count(1)
        self._born = int(clock.now() * 1000)
        self._tasks: set[asyncio.Task[None]] = set()
        self._alarms: set[Alarm] = set()
        self.handsets = Handsets()

    async def start(self) -> None:
        """Nothing to open."""

    async def stop(self) -> None:
        """Receipts that are still to come never do."""
        for alarm in self._alarms:
            alarm.cancel()
        self._alarms.clear()
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    @property
    def ready(self) -> str:
        """It always is."""
        return ""

    @property
    def busy(self) -> int:
        """Receipts, and texts to our own numbers, that are still to come."""
        return len(self._alarms) + len(self._tasks)

    def carries(self, address: str) -> bool:
        """Nothing of its own: it is the default."""
        return False

    def figures(self) -> Mapping[str, float]:
        """Nothing to tell."""
        return {}

    # --- out -------------------------------------------------------------------------------------------

    async def send(self, text: SendText) -> Outcome:
        """Take it, unless the tester or the handset says otherwise."""
        facts = {"from": text.from_, "to": text.to, "body": text.body}
        if self._faults.take("carrier_down", facts):
            return Declined(30006, "The simulated carrier is down (a fault that was ordered)")
        known = self._book.find(text.to, text.account_sid)
        answers = known.answers if known is not None else "answer"
        if answers == "congestion":
            return Declined(*CONGESTED)
        carrier_id = f"sim{self._born}-{next(self._ids)}"
        missed = MISSED.get(answers)
        if missed is None:
            self._arrive(text, carrier_id)
        if self._faults.take("unclear_send", facts):
            return Unclear("the simulated carrier did not answer (a fault that was ordered)")
        self._owe_receipt(text, carrier_id, missed, known.after if known is not None else AFTER, facts)
        return Taken(carrier_id)

    def _arrive(self, text: SendText, carrier_id: str) -> None:
        self.handsets.take(
            Received(
                sid=text.message_sid, account_sid=text.account_sid, from_=text.from_, to=text.to, body=text.body,
                media=tuple(each.url for each in text.media), at=self._clock.now(),
            )
        )  # fmt: skip
        self._spawn(self._come_back(text, carrier_id))

    async def _come_back(self, text: SendText, carrier_id: str) -> None:
        if await self._is_ours(text.to):
            try:
                await self._reports.arrived(
                    self.name,
                    from_=text.from_,
                    to=text.to,
                    body=text.body,
                    media=text.media,
                    carrier_id=carrier_id,
                )
            except Refused as refused:  # its account is suspended, we are stopping …
                log.warning("%s did not take the message from %s: %s", text.to, text.from_, refused.message)

    def _owe_receipt(
        self,
        text: SendText,
        carrier_id: str,
        missed: tuple[int, str] | None,
        after: float,
        facts: Mapping[str, str],
    ) -> None:
        status: ReceiptStatus = "delivered" if missed is None else "undelivered"
        told = {**facts, "status": status}
        if self._faults.take("drop_receipt", told):
            return
        delay: Fault | None = self._faults.take("delay_receipt", told)
        times = 2 if self._faults.take("duplicate_receipt", told) else 1
        due = self._clock.now() + after + (delay.seconds if delay is not None else 0.0)
        code, words = missed if missed is not None else (None, "")

        def fire() -> None:
            self._alarms.discard(alarm)
            self._spawn(self._tell(carrier_id, status, code, words, times))

        alarm = self._clock.call_at(due, fire, pulls=True)
        self._alarms.add(alarm)

    async def _tell(
        self, carrier_id: str, status: ReceiptStatus, code: int | None, words: str, times: int
    ) -> None:
        now = self._clock.now()
        for _ in range(times):
            await self._reports.receipt(
                self.name, carrier_id, status, error_code=code, text=words, done_at=now
            )

    # --- in: what testers do ----------------------------------------------------------------------------

    async def write(
        self, from_: str, to: str, body: str, media: Sequence[Attachment] = (), carrier_id: str = ""
    ) -> str:
        """A simulated person writes to a number of ours; gives the message's SID. Raises ``Refused``."""
        if self._faults.take("carrier_down", {"from": from_, "to": to, "body": body}):
            raise Refused(20503, "The simulated carrier is down (a fault that was ordered)", 503)
        return await self._reports.arrived(
            self.name, from_=from_, to=to, body=body, media=media, carrier_id=carrier_id
        )

    def received(self, address: str) -> Sequence[Received]:
        """What a handset has received, oldest first."""
        return self.handsets.of(address)

    def _spawn(self, work: Awaitable[None]) -> None:
        hold = self._clock.hold()

        async def run() -> None:
            try:
                await work
            finally:
                hold.release()

        task = asyncio.get_running_loop().create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
