"""A call's outcome by REST; notifications of failed outbound calls by REST and socket (call-outcomes.md §6, §7).

Extensions of ours: ``Calls/{CA}/Outcome``, ``Calls/{CA}/FailureNotification`` and, of TaskRouter,
``…/Reservations/{WR}/FailureNotification``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import structs

from ringback.effects.taskrouter import Announce
from ringback.events.queues import TaskCallRequested
from ringback.kernel.outcome import Outcome, from_json, remembered
from ringback.resources.api.account import Account
from ringback.resources.api.call import Call
from ringback.store import Store
from ringback.web.directory import Directory
from ringback.web.rest.answer import Answer, json_answer
from ringback.web.rest.context import Context
from ringback.web.rest.generic import not_found
from ringback.web.rest.render import rfc2822

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


class CustomerRights:
    """Looks up what the checks of a customer's call need (21210, 21219), before the voice core handles it."""

    def __init__(self, directory: Directory, store: Store) -> None:
        self._directory, self._store = directory, store

    async def prepare(self, event: TaskCallRequested) -> TaskCallRequested:
        """Fill in whose the caller id is, and whether a trial account may call the callee. Workers are not checked:
        their numbers are the customer's who calls them."""
        if event.leg.role != "customer":
            return event
        account = await self._store.get(Account, event.account_sid)
        verified = True
        if account is not None and account.type == "Trial":
            verified = await self._directory.caller_id(event.account_sid, event.to) is not None
        owner = await self._directory.caller_id(event.account_sid, event.from_)
        return structs.replace(event, caller_number_sid=owner, trial_callee_verified=verified)


# --- REST --------------------------------------------------------------------------------------------------------


class CallOutcomes:
    """The handlers of a call's paths."""

    def __init__(self, notices: FailureNotices) -> None:
        self._notices = notices

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

    async def notification(self, ctx: Context) -> Answer:
        """``GET Calls/{CA}/FailureNotification``; 20404 when nobody is notified of this call."""
        return shown(ctx, self._notices.of_call(await self._call(ctx)), {"uri": _uri(ctx)})

    async def _call(self, ctx: Context) -> Call:
        """The call of the path. The REST layer has made sure that there is one; it may be deleted just now."""
        call = await ctx.store.get(Call, ctx.args["CallSid"], ctx.account.sid)
        if call is None:
            raise not_found(ctx.path)
        return call


def shown(ctx: Context, found: Mapping[str, Any] | None, more: Mapping[str, str]) -> Answer:
    """A notification with its address; 20404 when there is none."""
    if found is None:
        raise not_found(ctx.path)
    return json_answer(200, {"account_sid": ctx.account.sid, **found, **more})


def _uri(ctx: Context) -> str:
    return ctx.path.removesuffix(".json") + ".json"
