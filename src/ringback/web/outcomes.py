"""A call's outcome by REST; notifications of failed outbound calls by REST and socket (call-outcomes.md §6, §7).

Extensions of ours: ``Calls/{CA}/Outcome``, ``Calls/{CA}/FailureNotification`` and, of TaskRouter,
``…/Reservations/{WR}/FailureNotification``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final, Protocol

import msgspec

from ringback.effects.taskrouter import Announce
from ringback.events.queues import TaskCallRequested
from ringback.kernel.outcome import Outcome, from_json, remembered
from ringback.kernel.resource import Record
from ringback.resources.api.account import Account
from ringback.resources.api.call import Call
from ringback.resources.taskrouter.workspace import Workspace
from ringback.store import Store
from ringback.web.rest.answer import Answer, json_answer
from ringback.web.rest.context import Context
from ringback.web.rest.generic import not_found
from ringback.web.rest.render import rfc2822
from ringback.web.rest.routing import Extra

Render = Callable[[int | None], dict[str, Any] | None]
"""Reason code → the rendered notification as JSON values; None: none."""
EVENT: Final = "ringback.outbound-call-failed"
"""Type of the message on a worker's socket. The SDK passes types that it does not know to nobody."""
TERMINAL: Final = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


def outcome_of(call: Call) -> Outcome | None:
    """How a call ended; None: it lives. Calls of an older version have what their columns say."""
    if call.status not in TERMINAL:
        return None
    stored = call.plan.get("outcome")
    if stored:
        return from_json(stored)
    return remembered(
        call.status, call.sip_code, call.error_code, outbound_call=call.direction != "inbound"
    )  # fmt: skip


class FailureNotices:
    """Makes the notification that belongs to a failure; None where there is none."""

    def __init__(self, render: Render) -> None:
        self._render = render

    def of_call(self, call: Call) -> dict[str, Any] | None:
        """For the customer's leg of a worker's own outbound task."""
        leg, ended = call.plan.get("task_leg") or {}, outcome_of(call)
        if ended is None or leg.get("role") != "customer" or not leg.get("started_by"):
            return None
        about = {
            "task_sid": leg["task"], "reservation_sid": leg["reservation"], "worker_sid": leg["started_by"],
            "call_sid": call.sid, "destination": call.to, "caller_id": call.from_,
            "queue_sid": leg.get("queue") or None,
        }  # fmt: skip
        return self._with(ended.reason_code, about)

    def of_reservation(self, reservation: Any, task: Any) -> dict[str, Any] | None:
        """For a canceled reservation of an outbound task whose worker started it (call-outcomes.md §7)."""
        if task is None or reservation.reservation_status != "canceled":
            return None
        attributes = _attributes(task.attributes)
        if attributes.get("direction") != "outbound" or task.routing_target != reservation.worker_sid:
            return None
        about = {
            "task_sid": task.sid, "reservation_sid": reservation.sid, "worker_sid": reservation.worker_sid,
            "call_sid": (task.conference and task.conference.customer_call) or None,
            "destination": attributes.get("outbound_to"),
            "caller_id": attributes.get("from"), "queue_sid": reservation.task_queue_sid,
        }  # fmt: skip
        return self._with(reservation.canceled_reason_code, about)

    def of_news(self, news: Announce) -> tuple[str, dict[str, Any]] | None:
        """What a worker's sockets are told after ``reservation.canceled``: message type and payload."""
        if news.event_type != "reservation.canceled" or news.reservation is None:
            return None
        found = self.of_reservation(news.reservation, news.task)
        return None if found is None else (EVENT, found)

    def _with(self, code: int | None, about: Mapping[str, Any]) -> dict[str, Any] | None:
        shown = self._render(code)
        return None if shown is None else {**shown, **about}


def _attributes(text: str) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return {}
    return value if isinstance(value, dict) else {}


class Numbers(Protocol):
    """The directory of the account's numbers (web/calls.py)."""

    async def caller_id(self, account_sid: str, number: str) -> str | None:
        """SID of our number or verified caller id; None: it is neither."""


class CustomerRights:
    """Looks up what the checks of a customer's call need (21210, 21219), before the voice core handles it."""

    def __init__(self, numbers: Numbers, store: Store) -> None:
        self._numbers, self._store = numbers, store

    async def prepare(self, event: TaskCallRequested) -> TaskCallRequested:
        """Fill in whose the caller id is, and whether a trial account may call the callee. Workers are not checked:
        their numbers are the customer's who calls them."""
        if event.leg.role != "customer":
            return event
        account = await self._store.get(Account, event.account_sid)
        verified = True
        if account is not None and account.type == "Trial":
            verified = await self._numbers.caller_id(event.account_sid, event.to) is not None
        owner = await self._numbers.caller_id(event.account_sid, event.from_)
        return replace(event, caller_number_sid=owner, trial_callee_verified=verified)


