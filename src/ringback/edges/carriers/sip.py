"""The SIP carrier: phones, trunks and anybody else who speaks SIP, with audio in the media workers.

Signalling is :class:`~ringback.edges.sip.endpoint.SipEndpoint`, audio is
:class:`~ringback.edges.media.client.MediaPool`; this file joins the two per leg and speaks events and
effects.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ringback.edges.media import protocol as media
from ringback.edges.media.client import MediaError, MediaPool
from ringback.edges.prompts import Prompts
from ringback.edges.sip.address import caller_of, custom_parameters, number_of, shown_caller
from ringback.edges.sip.call import SipCall
from ringback.edges.sip.endpoint import SipEndpoint
from ringback.edges.sip.handler import Authorization, EndedBy, FailedBy, Refusal
from ringback.edges.sip.recordings import Recordings
from ringback.edges.sip.route import REALM, Router, Unreachable
from ringback.edges.sip.transport import Source
from ringback.effects import (
    AnswerLeg,
    AnswerTransfer,
    DialLeg,
    EchoLeg,
    HangUpLeg,
    Join,
    LeaveRoom,
    LegEffect,
    PauseRecording,
    PlayAudio,
    RecordLeg,
    ReferLeg,
    RejectLeg,
    ResumeRecording,
    RingLeg,
    StopAudio,
    StopRecording,
)
from ringback.effects.conferences import BoundDelay, RecordRoom, WatchSpeech
from ringback.events import (
    CallArrived,
    DigitPressed,
    Event,
    LegAnswered,
    LegEnded,
    LegFailed,
    LegRinging,
    ReferAnswered,
    ReferNotified,
    SipFacts,
    TransferAsked,
)
from ringback.events.conferences import SpeechChanged
from ringback.numbers.withheld import is_withheld
from ringback.settings import RtpSource
from ringback.sip import sdp
from ringback.sip.info import key_of
from ringback.sip.message import Request
from ringback.sip.uri import is_reachable
from ringback.sip.way import MAX_FORWARDS

log = logging.getLogger("ringback.sip")

BY = {"remote": "callee", "local": "us", "timeout": "timeout", "transport": "transport"}


@dataclass(slots=True)
class Leg:
    """One SIP call and its audio."""

    call_sid: str
    call: SipCall | None = None
    group: str = ""
    local: tuple[str, int] | None = None
    """Our RTP address, once a media worker has opened it."""
    audio: sdp.MediaAnswer | None = None
    """What both sides agreed on."""
    session: int = 0
    """Session id of our descriptions (RFC 8866 §5.2); ``version`` grows with each."""
    version: int = 0
    trunk: str = ""
    rtp_source: RtpSource = "nat"
    """Where its audio may come from."""


class SipCarrier:
    """See the module; constructed in ``app.py``, told of signalling as the endpoint's handler."""

    name = "sip"

    def __init__(
        self,
        *,
        post: Callable[[Event], None],
        new_sid: Callable[[str], str],
        router: Router,
        pool: MediaPool,
        prompts: Prompts,
        recordings: Path,
        media_host: Callable[[str], str],
        warm: Callable[[], None],
    ) -> None:
        """``media_host(peer)`` gives the address that a peer reaches our RTP at; ``warm()`` starts the speech
        process when a call begins, so that the first sentence does not wait for it."""
        self._post = post
        self._new_sid = new_sid
        self._router = router
        self._pool = pool
        self._prompts = prompts
        self._recordings = Recordings(
            pool=pool, folder=recordings, post=post, spawn=lambda work: self._start(None, work)
        )
        self._media_host = media_host
        self._warm = warm
        self.endpoint: SipEndpoint | None = None
        self._legs: dict[str, Leg] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._perform: dict[type[LegEffect], Callable[[Leg, Any], None]] = {
            RingLeg: self._ring,
            AnswerLeg: self._answer,
            RejectLeg: self._reject,
            HangUpLeg: self._hang_up,
            PlayAudio: self._play,
            StopAudio: self._stop_audio,
            RecordLeg: lambda leg, effect: self._recordings.record(effect),
            RecordRoom: lambda leg, effect: self._recordings.record_room(effect),
            PauseRecording: lambda leg, effect: pool.pause_recording(effect.recording_sid, effect.behavior),
            ResumeRecording: lambda leg, effect: pool.resume_recording(effect.recording_sid),
            StopRecording: lambda leg, effect: self._recordings.stop(effect),
            Join: lambda leg, effect: pool.join(
                leg.call_sid, effect.room, muted=effect.muted, hold=effect.hold, coach=effect.coach
            ),
            LeaveRoom: lambda leg, effect: pool.leave(leg.call_sid),
            WatchSpeech: lambda leg, effect: pool.watch_speech(leg.call_sid, effect.on),
            EchoLeg: lambda leg, effect: pool.echo(leg.call_sid, effect.on),
            ReferLeg: self._refer,
            AnswerTransfer: self._answer_transfer,
            BoundDelay: lambda leg, effect: pool.bound_delay(leg.call_sid, effect.milliseconds),
        }

    # --- Carrier -----------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start the media workers, then listen; registers at the trunks that ask for it."""
        assert self.endpoint is not None
        await self._pool.start()
        await self.endpoint.start()
        await self._router.start()
        for trunk in self._router.registrations():
            self.endpoint.register(
                registrar=trunk.host,
                username=trunk.username or "",
                password=trunk.password or "",
                transport=trunk.transport,
            )

    async def stop(self) -> None:
        """End every call, then the workers."""
        assert self.endpoint is not None
        await self._router.stop()
        await self.endpoint.stop()
        for task in list(self._tasks):
            task.cancel()
        await self._pool.stop()

    @property
    def legs(self) -> int:
        """Legs that are live."""
        return len(self._legs)

    async def figures(self) -> dict[str, float]:
        """Numbers for ``/metrics``: what was signalled, and how punctual the media workers are."""
        assert self.endpoint is not None
        counters = asdict(self.endpoint.counters)
        dropped = counters.pop("dropped")
        found = {
            f"sip_{name}" + ("" if name.startswith("live_") else "_total"): float(value)
            for name, value in counters.items()
        }
        found["sip_dropped_total"] = float(sum(dropped.values()))
        workers = await self._pool.worker_stats()
        found["media_legs"] = float(sum(each.legs for each in workers))
        found["media_cpu_seconds_total"] = sum(each.cpu_seconds for each in workers)
        found["media_late_ms_max"] = max((each.late_max_ms for each in workers), default=0.0)
        found["media_late_ms_p99"] = max((each.late_p99_ms for each in workers), default=0.0)
        return found

    def knows(self, call_sid: str) -> bool:
        """Whether it has the leg."""
        return call_sid in self._legs

    def reaches(self, client: str, account_sid: str) -> bool:
        """Whether a phone with that contact is registered (``[phone.NAME]`` ``contact_uri``)."""
        return self._router.has_client(client)

    def probe(self, call_sid: str) -> bool:
        """OPTIONS within the dialog, when no session timer watches over it."""
        leg = self._legs.get(call_sid)
        return leg is not None and leg.call is not None and leg.call.probe()

    def perform(self, effect: LegEffect) -> None:
        """Carry out one effect; effects for a leg that is gone are forgotten on purpose."""
        if isinstance(effect, DialLeg):
            leg = Leg(effect.call_sid, group=effect.group or effect.call_sid)
            self._legs[effect.call_sid] = leg
            self._warm()
            self._start(leg, self._dial(leg, effect))
            return
        known = self._legs.get(effect.call_sid)
        if known is not None:
            self._perform[type(effect)](known, effect)
        elif isinstance(effect, StopRecording):
            self._pool.stop_recording(effect.recording_sid)

    # --- outbound ----------------------------------------------------------------------------------------

    async def _dial(self, leg: Leg, effect: DialLeg) -> None:
        assert self.endpoint is not None
        try:
            way = self._router.route(effect, self._media_host("127.0.0.1"))
        except Unreachable as why:
            self._fail(leg, why.sip_code, why.reason, why.by)
            return
        hops = self._hops_left(leg.group)
        if hops <= 0:
            self._fail(leg, 483, "Too Many Hops", "us")
            return
        leg.trunk, leg.rtp_source = way.trunk, way.rtp_source
        self._router.took(leg.trunk)
        await self._open(leg, way.peer)
        if leg.call_sid not in self._legs:
            self._pool.close(leg.call_sid)
            return
        route = way.route
        leg.call = self.endpoint.invite(
            to=route.uri,
            from_uri=route.from_uri,
            from_display=effect.caller_name,
            sdp=self._offer(leg),
            transport=route.transport,
            next_hop=route.next_hop,
            credentials=route.credentials,
            headers=[*route.headers, *effect.headers],
            call_id=f"{leg.call_sid}@ringback",  # so that the trunk's records name the call
            max_forwards=hops,
        )
        leg.call.context = leg

    def _hops_left(self, group: str) -> int:
        """Of a new leg, by those that its caller's call has left (RFC 7332): a call that is sent round ends."""
        caller = self._legs.get(group)
        facts = caller.call.request if caller is not None and caller.call is not None else None
        return MAX_FORWARDS if facts is None else facts.forwards - 1

    async def _open(self, leg: Leg, peer: str) -> None:
        """Have an RTP port opened, and note the address that the peer reaches it at."""
        try:
            leg.local = (self._media_host(peer), (await self._pool.open(leg.call_sid, group=leg.group))[1])
        except MediaError as error:
            raise MediaError(f"no audio for the call: {error}") from error
        leg.session = leg.local[1]

    def _offer(self, leg: Leg) -> bytes:
        assert leg.local is not None
        leg.version += 1
        return sdp.write_offer(*leg.local, session_id=leg.session, version=leg.version)

    def early(self, call: SipCall, code: int, body: bytes | None) -> None:
        """18x: it rings; with a description there is early media."""
        leg: Leg = call.context
        if leg is None:
            return
        early = body is not None and self._agree(leg, body)
        self._post(LegRinging(call_sid=leg.call_sid, early_media=early))

    def answered(self, call: SipCall, body: bytes | None) -> None:
        """2xx to our INVITE."""
        leg: Leg = call.context
        if not self._agree(leg, body) and leg.audio is None:
            log.warning("%s: answered without audio that we can use; hanging up", leg.call_sid)
            call.hangup()
            self._fail(leg, 488, "no common codec", "callee")
            return
        self._post(LegAnswered(call_sid=leg.call_sid, sip_call_id=call.call_id))

    # --- inbound -----------------------------------------------------------------------------------------

    def authorize(self, request: Request, source: Source) -> Authorization:
        """INVITEs: trusted networks and trunks pass, phones by digest. REGISTER: always by digest."""
        if request.method != "REGISTER" and self._router.trusted(source.host):
            return Authorization("trusted")
        return Authorization("digest", realm=REALM, password=self._router.password)

    def incoming(self, call: SipCall) -> None:
        """A new INVITE that has passed the authorisation."""
        facts = call.request
        assert facts is not None, "an inbound call has the INVITE that began it"
        leg = Leg(self._new_sid("CA"), call=call)
        leg.group = leg.call_sid
        leg.rtp_source = self._router.rtp_source(facts.source[0], facts.username)
        call.context = leg
        self._legs[leg.call_sid] = leg
        self._warm()
        client = self._router.client_of(facts.username, facts.from_user, facts.source)
        caller = shown_caller(facts)
        if client and not facts.private:
            caller = client
        withheld = is_withheld(caller)
        self._post(
            CallArrived(
                call_sid=leg.call_sid,
                carrier=self.name,
                from_=caller,
                to=number_of(facts.to_user),
                caller_name=None if withheld else facts.from_display or None,
                parameters=custom_parameters(facts) if client else (),
                forwarded_from=caller_of(*facts.forwarded_from, "") if facts.forwarded_from else None,
                sip=SipFacts(
                    call_id=call.call_id,
                    source_ip=facts.source[0],
                    domain=facts.to_host,
                    username=facts.username or ("" if withheld else facts.from_user),
                    headers=tuple(facts.x_headers.items()),
                ),
            )
        )

    def _ring(self, leg: Leg, effect: RingLeg) -> None:
        if leg.call is not None:
            leg.call.ring()

    def _answer(self, leg: Leg, effect: AnswerLeg) -> None:
        self._start(leg, self._open_and_answer(leg))

    async def _open_and_answer(self, leg: Leg) -> None:
        call = leg.call
        assert call is not None
        await self._open(leg, call.source_host)
        if leg.call_sid not in self._legs:
            self._pool.close(leg.call_sid)
            return
        if call.remote_sdp is None:
            # No offer: ours goes out in the 200, the answer comes with the ACK (RFC 3261 §13.2.1).
            call.answer(self._offer(leg))
        else:
            try:
                body = self._take_offer(leg, call.remote_sdp)
            except sdp.BadSdp as why:
                call.reject(488)
                self._fail(leg, 488, str(why), "callee")
                return
            call.answer(body)
        self._post(LegAnswered(call_sid=leg.call_sid))

    def confirmed(self, call: SipCall) -> None:
        """The ACK for our 200; it brings the answer when the offer was ours."""
        leg: Leg = call.context
        if leg is not None and leg.audio is None and call.remote_sdp is not None:
            self._agree(leg, call.remote_sdp)

    def _reject(self, leg: Leg, effect: RejectLeg) -> None:
        if leg.call is not None:
            leg.call.reject(effect.sip_code, effect.reason or None)
        self._forget(leg)

    # --- while it lasts ----------------------------------------------------------------------------------

    def reoffer(self, call: SipCall, body: bytes | None) -> bytes | Refusal:
        """re-INVITE or UPDATE: hold, a new address, a new codec."""
        leg: Leg = call.context
        if leg is None or leg.local is None:
            return Refusal(491, "Request Pending")
        if body is None:
            return self._offer(leg)
        try:
            return self._take_offer(leg, body)
        except sdp.BadSdp as why:
            log.info("%s: a re-INVITE was refused: %s", leg.call_sid, why)
            return Refusal(488)

    def _take_offer(self, leg: Leg, body: bytes) -> bytes:
        """Answer the far end's offer and connect the audio accordingly; raises ``BadSdp``."""
        assert leg.local is not None
        leg.version += 1
        answer, leg.audio = sdp.answer_offer(body, *leg.local, session_id=leg.session, version=leg.version)
        self._connect(leg)
        return answer

    def reanswered(self, call: SipCall, body: bytes | None) -> None:
        """The answer to a re-INVITE of ours."""
        if call.context is not None and body is not None:
            self._agree(call.context, body)

    def info(self, call: SipCall, content_type: str, body: bytes) -> None:
        """INFO with a key (application/dtmf-relay): phones that send neither RFC 4733 nor tones."""
        leg: Leg = call.context
        key = key_of(content_type, body)
        if leg is not None and key:
            self._post(DigitPressed(call_sid=leg.call_sid, digit=key))

    def referred(self, call: SipCall, refer_to: str) -> None:
        """A phone asks for a transfer; ``AnswerTransfer`` says what becomes of it."""
        leg: Leg = call.context
        if leg is not None:
            self._post(TransferAsked(call_sid=leg.call_sid, target=refer_to))

    def _refer(self, leg: Leg, effect: ReferLeg) -> None:
        if leg.call is not None:
            leg.call.refer(effect.target)

    def _answer_transfer(self, leg: Leg, effect: AnswerTransfer) -> None:
        if leg.call is not None:
            leg.call.notify_refer(effect.sip_code, "OK" if effect.sip_code < 300 else "Decline")

    def refer_answered(self, call: SipCall, code: int) -> None:
        """The final response to a REFER of ours."""
        leg: Leg = call.context
        if leg is not None:
            self._post(ReferAnswered(call_sid=leg.call_sid, sip_code=code))

    def refer_notified(self, call: SipCall, code: int) -> None:
        """How the call goes that a REFER of ours asked for."""
        leg: Leg = call.context
        if leg is not None:
            self._post(ReferNotified(call_sid=leg.call_sid, sip_code=code))

    def _play(self, leg: Leg, effect: PlayAudio) -> None:
        self._prompts.play(effect)

    def _stop_audio(self, leg: Leg, effect: StopAudio) -> None:
        self._prompts.stop(leg.call_sid, effect.playback)

    # --- the end -----------------------------------------------------------------------------------------

    def _hang_up(self, leg: Leg, effect: HangUpLeg) -> None:
        if leg.call is not None:
            leg.call.hangup()
        else:
            self._fail(leg, 487, "cancelled before it was dialled", "us")

    def failed(self, call: SipCall, code: int, reason: str, source: FailedBy) -> None:
        """An INVITE, ours or theirs, ended without an answer."""
        leg: Leg = call.context
        if leg is not None:
            self._fail(leg, code, reason, BY.get(source, "carrier"))

    def ended(self, call: SipCall, by: EndedBy, reason: str) -> None:
        """An answered call is over."""
        leg: Leg = call.context
        if leg is not None and leg.call_sid in self._legs:
            self._forget(leg)
            self._post(LegEnded(call_sid=leg.call_sid, by=by, reason=reason))

    def _fail(self, leg: Leg, code: int, reason: str, by: Any) -> None:
        if leg.call_sid in self._legs:
            sip_call_id = leg.call.call_id if leg.call is not None else ""
            self._forget(leg)
            self._post(
                LegFailed(call_sid=leg.call_sid, sip_code=code, reason=reason, by=by, sip_call_id=sip_call_id)
            )

    def _forget(self, leg: Leg) -> None:
        self._legs.pop(leg.call_sid, None)
        self._prompts.close(leg.call_sid)
        self._router.gave_back(leg.trunk)
        leg.trunk = ""
        leg.call = None  # the call refers to the leg: so they are freed without a collection of garbage
        if leg.local is not None:
            self._pool.close(leg.call_sid)

    # --- audio -------------------------------------------------------------------------------------------

    def _agree(self, leg: Leg, body: bytes | None) -> bool:
        """Take the far end's answer to our offer; False when there is nothing usable in it."""
        if body is None:
            return False
        try:
            leg.audio = sdp.read_answer(body)
        except sdp.BadSdp as why:
            log.info("%s: %s", leg.call_sid, why)
            return False
        self._connect(leg)
        return True

    def _connect(self, leg: Leg) -> None:
        audio = leg.audio
        assert audio is not None
        self._pool.connect(
            leg.call_sid,
            (audio.remote_host, audio.remote_port),
            audio.codec,
            audio.payload_type,
            audio.telephone_event,
            send=audio.direction in ("sendrecv", "sendonly"),
            receive=audio.direction in ("sendrecv", "recvonly"),
            others=self._other_source(leg, audio.remote_host),
        )

    def _other_source(self, leg: Leg, told: str) -> str:
        """Where audio may come from besides the described address (`media.Connect.others`): behind NAT, from where
        the signalling comes, which an attacker cannot choose."""
        if leg.rtp_source == "any":
            return "*"
        call = leg.call
        if leg.rtp_source == "told" or call is None or not call.source_host:
            return ""
        return call.source_host if call.behind_nat or not is_reachable(told, call.source_host) else ""

    def report(self, report: Any) -> None:
        """What the media workers say."""
        if self._recordings.take(report):
            return
        if isinstance(report, media.Digit):
            self._post(DigitPressed(call_sid=report.leg, digit=report.digit))
        elif isinstance(report, media.Speech):
            self._post(SpeechChanged(call_sid=report.leg, speaking=report.speaking))
        elif isinstance(report, media.PlaybackDone):
            self._prompts.ended(
                report.leg, report.playback, report.position_seconds, report.completed, report.error
            )
        elif isinstance(report, media.LegLost):
            leg = self._legs.get(report.leg)
            if leg is not None and leg.call is not None:
                log.error("%s: its media worker died; hanging up", leg.call_sid)
                leg.call.hangup()

    def _start(self, leg: Leg | None, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)

        def ended(done: asyncio.Task[None]) -> None:
            self._tasks.discard(done)
            if not done.cancelled() and done.exception() is not None:
                log.error(
                    "%s: %s", leg.call_sid if leg else "media", done.exception(), exc_info=done.exception()
                )
                if leg is not None:
                    if leg.call is not None:
                        leg.call.hangup()
                    self._fail(leg, 500, "internal error", "us")

        task.add_done_callback(ended)
