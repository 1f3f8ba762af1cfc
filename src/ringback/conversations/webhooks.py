"""Webhooks of one conversation: added, changed, removed; replay (conversations.md §1.4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ringback.conversations.work import Work, facts_of
from ringback.effects import Answer
from ringback.events.conversations import ReplayRequested
from ringback.kernel.errors import Refused
from ringback.resources.conversations.message import Message
from ringback.resources.conversations.webhook import POST_EVENTS, Webhook, WebhookTarget

MOST = 5
"""Of a conversation."""
TRIGGERS = 5
LONGEST_TRIGGER = 248
LONGEST_URL = 512
_FLOW = re.compile(r"FW[0-9a-fA-F]{32}\Z")
_URL = re.compile(r"https?://[^\s/]")


def create(work: Work) -> None:
    """Add one; answered by the record."""
    made = next((each for each in work.webhooks if each.sid == work.event.sid), None)
    work.effects.append(Answer(value=made or add(work, work.event.values, work.event.sid)))


def add(work: Work, values: Mapping[str, Any], sid: str) -> Webhook:
    """The new webhook; with ``replay_after`` it hears of what was said before."""
    thread = work.conversation
    if thread.state == "closed":
        raise Refused(50377, "The conversation is closed, so it takes no webhooks", 400)
    if len(work.webhooks) >= MOST:
        raise Refused(50361, f"The conversation has {MOST} webhooks already", 400)
    target = values.get("target")
    if target not in ("webhook", "trigger", "studio"):
        raise Refused(50364, "Invalid Target: must be webhook, trigger or studio", 400)
    webhook = Webhook(
        sid=sid, account_sid=thread.account_sid, date_created=work.now, date_updated=work.now,
        chat_service_sid=thread.chat_service_sid, conversation_sid=thread.sid, target=target,
        configuration=_read(target, {}, values),
    )  # fmt: skip
    work.webhooks.append(webhook)
    work.save(webhook)
    after = webhook.configuration.get("replay_after")
    if after is not None:
        work.post(ReplayRequested(conversation_sid=thread.sid, webhook_sid=sid, after=after))
    return webhook


def update(work: Work) -> None:
    """Change where it leads, or when."""
    webhook = _target(work).copy()
    values = {name: value for name, value in work.event.values.items() if name != "replay_after"}
    webhook.configuration = _read(webhook.target, webhook.configuration, values)
    webhook.date_updated = max(work.now, webhook.date_updated + 1e-6)
    work.save(webhook)
    work.effects.append(Answer(value=webhook))


def delete(work: Work) -> None:
    """Remove one."""
    work.delete(_target(work))


def replay(work: Work) -> None:
    """The next piece of the messages that a new webhook is to hear of."""
    event: ReplayRequested = work.event
    webhook = next((each for each in work.webhooks if each.sid == event.webhook_sid), None)
    messages: list[Message] = work.known.get("messages", [])
    if webhook is None or work.record is None or not messages:
        return
    more = {"messaging_service_sid": work.record.messaging_service_sid}
    for message in messages:
        work.tell_webhook(webhook, "onMessageAdded", facts_of(message), more, words=message.body or "")
    work.post(ReplayRequested(
        conversation_sid=event.conversation_sid, webhook_sid=event.webhook_sid, after=messages[-1].index
    ))  # fmt: skip


def _target(work: Work) -> Webhook:
    found = next((each for each in work.webhooks if each.sid == work.event.sid), None)
    if found is None:
        raise Refused(50360, f"The webhook {work.event.sid} was not found", 404)
    return found


def _read(target: str, before: Mapping[str, Any], values: Mapping[str, Any]) -> WebhookTarget:
    """The configuration: what is given over what was there. Raises ``Refused``."""
    found = dict(before) | {
        name: values[name]
        for name in ("url", "method", "filters", "triggers", "flow_sid", "replay_after")
        if name in values
    }
    if target == "studio":
        if not _FLOW.match(str(found.get("flow_sid") or "")):
            raise Refused(50367, "Invalid Configuration.FlowSid: must be FW and 32 hex digits", 400)
    else:
        _check_url(found.get("url"))
    method = str(found.get("method") or "POST").upper()
    if method not in ("GET", "POST"):
        raise Refused(20001, "Invalid Configuration.Method: must be GET or POST", 400)
    filters, triggers = list(found.get("filters") or ()), list(found.get("triggers") or ())
    wrong = [each for each in filters if each not in POST_EVENTS]
    if wrong:
        raise Refused(50365, f"Invalid Configuration.Filters: {str(wrong[0])[:100]} is no post-event", 400)
    if target == "trigger" and not triggers:
        raise Refused(50371, "Configuration.Triggers is missing", 400)
    if len(triggers) > TRIGGERS:
        raise Refused(50362, f"More than {TRIGGERS} triggers", 400)
    if any(not each or len(each) > LONGEST_TRIGGER for each in triggers):
        raise Refused(50366, f"Invalid Configuration.Triggers: 1 to {LONGEST_TRIGGER} characters each", 400)
    after = found.get("replay_after")
    if after is not None and (not isinstance(after, int) or not -1 <= after < 2**53):
        raise Refused(20001, "Invalid Configuration.ReplayAfter: must be the index of a message", 400)
    studio = target == "studio"
    return WebhookTarget(
        url=None if studio else found.get("url"), method=None if studio else method, filters=filters or None,
        triggers=triggers or None, flow_sid=found.get("flow_sid") if studio else None, replay_after=after,
    )  # fmt: skip


def _check_url(url: Any) -> None:
    if not url:
        raise Refused(50369, "Configuration.Url is missing", 400)
    if len(str(url)) > LONGEST_URL:
        raise Refused(50372, f"Configuration.Url is longer than {LONGEST_URL} characters", 400)
    if not _URL.match(str(url)):
        raise Refused(20001, "Invalid Configuration.Url: must be an absolute http or https URL", 400)
