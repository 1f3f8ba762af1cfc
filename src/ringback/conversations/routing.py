"""Which worker a new conversation goes to (conversations.md §2, connect-conversation.md §10)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final
from urllib.parse import urldefrag
from uuid import NAMESPACE_URL, uuid5

from ringback.conversations.trouble import alert
from ringback.effects import Effect, Post, Save, SendWebhook
from ringback.events.conversations import ConversationWriteRequested
from ringback.events.frontline import WorkerWanted
from ringback.resources.conversations.user import User
from ringback.resources.frontline.frontline_service import FrontlineService
from ringback.resources.frontline.pool_turn import PoolTurn

LIMIT: Final = "#ct=5000&tt=5000"
"""A routing callback has five seconds, as all webhooks of Conversations; its own overrides do not count (webhooks.md
§4)."""
CALLBACK_FAILED: Final = 48010
NOBODY: Final = 32506


class Routing:
    """The core of the lanes ``routing``, one a service."""

    def __init__(self, new_sid: Callable[[str], str]) -> None:
        self._new_sid = new_sid

    def handle(self, event: WorkerWanted, now: float) -> Sequence[Effect]:
        """Choose somebody, ask the application, or leave it."""
        settings: FrontlineService | None = event.known["settings"]
        if settings is None or settings.routing == "do-not-route":
            return ()
        if settings.routing == "custom":
            return [self._asked(event, settings)]
        turns: Mapping[str, float] = event.known["turns"]
        chosen = longest_idle(event.known["workers"], turns)
        if chosen is None:
            return () if event.call_sid else [self._nobody(event, now)]
        after = max(
            now, max(turns.values(), default=0.0) + 1e-6
        )  # of two at the same moment, too, one is the first
        return [self._turn(chosen, after), Post(self._added(event, chosen.identity))]

    def _turn(self, worker: User, now: float) -> Save:
        return Save(
            PoolTurn(
                sid=worker.sid, account_sid=worker.account_sid, date_created=now, date_updated=now,
                chat_service_sid=worker.chat_service_sid, assigned_at=now,
            )
        )  # fmt: skip

    def _added(self, event: WorkerWanted, identity: str) -> ConversationWriteRequested:
        return ConversationWriteRequested(
            conversation_sid=event.conversation_sid, account_sid=event.account_sid,
            chat_service_sid=event.chat_service_sid, noun="Participant", operation="create",
            sid=self._new_sid("MB"), values={"identity": identity}, hooks=True,
        )  # fmt: skip

    def _asked(self, event: WorkerWanted, settings: FrontlineService) -> SendWebhook:
        """The routing callback. It waits for none of the conversation's other webhooks: T-assign runs."""
        key = f"{event.conversation_sid} routing"
        return SendWebhook(
            key=key, call_sid=event.call_sid or None,
            account_sid=event.account_sid, url=urldefrag(settings.routing_url).url + LIMIT, method="POST",
            params=list(event.params), token=str(uuid5(NAMESPACE_URL, key)),
            failure_code=CALLBACK_FAILED, resource_sid=event.conversation_sid,
        )  # fmt: skip

    def _nobody(self, event: WorkerWanted, now: float) -> Save:
        text = "Nobody of the pool is active and available: the customer's message waits without a worker"
        return Save(
            alert(
                self._new_sid, now, account_sid=event.account_sid, code=NOBODY, text=text,
                resource_sid=event.conversation_sid,
            )
        )  # fmt: skip


def longest_idle(workers: Iterable[User], turns: Mapping[str, float]) -> User | None:
    """The worker whose last turn is longest ago; who never had one comes first, and of several the one who was made
    first. None: there is nobody."""
    return min(workers, key=lambda worker: (turns.get(worker.sid, 0.0), worker.sid), default=None)
