"""Users: who hears that one was made or changed (conversations.md §1.4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ringback.conversations.parameters import parameters
from ringback.conversations.work import facts_of
from ringback.effects import SendWebhook
from ringback.resources.conversations.user import User
from ringback.resources.conversations.webhook import WebhookSettings


def told(
    kind: str, user: User, settings: Sequence[WebhookSettings], new_sid: Callable[[str], str]
) -> list[SendWebhook]:
    """The post-event webhooks of a user whom REST has written: ``onUserAdded`` or ``onUserUpdated``."""
    return [
        SendWebhook(
            key=user.sid,
            account_sid=user.account_sid,
            url=str(each.post_webhook_url),
            method=each.method,
            params=parameters(kind, user.account_sid, "API", "", facts_of(user)),
            token=new_sid("WN"),
            failure_code=11200,
        )
        for each in settings
        if each.post_webhook_url and kind in each.filters
    ]
