"""The server is killed at each step of a message's way: from a carrier into a conversation, and on to its others.

Carrier and application are processes and servers of their own: they know what was handed over before the kill.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.site import Site, until
from tests.e2e.test_smpp import RECEIPT, OtherSmsc
from tests.e2e.web import Params, Web

OURS, ALSO_OURS = "+15550100", "+15550101"
ANN, BOB = "+15551230001", "+15551230002"
STEPS = ["stored", "in the conversation", "waiting", "claimed", "sent", "receipt"]


class Way:
    """Ann's message to a conversation of hers and Bob's, each at a carrier of their own."""

    def __init__(self, start_site: Callable[..., Site], anns: OtherSmsc, bobs: OtherSmsc, web: Web) -> None:
        self.anns, self.bobs, self.web = anns, bobs, web
        self.site = start_site(
            toml="".join(
                f'[smpp.{name}]\nhost = "127.0.0.1"\nport = {smsc.port}\nsystem_id = "us"\npassword = "secret"\n'
                f'numbers = ["{number}"]\nthroughput = 0\n'
                for name, smsc, number in (("anns", anns, OURS), ("bobs", bobs, ALSO_OURS))
            )
        )
        self.site.may_warn = True
        self.slow: dict[str, threading.Event] = {}
        """Events that the application answers only when it is let."""
        self.told: list[Params] = []
        web.documents["/events"] = self._event
        self.all = self.site.client.conversations.v1
        self.all.configuration.webhooks().update(
            filters=["onConversationAdd", "onMessageAdd", "onMessageAdded", "onDeliveryUpdated"], method="POST",
            pre_webhook_url=f"{web.url}/events", post_webhook_url=f"{web.url}/events",
        )  # fmt: skip
        self.site.client.incoming_phone_numbers.create(phone_number=ALSO_OURS)

    def meet(self) -> None:
        """Ann's and Bob's conversation."""
        self.thread = self.all.conversations(str(self.all.conversations.create().sid))
        for address, proxy in ((ANN, OURS), (BOB, ALSO_OURS)):
            self.thread.participants.create(
                messaging_binding_address=address, messaging_binding_proxy_address=proxy
            )

    def _event(self, facts: Params) -> str:
        self.told.append(facts)
        waits = self.slow.get(facts["EventType"])
        if waits is not None:
            waits.wait(20)
        return ""

    def of(self, event: str) -> list[Params]:
        """What the application was told of a type."""
        return [one for one in list(self.told) if one["EventType"] == event]

    def writes(self, body: str = "hello") -> None:
        """Ann's message is taken."""
        assert self.anns.deliver(body.encode()) == 0

    def to_bob(self) -> list[Any]:
        """What is on its way to Bob, or was."""
        return list(self.site.client.messages.list(to=BOB))

    def is_now(self, *statuses: str) -> Any:
        """Wait until the one message to Bob has one of them."""
        (found,) = until(
            lambda: [one for one in self.to_bob() if one.status in statuses],
            40,
            f"it is {statuses}: {[one.status for one in self.to_bob()]}",
        )
        return found

    def submitted(self) -> list[str]:
        """What Bob's carrier has got."""
        return [one["submitted"] for one in self.bobs.of("submitted")]

    def delivered(self) -> None:
        """The carrier's receipt is taken."""
        receipt = (RECEIPT % ("id1", "DELIVRD")).encode()
        fields = {"esm_class": 4, "source_addr": BOB[1:], "destination_addr": ALSO_OURS[1:]}
        assert self.bobs.deliver(receipt, **fields) == 0

    def goes_to(self, step: str) -> None:
        """Ann writes, and the message gets that far."""
        self.bobs.order(hold=step == "claimed")
        if step == "waiting":
            self.bobs.close()
        held = {"stored": "onMessageAdd", "in the conversation": "onMessageAdded"}.get(step, "")
        if held:
            self.slow[held] = threading.Event()
        self.writes()
        if held:
            until(lambda: self.of(held), 40, "the application is being asked, or told")
        elif step == "claimed":
            until(self.submitted, 40, "the carrier has it, and says nothing")
        else:
            self.is_now("sending" if step == "waiting" else "sent")
        if step == "receipt":
            self.delivered()

    def killed(self) -> None:
        """The server is killed, then starts again; the application answers as ever."""
        self.site.kill()
        for waits in self.slow.values():
            waits.set()
        self.slow.clear()
        self.site.start()


