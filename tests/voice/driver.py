"""A deterministic driver of the voice core: a web application, a carrier and timers, all by hand."""

from __future__ import annotations

from itertools import count
from typing import Any

from ringback import effects as fx
from ringback import events as ev
from ringback.events.writes import NewCall, WriteRequested
from ringback.kernel.lane import Lane
from ringback.resources.api.alert import Alert
from ringback.resources.api.call import Call
from ringback.resources.api.recording import Recording
from ringback.voice.board import VoiceSettings
from ringback.voice.switchboard import Switchboard

ACCOUNT = "AC" + "0" * 32
CALL = "CA" + "1" * 32
BASE = "http://app.test"


def write(
    noun: str, operation: Any, sid: str, lane: Lane | None = None, params: Any = (), **fields: Any
) -> WriteRequested:
    """A REST write, in the lane of the call ``sid`` unless another is given."""
    form = {name: value if isinstance(value, list) else [value] for name, value in dict(params).items()}
    fields = {"account_sid": ACCOUNT, **fields}
    lane = lane or Lane("call", sid)
    return WriteRequested(lane=lane, noun=noun, operation=operation, sid=sid, params=form, **fields)


def _nobody(event: ev.Event, now: float) -> list[fx.Effect]:
    """The lanes of TaskRouter and of conversations: these tests look at what they are told."""
    return []


