"""Callers and agents in every order: events of one call stay in order, those of different calls mix at random.

Whatever crosses whatever, at rest nobody is forgotten, nobody is in two places, and nobody waits in vain.
"""

from __future__ import annotations

from collections import Counter, deque
from unittest.mock import patch

from driver import ACCOUNT, BASE, Driver, write
from hypothesis import given, settings
from hypothesis import strategies as st

from ringback import effects as fx
from ringback import events as ev
from ringback.events.queues import TaskCallChanged
from ringback.events.writes import WriteRequested
from ringback.kernel.errors import Refused
from ringback.voice.queue.live import Partner
from ringback.voice.queue.stay import Stay

PAGES: dict[str, str | int] = {
    "/voice": "<Response><Enqueue action='/after' waitUrl='/wait'>support</Enqueue></Response>",
    "/wait": "<Response><Gather numDigits='1'><Pause length='100'/></Gather><Leave/></Response>",
    "/after": "<Response><Pause length='9999'/></Response>",
    "/moved": "<Response><Pause length='9999'/></Response>",
    "/agent": "<Response><Dial hangupOnStar='true'><Queue>support</Queue></Dial><Pause length='9999'/></Response>",
    "/whisperer": "<Response><Dial><Queue url='/whisper'>support</Queue></Dial><Pause length='9999'/></Response>",
    "/whisper": "<Response><Pause length='3'/></Response>",
}


class Lanes(Driver):
    """Every event waits in the lane of its call until :meth:`deliver` takes it, as in the runtime."""

    def __init__(self) -> None:
        super().__init__(PAGES)
        self.lanes: dict[str, deque[ev.Event]] = {}
        self.sids: list[str] = []

    def feed(self, event: ev.Event) -> list[fx.Effect]:
        if not isinstance(event, TaskCallChanged):
            self.lanes.setdefault(event.lane.sid, deque()).append(event)
        return []

    def deliver(self, choice: int) -> bool:
        """One event of one lane; False: nothing waits."""
        waiting = sorted(key for key, lane in self.lanes.items() if lane)
        if not waiting:
            return False
        event = self.lanes[waiting[choice % len(waiting)]].popleft()
        try:
            super().feed(event)
        except Refused:  # REST came too late
            assert isinstance(event, WriteRequested)
        return True

    def begin(self, voice: str) -> None:
        sid = f"CA{len(self.sids):032x}"
        self.sids.append(sid)
        self.arrive(voice, sid)
        self.answered(sid)

    def play_out(self, sid: str) -> None:
        """What the call hears last is played to its end."""
        played = [one for one in self.of(fx.PlayAudio) if one.call_sid == sid]
        if played:
            self.feed(
                ev.PlaybackEnded(call_sid=sid, playback=played[-1].playback, seconds=1.0, completed=True)
            )


STEP = st.tuples(
    st.sampled_from(
        ["customer", "customer", "agent", "whisperer", "hang up", "again", "moved", "star", "played", "leave",
         "timeout", *["deliver"] * 12]
    ),
    st.integers(0, 60),
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(STEP, min_size=10, max_size=120))
def test_at_rest_nobody_is_forgotten(steps: list[tuple[str, int]]) -> None:
    stays: Counter[str] = Counter()
    enter = Stay.enter

    def counted(self: Stay, name: str, limit: int | None, **more: bool) -> str:
        stays[self.session.call.sid] += 1
        return enter(self, name, limit, **more)

    with patch.object(Stay, "enter", counted):
        call = Lanes()
        for what, number in steps:
            call.now += 0.25
            step(call, what, number)
        while call.deliver(len(steps)):
            pass
    at_rest(call, stays)


def step(call: Lanes, what: str, number: int) -> None:
    sid = call.sids[number % len(call.sids)] if call.sids else ""
    if what in ("customer", "agent", "whisperer"):
        call.begin("/voice" if what == "customer" else f"/{what}")
    elif what == "deliver":
        call.deliver(number)
    elif not sid:
        return
    elif what == "hang up":
        call.hangup(sid)
    elif what in ("again", "moved"):
        path = "/voice" if what == "again" else "/moved"
        call.feed(write("Call", "update", sid, params={"Url": [BASE + path]}))
    elif what == "star":
        call.press("*", sid)
    elif what == "played":
        call.play_out(sid)
    elif what == "leave":
        call.fire("gather", sid)
    else:
        call.fire("dial-queue", sid)


def at_rest(call: Lanes, stays: Counter[str]) -> None:
    queues, sessions = call.board.queues, call.board._sessions
    queue = queues.named(ACCOUNT, "support")
    members = list(queue.members.between(0, 10**6)) if queue else []
    diallers = list(queue.diallers.between(0, 10**6)) if queue else []
    assert queues._claims == {}
    assert set(members) | set(diallers) <= sessions.keys()
    assert not (members and diallers), "somebody waits in vain"
    kept = {sid: session.part(Partner) for sid, session in sessions.items()}
    partners = {sid: partner.call_sid for sid, partner in kept.items() if partner is not None}
    assert all(partners.get(other) == sid for sid, other in partners.items()), partners
    assert not partners.keys() & (set(members) | set(diallers))
    rooms: dict[str, str] = {}
    for effect in call.effects:
        if isinstance(effect, fx.Join):
            rooms[effect.call_sid] = effect.room
        elif isinstance(effect, fx.LeaveRoom):
            rooms.pop(effect.call_sid, None)
    live = {sid: room for sid, room in rooms.items() if sid in sessions}
    assert all(live.get(partners.get(sid, "")) == room for sid, room in live.items()), (live, partners)
    finished = Counter(
        dict(one.params)["CallSid"] for one in call.of(fx.FetchDocument) if one.url == BASE + "/after"
    )
    customers = {sid for sid in partners if stays[sid] > finished[sid]}
    for sid, count in stays.items():
        assert finished[sid] == count - (sid in members or sid in customers), sid
