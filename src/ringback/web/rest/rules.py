"""What single nouns demand beyond their declaration. A noun without an entry follows the general rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ringback.kernel.errors import Refused
from ringback.kernel.resource import Record
from ringback.resources.api.account import Account
from ringback.resources.api.application import Application
from ringback.resources.api.incoming_phone_number import IncomingPhoneNumber
from ringback.resources.api.key import Key
from ringback.resources.api.outgoing_caller_id import OutgoingCallerId
from ringback.resources.api.recording import Recording
from ringback.resources.taskrouter.event import Event
from ringback.resources.taskrouter.task import Task
from ringback.resources.taskrouter.workflow import Workflow
from ringback.resources.voice.blocked_number import BlockedNumber
from ringback.resources.voice.country import Country
from ringback.resources.voice.high_risk_prefix import HighRiskPrefix
from ringback.store import Condition
from ringback.web.dialing_permissions import decorate_country
from ringback.web.rest import numbers
from ringback.web.rest.context import Context
from ringback.web.rest.rule import Rule
from ringback.web.rest.taskrouter import EventRule, TaskRule, WorkflowRule


class _AccountRule(Rule):
    manages = True

    def visible(self, ctx: Context, record: Any) -> bool:
        return ctx.caller.account.sid in (record.sid, record.account_sid)

    def only(self, ctx: Context) -> list[Condition]:
        return (
            [Condition("account_sid", "in", (ctx.caller.account.sid, ctx.caller.account.account_sid))]
            if (ctx.caller.account.sid == ctx.caller.account.account_sid)
            else [Condition("sid", "=", ctx.caller.account.sid)]
        )

    async def before_save(self, ctx: Context, before: Any) -> None:
        own = ctx.caller.account
        if before is None:
            if own.account_sid != own.sid:
                raise Refused(20003, "A subaccount cannot have subaccounts", 403)
            ctx.record.account_sid = own.sid
            ctx.record.auth_token = ctx.services.settings.make_secret()
            ctx.record.friendly_name = ctx.record.friendly_name or f"SubAccount Created at {int(ctx.now)}"
            return
        if ctx.record.status != before.status:
            if before.status == "closed":
                raise Refused(21475, "A closed account cannot be changed", 400)
            if before.sid == own.sid:
                raise Refused(21478, "An account cannot change its own status", 400)

    def after_save(self, ctx: Context) -> None:
        ctx.services.auth.forget()
        ctx.services.follow(ctx.record, ctx.method == "DELETE")


class _FollowedRule(Rule):
    """A copy in memory is kept in step (outcomes/permissions.py)."""

    def after_save(self, ctx: Context) -> None:
        ctx.services.follow(ctx.record, ctx.method == "DELETE")


class _CountryRule(Rule):
    def decorate(self, ctx: Context, record: Any, body: dict[str, Any], *, created: bool) -> None:
        decorate_country(ctx, record, body)


class _KeyRule(Rule):
    manages = True

    async def before_save(self, ctx: Context, before: Any) -> None:
        if before is None:
            ctx.record.secret = ctx.services.settings.make_secret()

    def after_save(self, ctx: Context) -> None:
        ctx.services.auth.forget()

    def decorate(self, ctx: Context, record: Any, body: dict[str, Any], *, created: bool) -> None:
        if created:
            body["secret"] = record.secret


class _ApplicationRule(Rule):
    async def before_save(self, ctx: Context, before: Any) -> None:
        numbers.check_fallback(ctx.record)


class _NumberRule(Rule):
    tests = True

    def lock(self, record: Any) -> str:
        return "number"

    async def before_save(self, ctx: Context, before: Any) -> None:
        await numbers.check_number(ctx, before)

    def conflict(self, ctx: Context) -> Refused:
        return numbers.taken(ctx.record.phone_number)


class _CallerIdRule(Rule):
    async def create(self, ctx: Context) -> dict[str, Any] | None:
        verify = ctx.services.verify
        return None if verify is None else await verify(ctx)

    def lock(self, record: Any) -> str:
        return "caller-id"

    async def before_save(self, ctx: Context, before: Any) -> None:
        await numbers.check_caller_id(ctx, before)

    def conflict(self, ctx: Context) -> Refused:
        return numbers.known()

    def decorate(self, ctx: Context, record: Any, body: dict[str, Any], *, created: bool) -> None:
        if created:
            body["validation_code"] = "000000"
            body["call_sid"] = None


class _RecordingRule(Rule):
    async def resolve(self, ctx: Context, sid: str) -> str:
        """``Twilio.CURRENT`` is the running recording of the call (voice-calls.md §9.2)."""
        call = ctx.args.get("CallSid")
        if sid == "Twilio.CURRENT" and call:
            running = await ctx.store.find(
                Recording, call_sid=call, status=("in-progress", "paused"), account_sid=ctx.account.sid
            )
            return running[0].sid if running else ""
        return sid

    def visible(self, ctx: Context, record: Any) -> bool:
        return record.deleted_at is None

    def only(self, ctx: Context) -> list[Condition]:
        soft = ctx.params.get("IncludeSoftDeleted", [""])[-1].lower() == "true"
        return [] if soft else [Condition("deleted_at", "=", None)]

    def decorate(self, ctx: Context, record: Any, body: dict[str, Any], *, created: bool) -> None:
        if "CallSid" not in ctx.args:
            base = ctx.services.settings.public_url
            body["media_url"] = f"{base}/2010-04-01/Accounts/{record.account_sid}/Recordings/{record.sid}"


_GENERAL = Rule()
_TESTED = Rule()
_TESTED.tests = True
_RULES: Mapping[type[Record], Rule] = {
    Account: _AccountRule(),
    Key: _KeyRule(),
    Application: _ApplicationRule(),
    IncomingPhoneNumber: _NumberRule(),
    OutgoingCallerId: _CallerIdRule(),
    Recording: _RecordingRule(),
    Country: _CountryRule(),
    HighRiskPrefix: _FollowedRule(),
    BlockedNumber: _FollowedRule(),
    Task: TaskRule(),
    Event: EventRule(),
    Workflow: WorkflowRule(),
}


def of(record: type[Record]) -> Rule:
    """The rules of a noun."""
    found = _RULES.get(record)
    if found is not None:
        return found
    return _TESTED if record.__name__ == "Call" else _GENERAL