class Driver:
    """Feeds events; posts of the core are fed back at once; documents come from ``pages``."""

    def __init__(self, pages: dict[str, str | int] | None = None, **settings: Any) -> None:
        numbers = count(1)
        self.board = Switchboard(
            VoiceSettings(public_url="http://ringback.test", **settings),
            new_sid=lambda prefix: f"{prefix}{next(numbers):032x}",
            new_token=lambda: f"token-{next(numbers)}",
        )
        self.now = 1_000_000.0
        self.pages = pages or {}
        self.effects: list[fx.Effect] = []
        self.calls: dict[str, Call] = {}
        self.recordings: dict[str, Recording] = {}
        self.alerts: list[Alert] = []
        self.statuses: dict[str, list[str]] = {}
        self.answer: Any = None
        self.auto_documents = True

    def feed(self, event: ev.Event) -> list[fx.Effect]:
        """Handle one event, and what it posts."""
        handle = {
            "conference": self.board.conference_changed, "queue": self.board.queue_changed, "workspace": _nobody,
            "pair": _nobody, "conversation": _nobody,
        }.get(event.lane.kind, self.board.handle)  # fmt: skip
        effects = list(handle(event, self.now))
        self.effects += effects
        for effect in effects:
            self._perform(effect)
        return effects

    def _perform(self, effect: fx.Effect) -> None:
        if isinstance(effect, fx.Save):
            record = effect.record
            if isinstance(record, Call):
                self.calls[record.sid] = record
                self.statuses.setdefault(record.sid, []).append(record.status)
            elif isinstance(record, Recording):
                self.recordings[record.sid] = record
            elif isinstance(record, Alert):
                self.alerts.append(record)
        elif isinstance(effect, fx.Answer):
            self.answer = effect.value
        elif isinstance(effect, fx.Post):
            self.feed(effect.event)
        elif isinstance(effect, fx.FetchDocument) and self.auto_documents:
            self.serve(effect)

    def serve(self, effect: fx.FetchDocument) -> None:
        """Answer a request for a document from ``pages``."""
        page = self.pages.get(effect.url.partition("?")[0].removeprefix(BASE), 404)
        if isinstance(page, int):
            answer = ev.DocumentFetched(
                lane=effect.lane, request=effect.request, url=effect.url, status=page,
                error_code=11200, error_text=f"HTTP {page}",
            )  # fmt: skip
        else:
            answer = ev.DocumentFetched(
                lane=effect.lane, request=effect.request, url=effect.url, status=200,
                content_type="text/xml", body=page.encode(),
            )  # fmt: skip
        self.feed(answer)

    # --- shorthands ------------------------------------------------------------------------------

    def arrive(
        self,
        voice: str | None = "/voice",
        sid: str = CALL,
        from_: str = "+15551230001",
        **routing: Any,
    ) -> None:
        """A call comes in."""
        self.feed(
            ev.CallArrived(
                call_sid=sid, carrier="simulated", from_=from_, to="+15550100123",
                routing=ev.VoiceRouting(
                    account_sid=ACCOUNT, voice_url=None if voice is None else BASE + voice, **routing
                ),
            )
        )  # fmt: skip

    def write(
        self, noun: str, operation: Any, sid: str, lane: Lane | None = None, params: Any = (), **fields: Any
    ) -> Any:
        """Ask for a REST write; gives the answer."""
        self.answer = None
        self.feed(write(noun, operation, sid, lane, params, **fields))
        return self.answer

    def create(self, sid: str = CALL, own: bool = True, test: bool = False, **params: Any) -> Any:
        """POST Calls; defaults make a good request."""
        form = {"To": "+15551230002", "From": "+15550100123", "Url": BASE + "/voice", **params}
        return self.write(
            "Call", "create", sid, params={name: value for name, value in form.items() if value is not None},
            known=NewCall(test=test, caller_number_sid="PN" + "0" * 32 if own else None),
        )  # fmt: skip

    def dialled(self, sid: str = CALL, *, answered: bool = True) -> None:
        """The queue lets the call go; it rings, and is answered."""
        self.feed(ev.DialStarted(call_sid=sid))
        self.feed(ev.LegRinging(call_sid=sid))
        if answered:
            self.feed(ev.LegAnswered(call_sid=sid))

    def answered(self, sid: str = CALL) -> None:
        self.feed(ev.LegAnswered(call_sid=sid))

    def press(self, keys: str, sid: str = CALL) -> None:
        for key in keys:
            self.feed(ev.DigitPressed(call_sid=sid, digit=key))

    def played(self, sid: str = CALL) -> None:
        """The last playback of the call is played out."""
        playback = [one for one in self.of(fx.PlayAudio) if one.call_sid == sid][-1].playback
        self.feed(ev.PlaybackEnded(call_sid=sid, playback=playback, seconds=1.0, completed=True))

    def fire(self, name: str, sid: str = CALL) -> None:
        self.feed(ev.TimerFired(lane=Lane("call", sid), name=name))

    def hangup(self, sid: str = CALL) -> None:
        self.feed(ev.LegEnded(call_sid=sid, by="remote"))

    def update(self, sid: str = CALL, **params: str) -> Any:
        return self.write("Call", "update", sid, params=params)

    def of(self, kind: type[Any]) -> list[Any]:
        """All effects of a kind so far."""
        return [effect for effect in self.effects if isinstance(effect, kind)]

    def children(self) -> list[str]:
        """SIDs of the legs made by Dial, in order."""
        return [leg.call_sid for leg in self.of(fx.DialLeg) if leg.call_sid != CALL]

    def recorded(self, seconds: float = 4.0, *, which: int = -1, silent: bool = False) -> None:
        """The file of a recording is finished."""
        leg = self.of(fx.RecordLeg)[which]
        self.feed(
            ev.RecordingEnded(
                lane=Lane("call", leg.call_sid),
                recording_sid=leg.recording_sid,
                seconds=seconds,
                silent=silent,
                size=9000,
            )
        )

    def hooks(self, *names: str) -> list[tuple[str, ...]]:
        """Named parameters of every webhook so far."""
        return [tuple(dict(hook.params).get(name, "") for name in names) for hook in self.of(fx.SendWebhook)]

    def asked(self, path: str) -> list[dict[str, str]]:
        """Parameters of the requests for a page."""
        return [dict(one.params) for one in self.of(fx.FetchDocument) if one.url == BASE + path]

    def codes(self) -> list[int | None]:
        """Codes in the debugger's log."""
        return [one.error_code for one in self.alerts]

    def status(self, sid: str = CALL) -> str:
        return self.calls[sid].status
