"""One leg of a call: its record, its plan, what it asks of the outside, and what others keep with it."""

from __future__ import annotations

from typing import Any, TypeVar

from ringback.effects import Effect, FetchDocument, Save, StartTimer, StopTimer
from ringback.events import DocumentFetched
from ringback.kernel.lane import Lane
from ringback.resources.api.call import Call
from ringback.voice.alerts import alert
from ringback.voice.board import Board
from ringback.voice.call.plan import Plan

T = TypeVar("T")

WARNING_LIMIT = 200
"""Debugger entries of one call."""


class Leg:
    """The state of a leg. Effects gather in ``out``."""

    def __init__(self, board: Board, call: Call, plan: Plan, now: float) -> None:
        self.board, self.call, self.plan, self.now = board, call, plan, now
        self.lane = Lane("call", call.sid)
        self.out: list[Effect] = []
        self.answered = call.status == "in-progress"
        self.asked: FetchDocument | None = None
        """The request for the running document; None: inline."""
        self._count = 0
        self._warnings: set[tuple[int, str]] = set()
        self._parts: dict[type[Any], Any] = {}

    def forget(self) -> None:
        """The last effect is out: nothing is kept, so that what refers back to the leg does not keep it either.

        What refers to itself is found by a full collection of garbage only, and that stops every other call.
        """
        vars(self).clear()

    # --- what a verb, or a folder of the voice core, adds to a leg: one object of a type of its own ---

    def keep(self, part: object) -> None:
        """Keep something with the leg; it takes the place of what was kept of the same type."""
        self._parts[type(part)] = part

    def part(self, kind: type[T]) -> T | None:
        """What is kept of a type; None: nothing."""
        return self._parts.get(kind)

    def drop(self, *kinds: type[Any]) -> None:
        """Keep nothing of these types any more."""
        for kind in kinds:
            self._parts.pop(kind, None)

    # --- effects --------------------------------------------------------------------------------------

    def do(self, effect: Effect) -> None:
        """Ask the outside for something."""
        self.out.append(effect)

    def fresh(self, kind: str) -> str:
        """A name that is unique within the call."""
        self._count += 1
        return f"{kind}{self._count}"

    def timer(self, name: str, seconds: float, *, pulls: bool = True) -> None:
        """Start or restart a timer of this call."""
        self.do(StartTimer(lane=self.lane, name=name, seconds=float(seconds), pulls=pulls))

    def stop_timer(self, name: str) -> None:
        """Forget a timer."""
        self.do(StopTimer(lane=self.lane, name=name))

    def save(self) -> None:
        """Save the record as it is now."""
        self.call.date_updated = self.now
        self.call.plan = self.plan.to_json()
        self.do(Save(self.call.copy()))

    def warn(
        self, code: int, text: str, *, resource: str | None = None, answer: DocumentFetched | None = None
    ) -> None:
        """One debugger entry, with the request whose document runs; the same one is written once a call.

        ``answer``: what came of that request, when that is what the entry is about.
        """
        if (code, text) in self._warnings or len(self._warnings) >= WARNING_LIMIT:
            return
        self._warnings.add((code, text))
        self.do(
            alert(
                self.board.new_sid, self.now,
                account_sid=self.call.account_sid, call_sid=self.call.sid, code=code, text=text,
                request=self.asked, answer=answer, resource_sid=resource,
            )
        )  # fmt: skip
