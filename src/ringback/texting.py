"""What carries messages, as the composition root builds it: channels, sender, look-ups, core."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from msgspec.structs import replace

from ringback.edges.carriers.simulated import SimulatedCarrier
from ringback.edges.channels._configured import configured
from ringback.edges.channels.simulated import SimulatedChannel
from ringback.edges.http_carrier.door import CarrierDoor
from ringback.edges.post_office import PostOffice
from ringback.edges.simulator.faults import Faults
from ringback.effects.messaging import QueueSend
from ringback.events import Event
from ringback.events.messaging import MessageArrived, MessageUnclear
from ringback.firstrun import Credentials
from ringback.kernel.clock import Clock
from ringback.kernel.errors import Refused
from ringback.messaging.alerts import alert
from ringback.messaging.departure import Ports
from ringback.messaging.step import Texting
from ringback.resources.api.message import Message
from ringback.runtime.sender import Sender
from ringback.settings import Settings
from ringback.store.store import Store
from ringback.store.writes import Owed
from ringback.voice.twiml import Element, TwimlError, read
from ringback.web.mcs.fetching import MediaFetcher
from ringback.web.mcs.media_store import MediaStore
from ringback.web.text_directory import TextDirectory
from ringback.web.text_parts import TextParts
from ringback.web.webhooks.sender import WebhookSender

EVERYTHING = 1_000_000
SETTLE = 5.0
"""Seconds (real) that a stop waits for texts that are being handed over."""


class Product(Protocol):
    """What of the product (``app.py``) it is built from."""

    settings: Settings
    credentials: Credentials
    store: Store
    simulator: SimulatedCarrier
    faults: Faults
    media: MediaStore
    sender: WebhookSender

    @property
    def clock(self) -> Clock:
        """The product's."""

    @property
    def new_sid(self) -> Callable[[str], str]:
        """Makes a SID of the kind that its prefix says."""

    async def ask(self, event: Event) -> Any:
        """Hand an event to the runtime and wait for its answer."""

    @property
    def is_ours(self) -> Callable[[str], Awaitable[bool]]:
        """Whether a number is one of ours."""


class TextingPart:
    """See the module."""

    def __init__(self, product: Product) -> None:
        settings, store = product.settings, product.store
        self._store = store
        self._fetcher = MediaFetcher(product.media, product.sender, self._entry)
        self.directory = TextDirectory(store, new_sid=product.new_sid, now=product.clock.now)
        self.sender = Sender(product.clock, product.ask, settings.messages_per_second)
        self.office = PostOffice(
            ask=product.ask,
            clock=product.clock,
            new_sid=product.new_sid,
            find=self.directory.message_of,
            located=product.media.located,
            done=self.sender.done,
            default="simulated",
        )
        self.simulated = SimulatedChannel(
            reports=self.office,
            clock=product.clock,
            is_ours=product.is_ours,
            book=product.simulator.book,
            faults=product.faults,
        )
        self.office.add(self.simulated)
        self._now, self._new_sid = product.clock.now, product.new_sid
        self._operator = product.credentials.account_sid
        parts = TextParts(store.hurried(), self._operator, product.new_sid, product.clock.now)
        for each in configured(settings, self.office, parts, self._incomplete):
            self.office.add(each)
        self.door = CarrierDoor(settings.http_carriers, self.office, product.clock.now)
        self.core = Texting(
            Ports(
                new_sid=product.new_sid,
                new_token=lambda: str(uuid.uuid4()),
                public_url=settings.base_url,
                magic_numbers=settings.carrier == "simulated",
                channel_of=self.office.channel_of,
                queued=self.sender.waiting_of,
                elements=_elements,
            )
        )

    @property
    def busy(self) -> int:
        """Texts on their way in or out, and receipts that are still to come."""
        return self.office.busy + self.sender.going + self.simulated.busy

    async def prepare_arrival(self, event: MessageArrived) -> Event:
        """Whose it is; its files are fetched and kept, so that they are there when the carrier's URLs are not."""
        found = await self.directory.prepare_arrival(event)
        if isinstance(found, MessageArrived) and found.account_sid and found.media and not found.known_sid:
            return replace(
                found, media=await self._fetcher.keep(found.account_sid, found.media, found.message_sid)
            )
        return found

    async def start(self, owed: Sequence[Owed]) -> list[Event]:
        """Open the channels, put what was to be sent in line (nothing goes before :meth:`Sender.open`); gives what
        became of texts that were being sent when the last run ended: nobody knows."""
        self.sender.shut()
        for channel in self.office.channels:
            await channel.start()
        lost = await self._store.find(Message, status="sending", limit=EVERYTHING)
        # By their SIDs, so as they were asked for: one that went back into its line is not overtaken by the next.
        queued = [each.what for each in owed if isinstance(each.what, QueueSend)]
        for each in sorted(queued, key=lambda one: one.message_sid[2:]):
            self.sender.queue(each)
        why = "the server stopped while it was being sent"
        return [MessageUnclear(message_sid=each.sid, text=why) for each in lost]

    async def stop(self) -> None:
        """Take nothing more, finish what is being handed over, close the channels; what waits is sent after the next
        start."""
        self.office.closing = True
        await self.sender.close()
        await self.office.settle(SETTLE)
        for channel in reversed(self.office.channels):
            await channel.stop()
        await self.office.settle(SETTLE)  # what goes back into its line is written

    async def _incomplete(self, text: str) -> None:
        """A long message never became whole: whose it would have been nobody knows, so the operator is told."""
        await self._entry(self._operator, self._operator, 30009, text)

    async def _entry(self, account_sid: str, about: str, code: int, text: str) -> None:
        """An entry of the debugger."""
        entry = alert(
            self._new_sid, self._now(), account_sid=account_sid, message_sid=about, code=code, text=text
        )
        await self._store.commit([entry])

    def troubles(self) -> dict[str, str]:
        """The carriers of the settings by name, with why they carry nothing now; empty: they do."""
        return {each.name: each.ready for each in self.office.channels if each is not self.simulated}

    def figures(self) -> Mapping[str, float]:
        """For ``/metrics``."""
        return {
            **self.office.figures(),
            **self.door.figures(),
            "messages_queued": float(self.sender.waiting),
            "messages_unclear_total": float(self.core.departures.unclear_total),
            "messages_unknown_number_total": float(self.core.arrivals.refused_total),
        }


def _elements(body: bytes, content_type: str) -> list[Element]:
    try:
        return read(body, content_type)
    except TwimlError as error:
        raise Refused(error.code, error.text) from None
