"""Credentials of push notifications: each type has what it needs, and none of it is shown."""

from __future__ import annotations

from typing import Any, Final

from ringback.kernel.errors import Refused
from ringback.resources.conversations.binding import Binding
from ringback.resources.conversations.credential import Credential
from ringback.web.nouns import NounRules
from ringback.web.rest.context import Context, Params

_NEEDS: Final = {
    "apn": {"certificate": "Certificate", "private_key": "PrivateKey"},
    "gcm": {"api_key": "ApiKey"},
    "fcm": {"secret": "Secret"},
}
"""Type → attributes that it must have, with their parameters."""


class CredentialRules(NounRules):
    """The secrets go in and never come out."""

    noun = Credential

    async def before_save(self, ctx: Context, before: Any) -> None:
        """What belongs to its type must be there. Raises ``Refused``."""
        record = ctx.record
        given = ctx.params.get("Type", [""])[-1]
        if before is not None and given and given != record.type:
            raise Refused(20001, f"Type: a credential of type {record.type} stays one", 400)
        for name, param in _NEEDS[record.type].items():
            if not getattr(record, name):
                raise Refused(20001, f"Missing {param}: a credential of type {record.type} needs it", 400)
        if record.type != "apn":
            record.sandbox = None
        elif record.sandbox is None:
            record.sandbox = False

    async def delete(self, ctx: Context, params: Params) -> None:
        """Refused (409) while devices are registered with it."""
        if (
            await ctx.store.first(Binding, account_sid=ctx.account.sid, credential_sid=ctx.record.sid)
            is not None
        ):
            raise Refused(20409, "Devices are registered with this credential", 409)
        await super().delete(ctx, params)
