"""The post office: which channel carries a text, and events of what channels report (the contract: edges/channels/).

An address of ours leaves through the channel that says that it carries it, else through the default one.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from msgspec import structs

from ringback.edges.channels import Channel, Declined, NotYet, Outcome, ReceiptStatus, Taken, Unclear
from ringback.effects.messaging import SendText
from ringback.events import Event
from ringback.events.messaging import (
    Attachment,
    MessageArrived,
    MessageNotSent,
    MessageRefused,
    MessageSent,
    MessageUnclear,
    ReceiptArrived,
)
from ringback.kernel.clock import Clock
from ringback.kernel.errors import Refused

log = logging.getLogger("ringback.channels")

NO_CHANNEL = 21612
"""To/From combination not possible: no channel of ours carries the sender."""
FETCHABLE = 86_400
"""Seconds for which a carrier may fetch the files of a text."""
AGAIN = 1.0
"""Seconds after which an outcome is handed in once more that could not be (a bug ended its lane …)."""


class PostOffice:
    """Hands texts to channels, once each; takes in what they report (:class:`~ringback.edges.channels.Reports`)."""

    def __init__(
        self,
        *,
        ask: Callable[[Event], Awaitable[Any]],
        clock: Clock,
        new_sid: Callable[[str], str],
        find: Callable[[str, str], Awaitable[str]],
        done: Callable[[str], None],
        located: Callable[[str, Sequence[Attachment], int], Awaitable[tuple[Attachment, ...]]],
        default: str,
    ) -> None:
        """``find(channel, carrier_id)`` gives the SID of the message that the carrier calls so, empty for none;
        ``done(message_sid)`` is told when a text has its outcome; ``located(account_sid, attachments, seconds)`` gives
        those that are in the media store a URL that is good for so long."""
        self._ask = ask
        self._clock = clock
        self._new_sid = new_sid
        self._find = find
        self._done = done
        self._located = located
        self._default = default
        self._channels: dict[str, Channel] = {}
        self._sending: dict[asyncio.Task[None], str] = {}
        """Texts that are being handed over, or whose outcome is not committed yet → their channel."""
        self._arriving: dict[tuple[str, str], asyncio.Future[str]] = {}
        self.closing = False
        """True while the product stops: nothing new is taken."""
        self.counts: Counter[str] = Counter()

    def add(self, channel: Channel) -> None:
        """Make a channel known under its name."""
        self._channels[channel.name] = channel

    @property
    def channels(self) -> Sequence[Channel]:
        """All channels, in the order in which they were added."""
        return list(self._channels.values())

    @property
    def busy(self) -> int:
        """Texts on their way in or out."""
        return len(self._sending) + len(self._arriving)

    def channel_of(self, address: str) -> str:
        """Name of the channel by which an address of ours writes."""
        for name, channel in self._channels.items():
            if channel.carries(address):
                return name
        return self._default

    def figures(self) -> Mapping[str, float]:
        """For ``/metrics``."""
        own = {
            f"messages_{name}_total": float(self.counts[name])
            for name in ("sent", "refused", "unclear", "arrived")
        }
        found = {
            **own,
            "receipts_total": float(self.counts["receipts"]),
            "messages_in_flight": float(self.busy),
        }
        found["receipts_unknown_total"] = float(self.counts["receipts_unknown"])
        found["channels_not_ready"] = float(sum(bool(each.ready) for each in self._channels.values()))
        for channel in self._channels.values():
            found.update(channel.figures())
        return found

    # --- out ---------------------------------------------------------------------------------------------

    def perform(self, effect: SendText) -> None:
        """Send one text; exactly one of ``MessageSent``, ``MessageRefused``, ``MessageUnclear``,
        ``MessageNotSent`` follows."""
        task = asyncio.get_running_loop().create_task(self._send(effect))
        self._sending[task] = effect.channel
        task.add_done_callback(lambda ended: self._sending.pop(ended, None))

    async def _send(self, text: SendText) -> None:
        hold = self._clock.hold()
        try:
            channel = self._channels.get(text.channel)
            outcome: Outcome
            if channel is None:
                outcome = Declined(NO_CHANNEL, f"There is no channel {text.channel or 'for ' + text.from_}")
            else:
                try:
                    if text.media:
                        media = await self._located(text.account_sid, text.media, FETCHABLE)
                        text = structs.replace(text, media=media)
                    outcome = await channel.send(text)
                except Exception as bug:
                    log.exception("channel %s: sending %s failed", text.channel, text.message_sid)
                    outcome = Unclear(f"a defect of the channel ({type(bug).__name__})")
            await self._hand_in(self._event(text, outcome))
        finally:
            hold.release()
            self._done(text.message_sid)

    def _event(self, text: SendText, outcome: Outcome) -> Event:
        sid = text.message_sid
        if isinstance(outcome, Taken):
            self.counts["sent"] += 1
            return MessageSent(message_sid=sid, carrier_id=outcome.carrier_id, segments=outcome.segments)
        if isinstance(outcome, Declined):
            self.counts["refused"] += 1
            return MessageRefused(message_sid=sid, error_code=outcome.error_code, text=outcome.text)
        if isinstance(outcome, NotYet):
            return MessageNotSent(message_sid=sid, text=outcome.text)
        self.counts["unclear"] += 1
        return MessageUnclear(message_sid=sid, text=outcome.text)

    async def _hand_in(self, event: Event) -> None:
        try:
            await self._ask(event)
        except Exception:
            log.exception("the outcome %s could not be kept", event)
            await asyncio.sleep(AGAIN)
            await self._ask(event)

    async def settle(self, seconds: float) -> None:
        """Wait for what is under way, at most ``seconds`` (real time)."""
        if self._sending:
            await asyncio.wait(set(self._sending), timeout=seconds)

    # --- in ------------------------------------------------------------------------------------------------

    async def arrived(
        self, channel: str, *, from_: str, to: str, body: str = "", media: Sequence[Attachment] = (),
        carrier_id: str = "",
    ) -> str:  # fmt: skip
        """See :class:`~ringback.edges.channels.Reports`."""
        if self.closing:
            raise Refused(20503, "The server is stopping; come again", 503)
        key = (channel, carrier_id)
        under_way = self._arriving.get(key) if carrier_id else None
        if under_way is not None:  # the carrier did not wait for our answer
            return await asyncio.shield(under_way)
        sid = self._new_sid("MM" if media else "SM")
        event = MessageArrived(
            message_sid=sid,
            channel=channel,
            carrier_id=carrier_id,
            from_=from_,
            to=to,
            body=body,
            media=tuple(media),
        )
        asked: asyncio.Future[str] = asyncio.ensure_future(self._ask(event))
        self._arriving[key if carrier_id else (channel, sid)] = asked
        hold = self._clock.hold()
        try:
            kept = await asyncio.shield(asked)
            self.counts["arrived"] += kept == sid
            return kept
        finally:
            hold.release()
            self._arriving.pop(key if carrier_id else (channel, sid), None)

    async def receipt(
        self, channel: str, carrier_id: str, status: ReceiptStatus, *, error_code: int | None = None,
        text: str = "", done_at: float | None = None,
    ) -> bool:  # fmt: skip
        """See :class:`~ringback.edges.channels.Reports`."""
        hold = self._clock.hold()
        try:
            sid = await self._find(channel, carrier_id)
            if not sid:  # it may be one of those whose outcome is not committed yet
                own = asyncio.current_task()
                under_way = [
                    each for each, name in self._sending.items() if name == channel and each is not own
                ]
                if under_way:
                    await asyncio.wait(under_way)
                    sid = await self._find(channel, carrier_id)
            if not sid:
                self.counts["receipts_unknown"] += 1
                return False
            self.counts["receipts"] += 1
            await self._ask(
                ReceiptArrived(
                    message_sid=sid, status=status, error_code=error_code, text=text, done_at=done_at
                )
            )
            return True
        finally:
            hold.release()
