"""Web chats: the conversation is made as for a customer's first text (conversations.md §1.3, §3), and the answer has a
token by which their browser gets in."""

from __future__ import annotations

import json
import uuid
from typing import Any, Final

from ringback.events.conversations import ConversationWriteRequested
from ringback.kernel.errors import Refused
from ringback.kernel.sid import is_sid
from ringback.resources.conversations.address_configuration import AddressConfiguration
from ringback.resources.flex_api.web_chat import WebChat
from ringback.store import Conflict
from ringback.web.auth import make_token
from ringback.web.conversations.auto_creation import CHANGEABLE, scoped_webhook, service_of
from ringback.web.conversations.writing import TRIES
from ringback.web.grant import WEB_CHAT
from ringback.web.nouns import NounRules
from ringback.web.nouns.ports import Ports
from ringback.web.rest.context import Context, Params
from ringback.web.rest.params import first
from ringback.web.rest.rules import normal
from ringback.web.webchat.pace import Pace

SECONDS: Final = 6 * 3600
"""For which a token is good."""
ATTRIBUTES: Final = 16 * 1024
"""Bytes of JSON: of pre-engagement data, and of all attributes of a conversation."""
NAME: Final = 256
BAD, TOO_FAST, TOO_LARGE, NO_JSON, NOT_FOUND, NOT_ENABLED, NO_ADDRESS = (
    45715, 45719, 45731, 45733, 45744, 45761, 45765,
)  # fmt: skip
OF_ACCOUNT: Final = (600, 100)
"""New chats a minute, and at once."""
OF_SOURCE: Final = (300, 60)
"""Of them, those that are asked for from one address."""


class WebChatRules(NounRules):
    """Made, and never read: what there is afterwards is a conversation like any other."""

    noun = WebChat
    audited = frozenset()

    def __init__(self, ports: Ports) -> None:
        super().__init__(ports)
        self._paces: dict[str, Pace] = {}

    async def create(self, ctx: Context, params: Params) -> WebChat:
        """The conversation, the customer in it and what the address configuration attaches to it: one commit. Raises
        ``Refused``."""
        self._not_too_fast(ctx)
        identity = _text(params, "Identity") or uuid.uuid4().hex
        name, title = _text(params, "CustomerFriendlyName"), _text(params, "ChatFriendlyName")
        values: dict[str, Any] = {"friendly_name": title, "attributes": _attributes(params, name)}
        made = await self._configured(ctx, first(params, "AddressSid") or "")
        account_sid, new_sid = ctx.account.sid, self.ports.new_sid
        service = await service_of(
            ctx.store, account_sid, made.get("conversation_service_sid"), new_sid, ctx.now
        )
        if service is None:
            text = f"The service {made['conversation_service_sid']} of the address configuration is gone"
            raise Refused(NOT_FOUND, text, 400)
        facts = {"chat_service_sid": service, "state": "active", **values}
        changed = await self.ports.pre_events.ask(
            "onConversationAdd", account_sid=account_sid, chat_service_sid=service, facts=facts, source="CHAT",
            subject=service,
        )  # fmt: skip
        values |= {key: value for key, value in changed.items() if key in CHANGEABLE}
        values["participants"] = [
            {"sid": new_sid("MB"), "identity": identity, "visitor": True, "friendly_name": name}
        ]
        values["routed"] = True
        if webhook := scoped_webhook(made):
            values["webhooks"] = [{"sid": new_sid("WH"), **webhook}]
        sid = new_sid("CH")
        await self._made(
            ConversationWriteRequested(
                conversation_sid=sid, account_sid=account_sid, chat_service_sid=service, noun="Conversation",
                operation="create", sid=sid, values=values, source="CHAT",
            )
        )  # fmt: skip
        token = make_token(
            account_sid=account_sid, key_sid=account_sid, secret=ctx.account.auth_token, identity=identity,
            grants={"chat": {"service_sid": service}, WEB_CHAT: {"conversation_sid": sid}}, now=ctx.now,
            seconds=SECONDS,
        )  # fmt: skip
        return WebChat(
            sid=sid, account_sid=account_sid, conversation_sid=sid, identity=identity, token=token,
            date_created=ctx.now, date_updated=ctx.now,
        )  # fmt: skip

    def decorate(self, ctx: Context, record: Any, body: dict[str, Any], *, created: bool) -> None:
        """It has no address of its own."""
        body.pop("url", None)

    async def _made(self, event: ConversationWriteRequested) -> None:
        for _ in range(TRIES):
            try:
                await self.ports.ask(event)
            except Conflict:  # somebody else has made the user meanwhile: the next look-up finds them
                continue
            return
        raise Refused(20409, "Others write the same at the same time; try again", 409)

    async def _configured(self, ctx: Context, given: str) -> dict[str, Any]:
        """``auto_creation`` of the address. Raises ``Refused``."""
        if not given:
            raise Refused(BAD, "Missing AddressSid", 400)
        sid = normal(given)
        found = await ctx.store.get(AddressConfiguration, sid, ctx.account.sid) if is_sid(sid, "IG") else None
        if found is None:
            raise Refused(NO_ADDRESS, f"AddressSid: there is no address configuration {given[:34]!r}", 400)
        if found.type != "chat":
            raise Refused(BAD, f"AddressSid: {sid} is of the type {found.type}, not chat", 400)
        if not found.auto_creation.get("enabled"):
            raise Refused(NOT_ENABLED, f"AutoCreation of the address configuration {sid} is not enabled", 400)
        return dict(found.auto_creation)

    def _not_too_fast(self, ctx: Context) -> None:
        if not self._paces:
            now = ctx.services.settings.now
            self._paces = {"account": Pace(*OF_ACCOUNT, now), "source": Pace(*OF_SOURCE, now)}
        source = (ctx.scope.get("client") or ("",))[0]
        names = {"source": f"{ctx.account.sid} {source}", "account": ctx.account.sid}
        if not all(self._paces[kind].take(name) for kind, name in names.items()):
            raise Refused(TOO_FAST, "Too many new web chats; try again in a moment", 429)


def _text(params: Params, name: str) -> str | None:
    text = (first(params, name) or "").strip()
    if len(text) > NAME:
        raise Refused(BAD, f"Invalid {name}: must be a text of at most {NAME} characters", 400)
    return text or None


def _attributes(params: Params, name: str | None) -> str:
    """The conversation's: the channel, the customer's name, what they said before. Raises ``Refused``."""
    found: dict[str, Any] = {"channel_type": "web"}
    if name is not None:
        found["from"] = name
    text = first(params, "PreEngagementData") or ""
    if len(text.encode(errors="replace")) > ATTRIBUTES:
        raise Refused(TOO_LARGE, f"PreEngagementData has more than {ATTRIBUTES} bytes", 400)
    try:
        if text.strip():
            found["pre_engagement_data"] = json.loads(text, parse_constant=_no_number)
        written = json.dumps(found, separators=(",", ":"), ensure_ascii=False)
        size = len(written.encode())
    except (ValueError, RecursionError):
        raise Refused(NO_JSON, "PreEngagementData is not valid JSON", 400) from None
    if size > ATTRIBUTES:
        raise Refused(TOO_LARGE, f"PreEngagementData and the name have more than {ATTRIBUTES} bytes", 400)
    return written


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")
