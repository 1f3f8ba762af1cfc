"""OPTIONS within a call: whether the far end still has it, when no session timer would tell (RFC 3261 §11)."""

from __future__ import annotations

from tests.edges.sip.conftest import Start
from tests.edges.sip.test_endpoint import port_of
from tests.sip_peers import OFFER, Recorder

from ringback.edges.sip.call import SipCall
from ringback.edges.sip.endpoint import SipEndpoint


def invite(agent: SipEndpoint, port: int, **more: object) -> SipCall:
    return agent.invite(
        to=f"sip:bob@127.0.0.1:{port}", from_uri="sip:alice@127.0.0.1", from_display=None, sdp=OFFER, **more,  # type: ignore[arg-type]
    )  # fmt: skip


async def test_a_far_end_that_knows_the_call_keeps_it(start: Start) -> None:
    there, here = Recorder(), Recorder()
    uas, uac = await start(there), await start(here)
    call = invite(uac, port_of(uas, "udp"), session_expires=None, call_id="CA1@ringback")
    assert not call.probe(), "it is not up"
    await there.until("confirmed")
    assert call.call_id == "CA1@ringback"
    assert call.probe()
    await here.until("answered")
    (theirs,) = uas.calls
    assert theirs.probe(), "either side may ask"
    call.hangup()
    await there.until("ended")
    assert here.counts["ended"] == 1
    assert there.log[-1][1] == "remote", "the end was the hang-up, not the question"


async def test_a_far_end_that_has_forgotten_the_call_ends_it(start: Start) -> None:
    there, here = Recorder(), Recorder()
    uas, uac = await start(there), await start(here)
    call = invite(uac, port_of(uas, "udp"), session_expires=None)
    await there.until("confirmed")
    uas._calls.clear()  # as after its restart: it answers 481
    assert call.probe()
    await here.until("ended")
    assert here.log[-1] == ("ended", "remote", "OPTIONS answered 481")


async def test_a_session_timer_makes_the_question_needless(start: Start) -> None:
    there, here = Recorder(), Recorder()
    uas, uac = await start(there), await start(here)
    call = invite(uac, port_of(uas, "udp"))
    await there.until("confirmed")
    assert not call.probe()
    call.hangup()
    await there.until("ended")