@pytest.fixture
def way(start_site: Callable[..., Site], web: Web, tmp_path: Path) -> Iterator[Way]:
    """See `Way`."""
    folders = [tmp_path / "anns", tmp_path / "bobs"]
    for each in folders:
        each.mkdir()
    carriers = [OtherSmsc(each) for each in folders]
    try:
        found = Way(start_site, *carriers, web)
        yield found
        carriers.append(found.bobs)
    finally:
        for each in carriers:
            each.close()


@pytest.mark.parametrize("step", STEPS)
def test_kill_9_on_a_messages_way(step: str, way: Way, tmp_path: Path) -> None:
    """Stored once, in the conversation once, handed to the carrier once at most and never lost without a word."""
    way.meet()
    way.goes_to(step)
    way.site.kill()
    handed = way.submitted()
    if step == "waiting":
        way.bobs = OtherSmsc(tmp_path / "bobs", way.bobs.port)
    way.bobs.order(hold=False)
    way.killed()
    _check(way, step, handed)


def test_kill_9_while_the_application_is_asked_for_a_new_conversation(way: Way) -> None:
    """The message was taken, so it is in the one conversation that is made of it after all."""
    way.all.address_configurations.create(
        type="sms", address=OURS, auto_creation_enabled=True, auto_creation_type="default"
    )
    way.slow["onConversationAdd"] = threading.Event()
    way.writes()
    until(lambda: way.of("onConversationAdd"), 40, "the application is asked")
    way.killed()
    (thread,) = until(way.all.conversations.list, 40, "it is made")
    assert [one.body for one in way.all.conversations(str(thread.sid)).messages.list()] == ["hello"]
    way.writes("again")
    until(
        lambda: len(way.all.conversations(str(thread.sid)).messages.list()) == 2, 40, "the next one is there"
    )
    assert len(way.all.conversations.list()) == 1


def _check(way: Way, step: str, handed: list[str]) -> None:
    if step in ("waiting", "claimed"):  # of neither we know what the carrier has
        assert way.is_now("failed").error_code == 30008
    elif step == "receipt":
        way.is_now("delivered")
        way.delivered()  # the carrier has not read our answer, and says it again
    else:
        found = way.is_now("sent", "failed")
        if found.status == "failed":  # the kill was in the moment of handing over
            assert (step, found.error_code) == ("in the conversation", 30008)
        else:
            way.delivered()
            way.is_now("delivered")
    assert len(handed) <= 1
    sent = [] if step == "waiting" else ["hello"]
    assert way.submitted() == sent
    until(lambda: way.of("onMessageAdded"), 40, "the application is told")
    assert len({one["MessageSid"] for one in way.of("onMessageAdded")}) == 1
    inbound = way.site.client.messages.list(to=OURS)
    assert [(one.body, one.status) for one in inbound] == [("hello", "received")]
    way.writes("hello")  # the carrier repeats itself
    way.writes("again")
    until(lambda: way.submitted() == [*sent, "again"], 40, "what comes after goes its way")
    assert [(one.body, one.index) for one in way.thread.messages.list()] == [("hello", 0), ("again", 1)]
    assert len(way.thread.participants.list()) == 2
    first = way.thread.messages.list()[0]
    (receipt,) = way.thread.messages(str(first.sid)).delivery_receipts.list()
    (text,) = [one for one in way.to_bob() if one.sid == receipt.channel_message_sid]
    assert (receipt.status, receipt.error_code or 0) == (text.status, text.error_code or 0)
    assert len(way.to_bob()) == 2
    told = [one["Status"] for one in way.of("onDeliveryUpdated") if one["MessageSid"] == first.sid]
    assert told[-1] == text.status
    assert len(set(told)) == len(
        {
            (one["Status"], one["token"])
            for one in way.of("onDeliveryUpdated")
            if one["MessageSid"] == first.sid
        }
    )
