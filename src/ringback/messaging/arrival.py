"""A message that comes in: kept, acknowledged, offered to the conversations, else to the number's application."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import Any

import msgspec

from ringback.effects import Answer, ClearDeadline, Effect, FetchDocument, Post, Save, SetDeadline
from ringback.effects.media import AttachMedia
from ringback.events import DeadlineReached, DocumentFetched
from ringback.events.conversations import InboundTexted, TextUnclaimed
from ringback.events.messaging import Attachment, MessageArrived, MessageRequested
from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.messaging import facts, opt_out
from ringback.messaging.alerts import alert
from ringback.messaging.departure import Ports, Step, media_of
from ringback.messaging.reply import Redirect, Reply, read
from ringback.messaging.segments import segment
from ringback.numbers.text_address import split
from ringback.resources.api.message import Message
from ringback.resources.messaging.opt_out import OptOut, sid_of

ASKED = "asked"
"""Name of the deadline of a request to the application."""
PATIENCE = 30.0
"""Seconds after which it is asked again when no answer was handled: we were killed meanwhile. The request itself is
given up long before."""
MOST_ASKED = 10
"""Documents that one message may lead to by redirects."""
MOST_REPLIES = 15
WITHIN = 30.0
"""Replies of one sender to one recipient within these seconds: more are two machines that answer each other."""
REMEMBERED = 10_000
"""Pairs of addresses whose replies are counted."""


class Arrivals:
    """See the module."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._replied: OrderedDict[tuple[str, str, str], deque[float]] = OrderedDict()
        self.refused_total = 0
        """Messages to numbers that nobody has (for /metrics)."""

    def arrived(self, before: Message | None, event: MessageArrived, now: float) -> Step:
        """Keep it; whoever brought it learns its SID. Raises ``Refused`` for a number that nobody has."""
        if before is not None or event.known_sid:
            return before, [Answer(value=event.known_sid or event.message_sid)]
        if not event.account_sid:
            self.refused_total += 1
            raise Refused(30005, f"{event.to[:60]} is no number of this server", 404)
        routing = event.routing
        message = Message(
            sid=event.message_sid, account_sid=event.account_sid, date_created=now, date_updated=now, to=event.to,
            from_=event.from_, body=event.body, status="received", direction="inbound",
            num_segments=segment(event.body).segments, num_media=len(event.media), date_sent=now,
            messaging_service_sid=routing.get("messaging_service_sid"), channel=event.channel,
            carrier_key=event.carrier_key or None,
            media=[msgspec.to_builtins(each) for each in event.media],
        )  # fmt: skip
        effects: list[Effect] = [Save(each) for each in media_of(message, self._ports.new_sid)]
        effects += [
            AttachMedia(media_sid=each.sid, message_sid=message.sid) for each in event.media if each.sid
        ]
        said = None if split(event.from_)[0] else opt_out.word_of(event.body, bool(routing.get("opted_out")))
        message.plan = {"routing": routing, "opt_out": said or ""}
        if said is not None:
            effects += self._heed(message, said, bool(routing.get("opted_out")), now)
        found = InboundTexted(
            account_sid=message.account_sid, address=message.from_, proxy_address=message.to,
            message_sid=message.sid, channel_type=split(message.from_)[0] or "sms", body=message.body,
            media=tuple(msgspec.convert(each, Attachment) for each in message.media),
        )  # fmt: skip
        return message, [*effects, Post(found), Answer(value=message.sid)]

    def _heed(self, message: Message, said: opt_out.Word, opted_out: bool, now: float) -> list[Effect]:
        """Write down who leaves and comes back, and answer."""
        effects: list[Effect] = []
        scope = message.messaging_service_sid or message.to
        if said != "HELP" and opted_out != (said == "STOP"):
            effects.append(
                Save(
                    OptOut(
                        sid=sid_of(message.account_sid, scope, message.from_),
                        account_sid=message.account_sid, date_created=now, date_updated=now, address=message.from_,
                        scope=scope, opted_out=said == "STOP", word=message.body.strip()[:20],
                    )
                )
            )  # fmt: skip
        if opt_out.replies(said, opted_out):
            effects.append(self._send(message, opt_out.REPLIES[said], about_opt_out=True))
        return effects

    # --- the application -----------------------------------------------------------------------------------

    def unclaimed(self, message: Message, event: TextUnclaimed, now: float) -> Step:
        """No conversation has it: the number's URL is asked, if it has one."""
        routing = message.plan.get("routing", {})
        url = routing.get("url")
        if not url or "ask" in message.plan or message.plan.get("answered"):
            return message, ()
        return self._ask(message, url, routing.get("method", "POST"), now)

    def _ask(
        self, message: Message, url: str, method: str, now: float, *, extra: Sequence[Sequence[str]] = (),
        fallback: bool = False,
    ) -> Step:  # fmt: skip
        after = message.copy()
        number = message.plan.get("asked", 0) + 1
        ask = {"url": url, "method": method, "extra": [list(each) for each in extra], "fallback": fallback}
        after.plan = {**message.plan, "ask": ask, "asked": number}
        return after, self._request(after, now)

    def _request(self, message: Message, now: float) -> list[Effect]:
        """The request itself, and the deadline that repeats it if we are killed before its answer is handled."""
        lane = Lane("message", message.sid)
        ask = message.plan["ask"]
        return [
            SetDeadline(lane=lane, name=ASKED, at=now + PATIENCE),
            FetchDocument(
                lane=lane, account_sid=message.account_sid, request=str(message.plan["asked"]), url=ask["url"],
                method=ask["method"], params=self._params(message), empty_ok=True,
                jar=f"{message.account_sid}|{message.from_}|{message.to}",
            ),
        ]  # fmt: skip

    def _params(self, message: Message) -> facts.Params:
        extra = [(name, value) for name, value in message.plan["ask"]["extra"]]
        opted = message.plan.get("opt_out", "")
        return [*facts.inbound(message, self._ports.public_url, opted), *extra]

    def due(self, message: Message, event: DeadlineReached, now: float) -> Step:
        """No answer was handled in time: it is asked once more."""
        if "ask" not in message.plan:
            return message, [ClearDeadline(lane=event.lane, name=event.name)]
        return message, self._request(message, now)

    def fetched(self, message: Message, event: DocumentFetched, now: float) -> Step:
        """The application's answer: its replies, or where to ask next."""
        ask = message.plan.get("ask")
        if ask is None or event.request != str(message.plan["asked"]):
            return message, ()
        over = message.copy()
        over.plan = {**message.plan, "answered": True}
        del over.plan["ask"]
        done: list[Effect] = [ClearDeadline(lane=event.lane, name=ASKED)]
        if event.error_code is not None:
            return self._failed(over, message, event, event.error_code, event.error_text, now, done)
        try:
            found = read(self._ports.elements, event)
        except Refused as refusal:
            return self._failed(over, message, event, refusal.code, refusal.message, now, done)
        for code, text in found.warnings:
            done.append(self._warning(message, event, code, text, now))
        replies = self._within_limit(message, found.replies, event, now, done)
        done += [self._reply(message, each) for each in replies]
        if isinstance(found.onward, Redirect):
            if message.plan["asked"] >= MOST_ASKED:
                text = f"More than {MOST_ASKED} documents led from one to the next"
                return over, [*done, self._warning(message, event, 14106, text, now)]
            after, asked = self._ask(
                over, found.onward.url, found.onward.method, now, fallback=ask["fallback"]
            )
            return after, [*done[1:], *asked]
        return over, done

    def _failed(
        self, over: Message, message: Message, event: DocumentFetched, code: int, text: str, now: float,
        done: list[Effect],
    ) -> Step:  # fmt: skip
        """The debugger says so; the fallback is asked, once."""
        ask, routing = message.plan["ask"], message.plan.get("routing", {})
        entry = self._warning(message, event, code, text, now)
        fallback = routing.get("fallback_url")
        if not fallback or ask["fallback"]:
            return over, [*done, entry]
        extra = [("ErrorCode", str(code)), ("ErrorUrl", event.url)]
        method = routing.get("fallback_method", "POST")
        after, asked = self._ask(over, fallback, method, now, extra=extra, fallback=True)
        return after, [entry, *asked]

    def _warning(self, message: Message, event: DocumentFetched, code: int, text: str, now: float) -> Save:
        return alert(
            self._ports.new_sid, now, account_sid=message.account_sid, message_sid=message.sid, code=code, text=text,
            answer=event, method=message.plan["ask"]["method"], params=self._params(message),
        )  # fmt: skip

    # --- replies ----------------------------------------------------------------------------------------------

    def _within_limit(
        self,
        message: Message,
        replies: Sequence[Reply],
        event: DocumentFetched,
        now: float,
        done: list[Effect],
    ) -> list[Reply]:
        """Without those that are too many: two machines that answer each other would do so for ever."""
        good: list[Reply] = []
        for each in replies:
            pair = (message.account_sid, each.from_ or message.to, each.to or message.from_)
            times = self._replied.setdefault(pair, deque(maxlen=MOST_REPLIES))
            self._replied.move_to_end(pair)
            if len(self._replied) > REMEMBERED:
                self._replied.popitem(last=False)
            if len(times) == MOST_REPLIES and times[0] > now - WITHIN:
                text = f"More than {MOST_REPLIES} replies from {pair[1]} to {pair[2]} within {WITHIN:g} s"
                done.append(self._warning(message, event, 14107, text, now))
                break
            times.append(now)
            good.append(each)
        return good

    def _reply(self, message: Message, reply: Reply) -> Post:
        return self._send(
            message, reply.body, to=reply.to, from_=reply.from_, media=reply.media, callback=reply.status_callback,
            params=reply.params,
        )  # fmt: skip

    def _send(
        self, message: Message, body: str, *, to: str = "", from_: str = "", media: Sequence[str] = (),
        callback: str = "", params: dict[str, str] | None = None, about_opt_out: bool = False,
    ) -> Post:  # fmt: skip
        given: dict[str, Any] = {"Body": body, "ReplyTo": message.sid, **(params or {})}
        service = message.messaging_service_sid if not from_ else None
        return Post(
            MessageRequested(
                message_sid=self._ports.new_sid("MM" if media else "SM"), account_sid=message.account_sid,
                to=to or message.from_, from_=from_ or message.to, body=body,
                media=tuple(Attachment(url=url) for url in media), messaging_service_sid=service or "",
                direction="outbound-reply", status_callback=callback, params=given, about_opt_out=about_opt_out,
            )
        )  # fmt: skip
