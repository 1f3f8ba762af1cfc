"""Address configurations: one for an address; what is made needs its parts (conversations.md §1.3)."""

from __future__ import annotations

import re
from typing import Any, Final

from ringback.kernel.errors import Refused
from ringback.numbers.written import e164
from ringback.resources.conversations.address_configuration import FILTERS, AddressConfiguration
from ringback.resources.conversations.chat_service import ChatService
from ringback.web.nouns import NounRules
from ringback.web.rest.context import Context

_NUMBERS: Final = frozenset({"sms", "whatsapp"})
_SHORT: Final = re.compile(r"[0-9]{3,8}\Z", re.ASCII)
RETRIES: Final = 3
"""The most retries of a request to a Studio flow."""


class AddressConfigurationRules(NounRules):
    """An address is configured once in an account, however it is written."""

    noun = AddressConfiguration

    async def before_save(self, ctx: Context, before: Any) -> None:
        """Normalise the address; complete and check what is made. Raises ``Refused``."""
        record = ctx.record
        if before is None:
            record.address = _address(record.type, record.address)
            record.key = f"{record.type}|{record.address}"
        record.auto_creation = made = _given(record.auto_creation)
        kind = made.get("type")
        if made.get("enabled") and kind is None:
            made["type"] = kind = "default"
        if kind == "webhook" and not made.get("webhook_url"):
            raise Refused(20001, "Missing AutoCreation.WebhookUrl: the type webhook needs it", 400)
        if kind == "webhook" and not made.get("webhook_method"):
            made["webhook_method"] = "POST"
        if kind == "studio" and not made.get("studio_flow_sid"):
            raise Refused(20001, "Missing AutoCreation.StudioFlowSid: the type studio needs it", 400)
        retries = made.get("studio_retry_count")
        if retries is not None and not 0 <= retries <= RETRIES:
            raise Refused(20001, f"Invalid AutoCreation.StudioRetryCount: must be 0 to {RETRIES}", 400)
        wrong = [name for name in made.get("webhook_filters") or () if name not in FILTERS]
        if wrong:
            raise Refused(
                20001,
                f"Invalid AutoCreation.WebhookFilters: {wrong[0][:64]!r} is no event of a conversation",
                400,
            )
        await self._service(ctx, made.get("conversation_service_sid"))

    async def _service(self, ctx: Context, sid: str | None) -> None:
        if sid is None:
            return
        service = await ctx.store.get(ChatService, sid, ctx.account.sid)
        if service is None or service.removed:
            raise Refused(50050, f"AutoCreation.ConversationServiceSid: there is no service {sid}", 400)

    def lock(self, record: Any) -> str:
        """The same address twice at once is one."""
        return f"address {record.account_sid}"

    def conflict(self, ctx: Context) -> Refused:
        """409: the address is configured already."""
        record = ctx.record
        return Refused(20409, f"{record.address} ({record.type}) has a configuration already", 409)


def _given(parts: dict[str, Any]) -> dict[str, Any]:
    """What is set at all: the answer shows nothing else."""
    found = {name: value for name, value in parts.items() if value is not None and value != []}
    return {"enabled": False, **found}


def _address(kind: str, text: str) -> str:
    """An address as it is stored. Raises ``Refused`` for a number that is none."""
    text = text.strip()
    if kind not in _NUMBERS:
        if not text or any(character < " " for character in text):
            raise Refused(20001, "Invalid Address", 400)
        return text
    begin = "whatsapp:" if kind == "whatsapp" else ""
    number = text.removeprefix(begin)
    if kind == "sms" and _SHORT.match(number):
        return number
    try:
        return begin + e164(number)
    except ValueError:
        raise Refused(20001, f"Invalid Address: {text[:64]!r} is no phone number", 400) from None
