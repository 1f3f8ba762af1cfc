"""Child legs: what binds a leg made by ``<Dial>`` to its parent (twiml.md §5; they talk by events only)."""

from __future__ import annotations

from typing import Any

from ringback.effects import LeaveRoom, Post
from ringback.events import ChildChanged, Event, LegAnswered, LegFailed, LegRinging
from ringback.voice.call import flow
from ringback.voice.call.plan import Plan
from ringback.voice.stage import Stage
from ringback.voice.steps import End, Source


def request(
    plan: Plan, to: str, from_: str, whisper: Source | None, *, may_fail: bool = False
) -> dict[str, object]:
    """What ``ChildRequested.request`` holds; plain JSON values. ``may_fail``: a whisper that cannot be had is left
    out."""
    return {
        "plan": plan.to_json(),
        "to": to,
        "from": from_,
        "whisper": None
        if whisper is None
        else {"url": whisper.url, "method": whisper.method, "may_fail": may_fail},
    }


class Tie:
    """A child's side of the bond: reports every change to the parent until it is cut."""

    def __init__(self, session: Stage, parent_sid: str, whisper: dict[str, Any] | None) -> None:
        self._session = session
        self.parent_sid = parent_sid
        self._whisper = None if whisper is None else Source(url=whisper["url"], method=whisper["method"])
        session.whisper_may_fail = whisper is not None and whisper["may_fail"]
        self._cut = False
        self._early = False
        self._call_id = ""
        self._headers: tuple[tuple[str, str], ...] = ()
        self.parameters: tuple[tuple[str, str], ...] = ()
        """What the child's document hands back to the parent's action."""

    def before(self, event: Event) -> None:
        """Note the SIP facts that the parent's action request tells."""
        if isinstance(event, LegAnswered | LegFailed) and (event.sip_call_id or event.headers):
            self._call_id, self._headers = event.sip_call_id, event.headers

    def after(self, event: Event) -> None:
        """Pass on what the carrier reports."""
        if isinstance(event, LegRinging) and (event.early_media or not self._early):
            self._early = self._early or event.early_media
            self._tell("ringing", early_media=event.early_media)

    def answered(self) -> None:
        """Picked up: the whisper runs, or the parties may be joined at once."""
        self._tell("answered")
        if self._whisper is None:
            self._tell("ready")
            return
        self._session.whispering = True
        self._session.begin(flow.documents(self._session, self._whisper))

    def transfer_asked(self, target: str) -> None:
        """The far end asks to have the caller transferred."""
        self._tell("referred", parameters=(("ReferTransferTarget", target[:1024]),))

    def whisper_over(self, end: object) -> bool:
        """The whisper ran out: join, unless it ended by ``<Hangup>`` (a refusal). True when handled."""
        session = self._session
        if not session.whispering or self._cut:
            return False
        session.whispering = False
        if isinstance(end, End) and not end.exhausted:
            return False
        self._tell("ready")
        return True

    def cut(self) -> None:
        """REST redirected this leg: it lives on alone. A leg without a carrier cannot: it stays what it is."""
        if self._cut or self._session.plan.local:
            return
        self._session.whispering = False
        self._session.do(LeaveRoom(call_sid=self._session.call.sid))
        self._tell("ended", redirected=True, status="completed")
        self._cut = True

    def ended(self) -> None:
        """The leg is over."""
        call = self._session.call
        self._tell(
            "ended",
            status=call.status,
            sip_code=call.sip_code,
            seconds=call.duration or 0,
            error_code=call.error_code,
            sip_call_id=self._call_id,
            headers=self._headers,
            parameters=self.parameters,
        )
        self._cut = True

    def _tell(self, change: Any, **facts: Any) -> None:
        if self._cut:
            return
        child = self._session.call.sid
        self._session.do(
            Post(ChildChanged(call_sid=self.parent_sid, child_sid=child, change=change, **facts))
        )
