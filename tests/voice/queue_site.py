# ruff: noqa: E501 - documents are easier to read on one line
"""A small call centre for the tests of queues: callers, agents, and what happened to them."""

from __future__ import annotations

from typing import Any

from driver import ACCOUNT, CALL, Driver

from ringback import effects as fx
from ringback import events as ev
from ringback.effects.queues import MakeTask
from ringback.events import queues as qu

AGENT = "CA" + "a" * 32
OTHER = "CA" + "b" * 32
WORKFLOW, WORKSPACE, TASK = "WW" + "1" * 32, "WS" + "1" * 32, "WT" + "1" * 32
RESERVATION = "WR" + "1" * 32
WAIT = "<Response><Say>please wait</Say></Response>"
NEXT = "<Say>next</Say>"
SAY = "<Response><Say>hello</Say><Pause length='9999'/></Response>"


def site(
    enqueue: str, dial: str = "<Dial action='/dialled'><Queue>support</Queue></Dial>", **pages: str
) -> Driver:
    """An application with a caller's document, an agent's, and whatever they name."""
    return Driver({
        "/voice": f"<Response>{enqueue}{NEXT}</Response>", "/agent": f"<Response>{dial}{NEXT}</Response>",
        "/after": SAY, "/dialled": SAY, "/wait": WAIT, "/whisper": WAIT, "/moved": SAY, **pages,
    })  # fmt: skip


def customer(call: Driver, sid: str = CALL) -> None:
    call.arrive(sid=sid)
    call.answered(sid)


def agent(call: Driver, sid: str = AGENT) -> None:
    call.arrive("/agent", sid)
    call.answered(sid)


def waiting(enqueue: str = "<Enqueue action='/after'>support</Enqueue>", **more: str) -> Driver:
    call = site(enqueue, **more)
    customer(call)
    return call


def size(call: Driver, name: str = "support") -> int:
    queue = call.board.queues.named(ACCOUNT, name)
    assert queue is not None
    return queue.size


def rooms(call: Driver) -> dict[str, str]:
    """Who is in which room now."""
    found: dict[str, str] = {}
    for effect in call.effects:
        if isinstance(effect, fx.Join):
            found[effect.call_sid] = effect.room
        elif isinstance(effect, fx.LeaveRoom):
            found.pop(effect.call_sid, None)
    return found


def told(call: Driver) -> list[tuple[str, str]]:
    """What TaskRouter was told: the call, and what changed."""
    posted = [one.event for one in call.of(fx.Post)]
    return [(one.about, one.change) for one in posted if isinstance(one, qu.TaskCallChanged)]


def sounding(call: Driver, sid: str) -> list[Any]:
    """Playbacks of a leg that nobody has stopped."""
    stopped = {(one.call_sid, one.playback) for one in call.of(fx.StopAudio)}
    return [
        one.items[0]
        for one in call.of(fx.PlayAudio)
        if one.call_sid == sid and (sid, one.playback) not in stopped
    ]


ENQUEUE = f"<Enqueue action='/after' workflowSid='{WORKFLOW}'><Task priority='5' timeout='60'>{{\"skill\": \"x\"}}</Task></Enqueue>"


def with_task(made: bool = True, **more: str) -> Driver:
    call = waiting(ENQUEUE, **more)
    if made:
        make(call)
    return call


def make(call: Driver, **facts: Any) -> None:
    request = call.of(MakeTask)[-1].request
    good = {"workspace_sid": WORKSPACE, "task_sid": TASK}
    call.feed(qu.TaskMade(call_sid=CALL, request=request, **(facts or good)))


class Held(Driver):
    """A driver that keeps back what calls post to each other until it is told to let go."""

    held: list[ev.Event] | None = None

    def _perform(self, effect: fx.Effect) -> None:
        if isinstance(effect, fx.Post) and self.held is not None:
            self.held.append(effect.event)
        else:
            super()._perform(effect)

    def release(self) -> None:
        held, self.held = self.held or [], None
        for event in held:
            self.feed(event)
