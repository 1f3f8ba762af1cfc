"""One simulated leg and the party at its far end: plain state, what it heard, what it will do."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Literal

from ringback.edges.simulator.script import Expect, Step
from ringback.edges.simulator.sound import Piece
from ringback.edges.simulator.take import Take
from ringback.kernel.clock import Alarm

MOST_HEARD = 1000
MOST_PENDING = 2000


class Playing:
    """A playback on a leg."""

    __slots__ = ("account", "alarm", "at", "endless", "id", "pieces", "round", "rounds", "started")

    def __init__(self, playback: str, pieces: list[Piece], rounds: int, started: float, account: str) -> None:
        self.id = playback
        self.account = account
        self.pieces = pieces
        self.rounds = rounds
        self.endless = rounds == 0
        self.round = 0
        self.at = 0
        self.started = started
        self.alarm: Alarm | None = None


class Party:
    """A leg of the simulated carrier; ``peer`` is the other leg when it loops back to ourselves."""

    __slots__ = (
        "account_sid", "alarm", "alarms", "answered", "cursor", "direction", "echo", "expecting", "failed", "fetching",
        "from_", "heard", "hops", "keys", "matched", "over", "peer", "playing", "room", "sid", "started", "status",
        "steps", "takes", "to", "watchers",
    )  # fmt: skip

    def __init__(
        self,
        sid: str,
        direction: Literal["in", "out"],
        from_: str,
        to: str,
        started: float,
        steps: Iterable[Step],
        account_sid: str = "",
    ) -> None:
        """``account_sid``: whose call it is, where that is known from the start."""
        self.sid = sid
        self.account_sid = account_sid
        self.direction = direction
        self.from_ = from_
        self.to = to
        self.started = started
        self.status = "ringing" if direction == "in" else "queued"
        self.answered = False
        self.over = False
        self.failed = ""
        self.heard: list[dict[str, Any]] = []
        self.matched: list[str] = []
        """Texts (and kinds) heard to their end, lower case; ``cursor`` is the first one not yet expected."""
        self.cursor = 0
        self.steps: deque[Step] = deque(steps)
        self.keys = ""
        self.expecting: Expect | None = None
        self.alarm: Alarm | None = None
        """The wait of the script step that is under way."""
        self.alarms: list[Alarm] = []
        """Ringing and answering."""
        self.playing: dict[str, Playing] = {}
        self.takes: dict[str, Take] = {}
        self.room: str | None = None
        self.echo = False
        """It hears itself."""
        self.peer: Party | None = None
        self.hops = 0
        """How often the call has come back to us already."""
        self.fetching = False
        """A ``play`` step is finding out how long its sound is."""
        self.watchers: list[Callable[[], None]] = []

    def hear(self, now: float, kind: str, text: str) -> None:
        """Note the beginning of something heard."""
        if len(self.heard) < MOST_HEARD:
            self.heard.append({"at": round(now - self.started, 3), "kind": kind, "text": text})
        for watcher in list(self.watchers):
            watcher()

    def heard_out(self, kind: str, text: str) -> None:
        """Note that something was heard to its end: from now on an ``expect`` can meet it."""
        self.matched.append(f"{kind}\n{' '.join(text.lower().split())}")
        if len(self.matched) > MOST_HEARD:
            drop = len(self.matched) - MOST_HEARD
            del self.matched[:drop]
            self.cursor = max(0, self.cursor - drop)

    def meets(self, expect: Expect) -> bool:
        """Whether what was heard since the last match has the text; moves the cursor behind it."""
        wanted = " ".join(expect.text.lower().split())
        for index in range(self.cursor, len(self.matched)):
            kind, _, text = self.matched[index].partition("\n")
            if wanted == kind or wanted in text:
                self.cursor = index + 1
                return True
        return False

    def answer(self) -> dict[str, Any]:
        """The JSON of ``GET /sim/v1/Calls/CA…``."""
        shown: dict[str, Any] = {
            "sid": self.sid,
            "from": self.from_,
            "to": self.to,
            "direction": "inbound" if self.direction == "in" else "outbound",
            "status": self.status,
            "heard": list(self.heard),
        }
        if self.failed:
            shown["failed"] = self.failed
        return shown
