"""Accounts: who may see and change which, and whose access token is this (rest-conventions.md §1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ringback.kernel.errors import Refused
from ringback.resources.api.account import Account
from ringback.store import Condition
from ringback.web.nouns import NounRules
from ringback.web.rest.context import Context
from ringback.web.rest.rules import Extra
from ringback.web.token_validation import TokenValidation


class AccountRules(NounRules):
    """An account sees itself and its subaccounts; the table of dialling permissions is kept in step."""

    noun = Account
    manages = True
    owns_itself = True

    @property
    def extras(self) -> Sequence[Extra]:
        """``Tokens`` for the relay, and ``Tokens/validate`` of the product ``iam``."""
        validation = TokenValidation(self.ports.taskrouter).validate
        return [
            Extra("/2010-04-01/Accounts/{AccountSid}/Tokens", {"POST": "create"}, self.ports.relay.create),
            Extra("/v1/Accounts/{AccountSid}/Tokens/validate", {"POST": "validate"}, validation, "iam"),
        ]

    def visible(self, ctx: Context, record: Any) -> bool:
        """Itself, and what belongs to it."""
        return ctx.caller.account.sid in (record.sid, record.account_sid)

    def only(self, ctx: Context) -> list[Condition]:
        """The same in lists."""
        own = ctx.caller.account
        if own.sid == own.account_sid:
            return [Condition("account_sid", "in", (own.sid, own.account_sid))]
        return [Condition("sid", "=", own.sid)]

    async def before_save(self, ctx: Context, before: Any) -> None:
        """A new one gets its token; 21475, 21478 for changes of status that may not be."""
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
        """What is known of accounts is read again."""
        ctx.services.auth.forget()
        self.ports.permissions.follow(ctx.record)
