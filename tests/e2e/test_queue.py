"""Two SIP phones meet through a queue: who hears whom is measured on the wire of each (twiml.md §5.2, §6)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.baresip import Phone
from tests.e2e.site import Site, until
from tests.e2e.test_conference import AGENT, CUSTOMER, TONES, heard
from tests.e2e.web import Params, Web


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_caller_waits_and_an_agent_takes_it(
    start_site: Callable[..., Site], web: Web, tmp_path: Path, workers: str
) -> None:
    """Both directions carry sound, also when the two legs began in different media workers; when the agent
    hangs up the caller's action is asked once, and the caller's document goes on."""
    site = start_site(media_workers=workers)
    calls: dict[str, str] = {}
    after: list[Params] = []

    def document(facts: Params) -> str:
        calls[facts["From"]] = facts["CallSid"]
        if facts["From"] == AGENT:
            return "<Response><Dial><Queue>support</Queue></Dial></Response>"
        return "<Response><Enqueue action='/after'>support</Enqueue></Response>"

    def over(facts: Params) -> str:
        after.append(facts)
        return "<Response><Pause length='60'/></Response>"

    web.documents |= {"/voice": document, "/after": over}
    site.number("+15550101", f"{web.url}/voice")
    server = f"127.0.0.1:{site.sip_port}"
    with (
        Phone(tmp_path / "customer", user=CUSTOMER, server=server, hertz=TONES[CUSTOMER]) as customer,
        Phone(tmp_path / "agent", user=AGENT, server=server, hertz=TONES[AGENT]) as agent,
    ):
        customer.dial(f"sip:+15550101@{server}")
        customer.wait("CALL_ESTABLISHED")
        (queue,) = until(lambda: site.client.queues.list(), 5, "the queue exists")
        until(lambda: site.client.queues(queue.sid).fetch().current_size == 1, 5, "the caller waits")
        assert heard(site, {CUSTOMER: calls[CUSTOMER]}) == {CUSTOMER: []}
        agent.dial(f"sip:+15550101@{server}")
        agent.wait("CALL_ESTABLISHED")
        until(lambda: site.client.queues(queue.sid).fetch().current_size == 0, 5, "the caller is taken")
        assert heard(site, calls) == {CUSTOMER: [AGENT], AGENT: [CUSTOMER]}
        agent.command("hangup")
        until(lambda: after, 5, "the caller's action is asked")
        assert [one["QueueResult"] for one in after] == ["bridged"]
        assert site.ended(calls[AGENT]) == "completed"
        assert site.status(calls[CUSTOMER]) == "in-progress"
        customer.command("hangup")
        assert site.ended(calls[CUSTOMER]) == "completed"
    assert len(after) == 1
