"""Which worker a new conversation goes to (conversations.md §2)."""

from __future__ import annotations

import itertools
from typing import Any

from ringback.conversations.routing import Routing, longest_idle
from ringback.effects import Post, Save, SendWebhook
from ringback.events.conversations import ConversationWriteRequested
from ringback.events.frontline import WorkerWanted
from ringback.resources.conversations.user import User
from ringback.resources.frontline.frontline_service import FrontlineService
from ringback.resources.frontline.pool_turn import PoolTurn

SERVICE = "IS" + "1" * 32
COUNT = itertools.count()


def worker(identity: str) -> User:
    return User(sid="US" + identity, account_sid="AC1", chat_service_sid=SERVICE, identity=identity)


def wanted(settings: FrontlineService | None, **more: Any) -> WorkerWanted:
    known = {"settings": settings, "workers": more.pop("workers", []), "turns": more.pop("turns", {})}
    return WorkerWanted(
        account_sid="AC1", chat_service_sid=SERVICE, conversation_sid="CH1", known=known, **more
    )


def service(**fields: Any) -> FrontlineService:
    return FrontlineService(sid=SERVICE, account_sid="AC1", **fields)


ROUTING = Routing(lambda prefix: f"{prefix}{next(COUNT)}")


def test_the_longest_without_a_turn_is_next() -> None:
    ann, bob, cid = worker("ann"), worker("bob"), worker("cid")
    assert longest_idle([bob, ann], {}) is ann  # of those who never had one, the first
    assert longest_idle([ann, bob, cid], {"USann": 5.0, "UScid": 3.0}) is bob
    assert longest_idle([ann, bob, cid], {"USann": 5.0, "USbob": 4.0, "UScid": 3.0}) is cid
    assert longest_idle([], {"USann": 5.0}) is None


def test_the_pool_adds_its_worker_and_notes_the_turn() -> None:
    turn, post = ROUTING.handle(wanted(service(routing="pool"), workers=[worker("ann")]), 100.0)
    assert isinstance(turn, Save)
    assert isinstance(turn.record, PoolTurn)
    assert (turn.record.sid, turn.record.assigned_at) == ("USann", 100.0)
    assert isinstance(post, Post)
    assert isinstance(post.event, ConversationWriteRequested)
    assert (post.event.noun, post.event.values, post.event.conversation_sid, post.event.hooks) == (
        "Participant", {"identity": "ann"}, "CH1", True,
    )  # fmt: skip


def test_an_empty_pool_is_told_to_the_operator_but_a_call_tells_it_itself() -> None:
    (alert,) = ROUTING.handle(wanted(service(routing="pool")), 1.0)
    assert isinstance(alert, Save)
    assert (alert.record.error_code, alert.record.resource_sid) == (32506, "CH1")
    assert ROUTING.handle(wanted(service(routing="pool"), call_sid="CA1"), 1.0) == ()


def test_custom_routing_asks_the_application_within_five_seconds() -> None:
    settings = service(routing="custom", routing_url="https://u:p@app.example/route?x=1#tt=15000")
    (hook,) = ROUTING.handle(wanted(settings, params=(("ConversationSid", "CH1"),), call_sid="CA1"), 1.0)
    assert isinstance(hook, SendWebhook)
    assert hook.url == "https://u:p@app.example/route?x=1#ct=5000&tt=5000"
    assert (hook.params, hook.failure_code, hook.resource_sid) == (
        [("ConversationSid", "CH1")], 48010, "CH1",
    )  # fmt: skip
    assert hook.key != "CH1"  # it waits for no other webhook of the conversation


def test_nothing_is_done_unless_it_is_set() -> None:
    assert ROUTING.handle(wanted(None, workers=[worker("ann")]), 1.0) == ()
    assert ROUTING.handle(wanted(service(), workers=[worker("ann")]), 1.0) == ()
