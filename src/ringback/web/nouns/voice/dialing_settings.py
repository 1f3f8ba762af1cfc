"""Dialling settings: whether a subaccount inherits (call-outcomes.md §4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ringback.effects import Save
from ringback.kernel.errors import Refused
from ringback.resources.voice.dialing_settings import DialingSettings
from ringback.web.nouns import NounRules
from ringback.web.rest.answer import Answer, json_answer
from ringback.web.rest.context import Context
from ringback.web.rest.params import read_bool
from ringback.web.rest.rules import Extra


class DialingSettingsRules(NounRules):
    """One record an account, at a path without a SID."""

    noun = DialingSettings

    @property
    def extras(self) -> Sequence[Extra]:
        """Its path."""
        return [Extra("/v1/Settings", {"GET": "fetch", "POST": "update"}, self.settings)]

    async def settings(self, ctx: Context) -> Answer:
        """GET (200) and POST (202) /v1/Settings: whether a subaccount inherits."""
        account = ctx.account
        given = ctx.params.get("DialingPermissionsInheritance", [""])[-1]
        if ctx.method == "POST" and given:
            try:
                inherits = read_bool(given)
            except ValueError as error:
                raise Refused(20001, f"Invalid DialingPermissionsInheritance: {error}", 400) from None
            if inherits and account.account_sid == account.sid:
                raise Refused(20001, "A main account has nobody to inherit from", 400)
            async with ctx.services.locks(f"dialing-settings {account.sid}"):
                stored = await ctx.store.find(DialingSettings, account_sid=account.sid, limit=1)
                record = DialingSettings(
                    sid=stored[0].sid if stored else ctx.services.settings.make_sid("DT"),
                    account_sid=account.sid,
                    date_created=stored[0].date_created if stored else ctx.now,
                    date_updated=ctx.now,
                    dialing_permissions_inheritance=inherits,
                )
                was = replace(
                    record, dialing_permissions_inheritance=self.ports.permissions.inherits(account.sid)
                )
                await ctx.store.commit([Save(record), *self.told(ctx, "update", was, record)])
                self.ports.permissions.follow(record)
        url = f"{ctx.services.settings.public_url}/voice/v1/Settings"
        inherited = self.ports.permissions.inherits(account.sid)
        return json_answer(
            202 if ctx.method == "POST" else 200, {"dialing_permissions_inheritance": inherited, "url": url}
        )