# --- REST --------------------------------------------------------------------------------------------------------


class OutcomeViews:
    """The handlers."""

    def __init__(self, workspaces: Mapping[str, Any], notices: FailureNotices) -> None:
        self._workspaces, self._notices = workspaces, notices

    async def outcome(self, ctx: Context) -> Answer:
        """``GET Calls/{CA}/Outcome``: the record; of a live call what is known (``final`` false)."""
        call = await self._call(ctx)
        ended = outcome_of(call)
        known = ended or Outcome(status=call.status)
        return json_answer(
            200,
            {
                "call_sid": call.sid,
                "account_sid": call.account_sid,
                "to": call.to,
                "from": call.from_,
                "final": ended is not None,
                "status": known.status,
                "by": known.by,
                "sip_code": known.sip_code,
                "sip_reason": known.sip_reason or None,
                "error_code": known.error_code,
                "error_message": call.error_message,
                "reason_code": known.reason_code,
                "notification": known.notification,
                "advice": known.advice or None,
                "date_created": rfc2822(call.date_created),
                "end_time": rfc2822(call.end_time),
                "uri": _uri(ctx),
            },
        )

    async def of_call(self, ctx: Context) -> Answer:
        """``GET Calls/{CA}/FailureNotification``; 20404 when nobody is notified of this call."""
        return self._shown(ctx, self._notices.of_call(await self._call(ctx)), {"uri": _uri(ctx)})

    async def of_reservation(self, ctx: Context) -> Answer:
        """``GET …/Reservations/{WR}/FailureNotification``; 20404 when there is none."""
        workspace = self._workspaces.get(_normal(ctx.args["WorkspaceSid"]))
        if workspace is None or workspace.record.account_sid != ctx.account.sid:
            raise not_found(ctx.path)
        reservation = workspace.reservations.get(_normal(ctx.args["ReservationSid"]))
        owner = ctx.args.get("TaskSid") or ctx.args["WorkerSid"]
        if reservation is None or _normal(owner) not in (reservation.task_sid, reservation.worker_sid):
            raise not_found(ctx.path)
        job = workspace.tasks.get(reservation.task_sid)
        found = self._notices.of_reservation(reservation, job.record if job is not None else None)
        url = f"{ctx.services.settings.public_url}/taskrouter{ctx.path.removesuffix('.json')}"
        return self._shown(ctx, found, {"url": url})

    async def _call(self, ctx: Context) -> Call:
        """The call of the path. The REST layer has made sure that there is one; it may be deleted just now."""
        call = await ctx.store.get(Call, ctx.args["CallSid"], ctx.account.sid)
        if call is None:
            raise not_found(ctx.path)
        return call

    def _shown(self, ctx: Context, found: dict[str, Any] | None, more: Mapping[str, str]) -> Answer:
        if found is None:
            raise not_found(ctx.path)
        return json_answer(200, {"account_sid": ctx.account.sid, **found, **more})


def outcome_views(workspaces: Mapping[str, Any], notices: FailureNotices) -> list[Extra]:
    """The paths with their handlers, for ``build_rest(…, extra=…)``. ``floors``: workspace SID → workspace."""
    views = OutcomeViews(workspaces, notices)
    call = "/2010-04-01/Accounts/{AccountSid}/Calls/{CallSid}"
    root = "/v1/Workspaces/{WorkspaceSid}"
    leaf = "/Reservations/{ReservationSid}/FailureNotification"

    def get(
        noun: type[Record], product: str, path: str, handler: Callable[[Context], Awaitable[Answer]]
    ) -> Extra:
        return Extra(noun, product, path, {"GET": "fetch"}, handler)

    return [
        get(Call, "api", f"{call}/Outcome", views.outcome),
        get(Call, "api", f"{call}/FailureNotification", views.of_call),
        get(Workspace, "taskrouter", f"{root}/Tasks/{{TaskSid}}{leaf}", views.of_reservation),
        get(Workspace, "taskrouter", f"{root}/Workers/{{WorkerSid}}{leaf}", views.of_reservation),
    ]


def _uri(ctx: Context) -> str:
    return ctx.path.removesuffix(".json") + ".json"


def _normal(sid: str) -> str:
    return sid[:2] + sid[2:].lower()
