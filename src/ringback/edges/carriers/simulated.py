"""The simulated carrier: callees from a phone book, scripted callers, no audio but its timing (surface.md).

Every wait is an alarm of the clock; there is a task only where something is asked of others (is this
number ours, how long is that sound, write this recording), and it holds the clock meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ringback.edges.simulator import book as phone_book
from ringback.edges.simulator.book import Behaviour, PhoneBook
from ringback.edges.simulator.faults import Faults
from ringback.edges.simulator.listening import Listening
from ringback.edges.simulator.party import MOST_PENDING, Party
from ringback.edges.simulator.recorder import Recorder
from ringback.edges.simulator.script import Expect, HangUp, Play, Press, Say, Step, Wait
from ringback.edges.simulator.sound import speech_seconds
from ringback.edges.simulator.speaking import Speaking
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
    EndedBy,
    Event,
    LegAnswered,
    LegEnded,
    LegFailed,
    LegRinging,
    ReferAnswered,
)
from ringback.kernel.clock import Clock, Hold
from ringback.media import RATE

log = logging.getLogger("ringback.simulated")

RING_AFTER = 0.1
KEY_SECONDS = 0.1
REACTION = 0.3
"""Seconds before a simulated person acts on what was heard (or on being answered), as people do: what the
other side does next (start a recording, join two legs) is then in place."""
MOST_LIVE = 20_000
MOST_HOPS = 20
"""How often a call may come back to our own numbers: one whose document dials its own number would do so for ever."""
KEPT = 1_000
"""Ended calls whose story can still be asked for."""
_KEY_WAITS = {"w": 0.5, "W": 1.0}


class CarrierDown(Exception):
    """The tester ordered ``carrier_down``, or too many calls are live."""


class SimulatedCarrier:
    """A :class:`~ringback.edges.carriers.Carrier` without a network."""

    name = "simulated"

    def __init__(
        self,
        *,
        post: Callable[[Event], None],
        clock: Clock,
        new_sid: Callable[[str], str],
        is_ours: Callable[[str], Awaitable[bool]],
        sound_seconds: Callable[[str, str], Awaitable[float]] | None = None,
        render_speech: Callable[[str], Awaitable[Path]] | None = None,
        recordings: Path = Path("recordings"),
        faults: Faults | None = None,
        note: Callable[[str, str], None] | None = None,
    ) -> None:
        """``sound_seconds(url, account)`` gives a sound's length or raises; ``render_speech(text)`` a WAV file;
        ``note``: see :class:`Recorder`."""
        self._post = post
        self._clock = clock
        self._new_sid = new_sid
        self._is_ours = is_ours
        self._sound_seconds = sound_seconds
        self.faults = faults or Faults()
        self.book = PhoneBook()
        self._live: dict[str, Party] = {}
        self._ended: OrderedDict[str, Party] = OrderedDict()
        self._rooms: dict[str, dict[str, Join]] = {}
        """How each leg takes part in its room."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._recorder = Recorder(
            clock=clock, post=post, spawn=self._spawn, render=render_speech, recordings=recordings, note=note
        )
        self._speaking = Speaking(clock=clock, post=post)
        self._listening = Listening(
            clock=clock, post=post, spawn=self._spawn, seconds_of=sound_seconds, reached=self._reached
        )
        self._perform: dict[type[LegEffect], Callable[[Party, Any], None]] = {
            RingLeg: self._ring,
            AnswerLeg: self._answer,
            RejectLeg: self._reject,
            HangUpLeg: self._hang_up,
            PlayAudio: lambda party, effect: self._listening.play(party, effect),
            StopAudio: lambda party, effect: self._listening.stop(party, effect.playback),
            RecordLeg: self._record,
            PauseRecording: lambda party, effect: self._recorder.pause(party, effect),
            ResumeRecording: lambda party, effect: self._recorder.resume(party, effect),
            StopRecording: lambda party, effect: self._recorder.stop(party, effect.recording_sid),
            RecordRoom: self._record_room,
            Join: self._join,
            LeaveRoom: lambda party, _: self._leave(party),
            WatchSpeech: lambda party, effect: self._speaking.watch(party.sid, effect.on),
            EchoLeg: self._echo,
            ReferLeg: lambda party, _: post(ReferAnswered(call_sid=party.sid, sip_code=0)),
            AnswerTransfer: lambda party, _: None,  # a simulated party asks for none
            BoundDelay: lambda party, _: None,  # simulated sound is never late
        }

    # --- the carrier ------------------------------------------------------------------------------

    async def start(self) -> None:
        """Nothing to open."""

    async def stop(self) -> None:
        """End every leg; recordings are written before this returns."""
        for party in list(self._live.values()):
            self._end(party, "carrier", 503)
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    @property
    def live(self) -> int:
        """Legs that are live."""
        return len(self._live)

    def knows(self, call_sid: str) -> bool:
        """Whether the leg is live."""
        return call_sid in self._live

    def reaches(self, client: str, account_sid: str) -> bool:
        """Whether the phone book says how that identity behaves: it has a simulated device then."""
        return self.book.find(client, account_sid) is not None

    def probe(self, call_sid: str) -> bool:
        """A simulated far end never vanishes without a word."""
        return False

    def perform(self, effect: LegEffect) -> None:
        """Carry out an effect; for a leg that is gone it is forgotten on purpose."""
        if isinstance(effect, DialLeg):
            self._dial(effect)
            return
        party = self._live.get(effect.call_sid)
        if party is not None:
            self._perform[type(effect)](party, effect)
        elif isinstance(effect, StopRecording):
            self._recorder.stop_room(effect.recording_sid)  # it may outlive the leg that began it

    # --- what testers do (``/sim/v1``) --------------------------------------------------------------

    def place(
        self,
        from_: str,
        to: str,
        script: Sequence[Step] = (),
        account_sid: str = "",
        parameters: Sequence[tuple[str, str]] = (),
    ) -> str:
        """A simulated customer (or a worker: ``client:…``, with their app's ``parameters``) calls ``to``; gives the
        call's SID. ``account_sid``: who may ask for its story.

        Raises :class:`CarrierDown`."""
        if self.faults.take("carrier_down", {"from": from_, "to": to}):
            raise CarrierDown("the simulated carrier is down (a fault that was ordered)")
        if len(self._live) >= MOST_LIVE:
            raise CarrierDown(f"{MOST_LIVE} simulated calls are live")
        party = self._arrive(from_, to, script, account_sid=account_sid, parameters=parameters)
        self._next(party)
        return party.sid

    def add_steps(self, sid: str, script: Sequence[Step]) -> bool:
        """More steps for a live call; False when it is over, ``KeyError`` when there is none,
        ``ValueError`` when too many steps wait."""
        party = self._live.get(sid)
        if party is None:
            self._ended[sid]
            return False
        if len(party.steps) + len(script) > MOST_PENDING:
            raise ValueError(f"more than {MOST_PENDING} steps would wait")
        party.steps.extend(script)
        self._next(party)
        return True

    def call(self, sid: str) -> Party | None:
        """A live call, or one of the last that ended."""
        return self._live.get(sid) or self._ended.get(sid)

    # --- setting up ---------------------------------------------------------------------------------

    def _arrive(
        self,
        from_: str,
        to: str,
        script: Sequence[Step],
        peer: Party | None = None,
        account_sid: str = "",
        parameters: Sequence[tuple[str, str]] = (),
    ) -> Party:
        party = Party(self._new_sid("CA"), "in", from_, to, self._clock.now(), script, account_sid)
        if peer is not None:
            party.peer, party.hops = peer, peer.hops + 1
        self._live[party.sid] = party
        self._post(
            CallArrived(
                call_sid=party.sid, carrier=self.name, from_=from_, to=to, parameters=tuple(parameters)
            )
        )
        return party

    def _dial(self, effect: DialLeg) -> None:
        party = Party(
            effect.call_sid, "out", effect.from_, effect.to, self._clock.now(), (), effect.account_sid
        )
        caller = self._live.get(effect.group)
        party.hops = 0 if caller is None else caller.hops
        self._live[party.sid] = party
        if self.faults.take("carrier_down", {"from": effect.from_, "to": effect.to}):
            self._fail(party, 503, "the carrier is down", "carrier")
            return
        known = self.book.find(effect.to, effect.account_sid)
        if known is not None:
            self._behave(party, known)
        else:
            self._spawn(self._find_out(party))

    async def _find_out(self, party: Party) -> None:
        ours = await self._is_ours(party.to)
        if party.over:
            return
        if ours and party.hops >= MOST_HOPS:
            self._fail(party, 483, "Too Many Hops", "carrier")
        elif ours:
            party.peer = self._arrive(party.from_, party.to, (), party)
        else:
            self._behave(party, phone_book.DEFAULT)

    def _behave(self, party: Party, how: Behaviour) -> None:
        if how.answers in phone_book.RINGS and (how.answers != "answer" or how.after > RING_AFTER):
            self._later(party, RING_AFTER, lambda: self._rings(party))
        if how.answers == "answer":
            party.steps.extend(how.script)
            self._later(party, how.after, lambda: self._answered(party))
        elif how.answers != "no-answer":
            code, reason = phone_book.REFUSALS[how.answers]
            by = "carrier" if how.answers in ("invalid", "unreachable", "congestion") else "callee"
            self._later(party, how.after, lambda: self._fail(party, code, reason, by))

    def _later(self, party: Party, seconds: float, function: Callable[[], None]) -> None:
        if party.over:
            return
        party.alarms.append(self._clock.call_at(self._clock.now() + seconds, function))

    def _rings(self, party: Party) -> None:
        if not party.over and not party.answered:
            party.status = "ringing"
            self._post(LegRinging(call_sid=party.sid))

    def _answered(self, party: Party) -> None:
        if party.over or party.answered:
            return
        party.answered = True
        party.status = "in-progress"
        self._post(LegAnswered(call_sid=party.sid))
        if party.steps and isinstance(party.steps[0], Press | Say | Play) and party.alarm is None:
            self._step_takes(party, REACTION)
        else:
            self._next(party)

    def _ring(self, party: Party, _: RingLeg) -> None:
        if party.direction == "in" and not party.answered:
            party.hear(self._clock.now(), "ringback", "")
            party.heard_out("ringback", "")
            if party.peer is not None:
                self._rings(party.peer)

    def _answer(self, party: Party, _: AnswerLeg) -> None:
        self._answered(party)
        if party.peer is not None:
            self._answered(party.peer)

    # --- ending -------------------------------------------------------------------------------------

    def _reject(self, party: Party, effect: RejectLeg) -> None:
        if party.answered:
            return
        peer = party.peer
        party.hear(self._clock.now(), "busy", effect.reason)
        self._close(party, _status_of(effect.sip_code))
        if peer is not None:
            self._fail(peer, effect.sip_code, effect.reason, "callee")

    def _hang_up(self, party: Party, effect: HangUpLeg) -> None:
        peer = party.peer
        self._end(party, "local", 487)
        if peer is not None:
            self._end(peer, "remote", 487 if peer.direction == "in" else 480)

    def _customer_hangs_up(self, party: Party) -> None:
        self._end(party, "remote", 487)

    def _end(self, party: Party, by: EndedBy, code: int) -> None:
        """The leg is over, whoever ended it; an unanswered one failed with ``code``."""
        if party.over:
            return
        if party.answered:
            self._close(party, "completed")
            self._post(LegEnded(call_sid=party.sid, by=by))
        elif party.direction == "in" and by == "local":
            self._close(party, "failed")  # we refused it: the voice core knows
        else:
            side = {"local": "us", "carrier": "carrier"}.get(by, "callee")
            self._fail(party, code, "cancelled" if code == 487 else "", side)

    def _fail(self, party: Party, code: int, reason: str, by: Any) -> None:
        if party.over:
            return
        self._close(party, "canceled" if code == 487 else _status_of(code))
        self._post(LegFailed(call_sid=party.sid, sip_code=code, reason=reason, by=by))

    def _close(self, party: Party, status: str) -> None:
        party.over = True
        party.status = status
        for alarm in party.alarms:
            alarm.cancel()
        party.alarms.clear()
        if party.alarm is not None:
            party.alarm.cancel()
            party.alarm = None
        if party.expecting is not None and not party.failed:
            party.failed = f"the call ended while expecting {party.expecting.text!r}"
        party.expecting = None
        party.steps.clear()
        self._listening.close(party)
        self._speaking.watch(party.sid, False)
        self._leave(party)
        party.peer = None
        del self._live[party.sid]
        self._ended[party.sid] = party
        if len(self._ended) > KEPT:
            self._ended.popitem(last=False)
        self._recorder.close(party)
        for watcher in list(party.watchers):
            watcher()

    # --- the script -----------------------------------------------------------------------------------

    def _next(self, party: Party) -> None:
        """Begin the next step, if none is under way; keys and sounds wait for the answer."""
        while not (party.over or party.alarm is not None or party.expecting is not None or party.fetching):
            if party.keys:
                self._key(party)
                return
            if not party.steps or (not party.answered and isinstance(party.steps[0], Press | Say | Play)):
                return
            step = party.steps.popleft()
            if isinstance(step, Wait):
                self._step_takes(party, step.seconds)
            elif isinstance(step, Press):
                party.keys = step.keys
            elif isinstance(step, Say):
                seconds = speech_seconds(step.text)
                self._says(party, "speech", step.text, seconds)
                self._step_takes(party, seconds)
            elif isinstance(step, Play):
                self._play_step(party, step.source)
            elif isinstance(step, Expect):
                if not party.meets(step):
                    party.expecting = step
                    party.alarm = self._clock.call_at(
                        self._clock.now() + step.within, partial(self._not_heard, party)
                    )
            else:
                assert isinstance(step, HangUp)
                self._customer_hangs_up(party)

    def _step_takes(self, party: Party, seconds: float) -> None:
        if party.over:
            return  # what the step did ended the call
        party.alarm = self._clock.call_at(self._clock.now() + seconds, lambda: self._step_over(party))

    def _step_over(self, party: Party) -> None:
        party.alarm = None
        self._next(party)

    def _key(self, party: Party) -> None:
        key, party.keys = party.keys[0], party.keys[1:]
        pause = _KEY_WAITS.get(key)
        if pause is None:
            self._presses(party, key.upper())
        self._step_takes(party, pause or KEY_SECONDS)

    def _presses(self, party: Party, key: str) -> None:
        self._recorder.sound(party, 0, KEY_SECONDS, "keys", key)
        self._post(DigitPressed(call_sid=party.sid, digit=key))
        for mate in self._mates(party):
            mate.hear(self._clock.now(), "digits", key)
            mate.heard_out("digits", key)

    def _not_heard(self, party: Party) -> None:
        assert party.expecting is not None
        expecting, party.expecting, party.alarm = party.expecting, None, None
        party.failed = f"expected {expecting.text!r} within {expecting.within:g} s, but did not hear it"
        self._customer_hangs_up(party)

    def _reached(self, party: Party, kind: str, text: str) -> None:
        """The party heard something to its end: perhaps what it expects. Loops hand it to the peer."""
        party.heard_out(kind, text)
        if party.expecting is not None and party.meets(party.expecting):
            party.expecting = None
            if party.alarm is not None:
                party.alarm.cancel()
            self._step_takes(party, REACTION)
        for watcher in list(party.watchers):
            watcher()
        if party.peer is not None and party.answered and not party.over:
            if kind == "digits":
                for key in text:
                    if key not in _KEY_WAITS:
                        self._presses(party.peer, key)
            elif kind in ("say", "play", "beep"):
                self._says(party.peer, "speech", text, speech_seconds(text))

    def _play_step(self, party: Party, source: str) -> None:
        party.fetching = True
        self._spawn(self._play_source(party, source))

    async def _play_source(self, party: Party, source: str) -> None:
        try:
            if source.startswith(("http://", "https://")):
                if self._sound_seconds is None:
                    raise ValueError("sounds from URLs are not available here")
                seconds, kind = await self._sound_seconds(source, ""), "speech"  # a stranger's sound
            else:
                from ringback.edges.simulator.wavefile import read_wav

                samples = await asyncio.to_thread(read_wav, Path(source))
                seconds, kind = len(samples) / RATE, "file"
        except Exception as error:  # noqa: BLE001 - told to the tester in the call's story
            if not party.over:
                party.failed = f"cannot play {source!r}: {error}"
                self._customer_hangs_up(party)
            return
        if party.over:
            return
        party.fetching = False
        self._says(party, kind, source, seconds)
        self._step_takes(party, seconds)

    # --- sound between parties --------------------------------------------------------------------------

    def _says(self, party: Party, kind: str, text: str, seconds: float) -> None:
        """The far end of a leg speaks: into its recordings, and to everybody in its room."""
        now = self._clock.now()
        self._recorder.sound(party, 0, seconds, kind, text)
        if party.room is not None and self._is_public(party):
            self._recorder.room_sound(party.room, seconds, kind, text)
        if party.room is not None and self._is_heard(party):
            self._speaking.says(party.sid, seconds)
        for mate in self._mates(party):
            mate.hear(now, "speech", text)
            self._recorder.sound(mate, 1, seconds, kind, text)
            self._later(mate, seconds, partial(self._reached, mate, "speech", text))

    def _mates(self, party: Party) -> list[Party]:
        """Who hears a party: nobody when it is muted or held, one when it coaches; nobody on hold hears."""
        if party.echo:
            return [party]
        if party.room is None:
            return []
        room = self._rooms[party.room]
        own = room[party.sid]
        if own.muted or own.hold:
            return []
        hearers = [sid for sid, join in room.items() if sid != party.sid and not join.hold]
        return [self._live[sid] for sid in hearers if own.coach in (None, sid)]

    def talking_to(self, party: Party) -> list[str]:
        """The numbers of those who hear a simulated party now, and are heard by it."""
        mates = [mate for mate in self._mates(party) if party in self._mates(mate)]
        return [mate.from_ if mate.direction == "in" else mate.to for mate in mates]

    def _is_public(self, party: Party) -> bool:
        """Whether the whole room hears a party."""
        return self._is_heard(party) and not self._rooms[party.room or ""][party.sid].coach

    def _is_heard(self, party: Party) -> bool:
        """Whether anybody in its room can hear a party."""
        own = self._rooms[party.room or ""][party.sid]
        return not (own.muted or own.hold)

    def _join(self, party: Party, effect: Join) -> None:
        if party.room != effect.room:
            self._leave(party)
        party.room = effect.room
        self._rooms.setdefault(effect.room, {})[party.sid] = effect
        if effect.muted or effect.hold:
            self._speaking.hush(party.sid)

    def _echo(self, party: Party, effect: EchoLeg) -> None:
        party.echo = effect.on

    def _record_room(self, party: Party, effect: RecordRoom) -> None:
        if party.room == effect.room:
            self._recorder.begin_room(effect)

    def _leave(self, party: Party) -> None:
        room = self._rooms.get(party.room) if party.room is not None else None
        if room is not None and party.room is not None:
            room.pop(party.sid, None)
            if not room:
                del self._rooms[party.room]
                self._recorder.close_room(party.room)
        party.room = None

    def _record(self, party: Party, effect: RecordLeg) -> None:
        if effect.beep_first:
            party.hear(self._clock.now(), "beep", "beep")
            self._later(party, 0.5, lambda: self._begin_recording(party, effect))
        else:
            self._recorder.begin(party, effect)

    def _begin_recording(self, party: Party, effect: RecordLeg) -> None:
        self._recorder.begin(party, effect)
        self._reached(party, "beep", "beep")

    # --- tasks ------------------------------------------------------------------------------------------

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something that asks others; the clock is held until it has ended."""
        task = asyncio.get_running_loop().create_task(_holding(work, self._clock.hold()))
        self._tasks.add(task)
        task.add_done_callback(self._task_over)

    def _task_over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a simulated call went wrong", exc_info=error)


async def _holding(work: Coroutine[Any, Any, None], hold: Hold) -> None:
    try:
        await work
    finally:
        hold.release()


def _status_of(code: int) -> str:
    """The call's status after a refusal, as the simulated party sees it (voice-calls.md §4.1)."""
    if code in (486, 600, 603):
        return "busy"
    return "no-answer" if code in (408, 480, 487) else "failed"
