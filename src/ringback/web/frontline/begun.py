"""What a worker begins: a conversation with a customer, and a call in one of their own."""

from __future__ import annotations

import json
from typing import Any, Final

from ringback.kernel.errors import Refused
from ringback.kernel.sid import is_sid
from ringback.numbers.written import e164
from ringback.resources.api.incoming_phone_number import IncomingPhoneNumber
from ringback.resources.conversations.conversation import Conversation
from ringback.resources.conversations.participant import Participant
from ringback.resources.conversations.user import User
from ringback.resources.frontline.frontline_service import FrontlineService
from ringback.store import Store
from ringback.web.frontline.public import Public

KINDS: Final = {"sms": "", "whatsapp": "whatsapp:"}
"""Channel → what its addresses begin with."""
JOINED: Final = '<Response><Connect><Conversation serviceInstanceSid="{}"/></Connect></Response>'
"""The document of a call that is joined to its conversation and nothing else."""
BAD_PROXY, SAME, FOREIGN, OTHER_KIND, THERE = 48026, 48027, 48028, 48029, 48031


class Begun:
    """See the module."""

    def __init__(self, store: Store, public: Public) -> None:
        self._store, self._public = store, public

    async def own(self, worker: User, sid: str) -> Conversation:
        """A conversation that the worker is in. Raises ``Refused`` 404 for every other one."""
        found = await self._store.get(Conversation, sid, worker.account_sid) if is_sid(sid, "CH") else None
        if (
            found is None
            or found.chat_service_sid != worker.chat_service_sid
            or not await self._in(worker, sid)
        ):
            raise Refused(20404, f"The worker is in no conversation {sid[:64]}", 404)
        return found

    async def _in(self, worker: User, conversation_sid: str) -> bool:
        mine = await self._store.first(
            Participant,
            identity=worker.identity,
            conversation_sid=conversation_sid,
            account_sid=worker.account_sid,
        )
        return mine is not None

    def address(self, kind: str, text: str, name: str) -> tuple[str, str]:
        """Channel and address in their normal form. Raises ``Refused`` 20001."""
        kind = kind.lower()
        if kind not in KINDS:
            raise Refused(20001, f"Invalid ChannelType: must be {' or '.join(KINDS)}", 400)
        try:
            return kind, KINDS[kind] + e164(text.removeprefix(KINDS[kind]))
        except ValueError as error:
            raise Refused(20001, f"Invalid {name}: {error}", 400) from None

    async def conversation(
        self, worker: User, customer_id: str, kind: str, address: str, proxy: str
    ) -> dict[str, Any]:
        """Worker and customer in a new conversation; ``proxy`` is what the application answered."""
        ours = await self._proxy(worker, kind, address, proxy)
        participants = (
            {
                "messaging_binding": {"address": address, "proxy_address": ours},
                "attributes": json.dumps({"customer_id": customer_id}),
            },
            {"identity": worker.identity},
        )
        fields = [("Participant", json.dumps(each)) for each in participants]
        path = f"/conversations/v1/Services/{worker.chat_service_sid}/ConversationWithParticipants"
        try:
            made = await self._public.post(worker.account_sid, path, fields)
        except Refused as refusal:
            if refusal.status != 409:
                raise
            return await self._there(worker, address, ours)
        return {**made, "created": True}

    async def _proxy(self, worker: User, kind: str, address: str, proxy: str) -> str:
        """The proxy address in its normal form. Raises ``Refused`` 502: the application is to be mended."""
        if proxy.startswith("whatsapp:") != (kind == "whatsapp"):
            raise Refused(OTHER_KIND, f"GetProxyAddress answered {proxy[:64]} for a customer on {kind}", 502)
        try:
            _, ours = self.address(kind, proxy, "proxy_address")
        except Refused:
            raise Refused(
                BAD_PROXY, f"GetProxyAddress answered {proxy[:64]!r}, which is no address", 502
            ) from None
        if ours == address:
            raise Refused(SAME, f"GetProxyAddress answered the customer's own address, {ours}", 502)
        number = ours.removeprefix(KINDS[kind])
        bought = await self._store.first(
            IncomingPhoneNumber, account_sid=worker.account_sid, phone_number=number
        )
        if bought is None and kind == "sms":  # what a WhatsApp sender may be is the channel's matter
            raise Refused(FOREIGN, f"GetProxyAddress answered {ours}, which is no number of the account", 502)
        return ours

    async def _there(self, worker: User, address: str, ours: str) -> dict[str, Any]:
        """The open conversation of the two addresses, if it is the worker's. Raises ``Refused`` 409/48031."""
        pair = f"{worker.account_sid}|{address}|{ours}"
        customer = await self._store.first(Participant, pair=pair)
        if customer is None or not await self._in(worker, customer.conversation_sid):
            text = f"There is an open conversation between {address} and {ours}, and the worker is not in it"
            raise Refused(THERE, text, 409)
        return {
            "sid": customer.conversation_sid,
            "chat_service_sid": customer.chat_service_sid,
            "account_sid": worker.account_sid,
            "created": False,
        }

    async def call(
        self, worker: User, conversation: Conversation, settings: FrontlineService
    ) -> dict[str, Any]:
        """Ring the worker's phone; its document joins the call to the conversation."""
        if conversation.state == "closed":
            raise Refused(50377, "The conversation is closed: its customer cannot be called in it", 409)
        phone = f"client:{worker.identity}"
        fields = [("To", f"{phone}?ConversationSid={conversation.sid}"), ("From", phone)]
        if settings.call_url:
            fields += [("Url", settings.call_url), ("Method", settings.call_method)]
        else:
            fields.append(("Twiml", JOINED.format(worker.chat_service_sid)))
        path = f"/2010-04-01/Accounts/{worker.account_sid}/Calls.json"
        return await self._public.post(worker.account_sid, path, fields)
