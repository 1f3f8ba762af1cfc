"""The signalling test numbers (call-outcomes.md §5) end as the sheet says, whoever dials them (issue 11, B 13)."""

from __future__ import annotations

import aiohttp
import pytest

from ringback.testing.world import World
from tests.outcomes.agent import OURS, Agent
from tests.scenarios.test_outbound_call import place

US = "+15550123"
ENDS: dict[str, tuple[str, str, str | None, int | None]] = {
    "+15005551486": ("busy", "486", None, 45303),
    "+15005551480": ("no-answer", "480", None, 45305),
    "+15005551404": ("failed", "404", "13224", 45301),
    "+15005551603": ("busy", "603", None, 45303),
    "+15005551503": ("failed", "503", "32011", 45301),
    "+15005551000": ("no-answer", "487", None, 45305),
    "+15005551200": ("completed", "200", None, None),
}
"""Number → status, SipResponseCode, ErrorCode, reason code of a reservation (§6)."""
NUMBERS = pytest.mark.parametrize("number", ENDS)


@NUMBERS
async def test_by_rest(ringback: World, number: str) -> None:
    ringback.app("/status", "")
    await ringback.number(US, voice="/none")
    call = await place(ringback, number, Timeout="5", Twiml="<Response><Pause length='60'/></Response>")
    final = await ringback.final(str(call["sid"]))
    status, sip, error, _ = ENDS[number]
    last = ringback.requests("/status")[-1]
    assert (final["status"], last["CallStatus"], last["SipResponseCode"], last.get("ErrorCode")) == (
        status, status, sip, error,
    )  # fmt: skip
    assert final["error_code"] == (int(error) if error else None)
    if status == "completed":
        assert final["duration"] == "1"


@NUMBERS
async def test_by_dial(ringback: World, number: str) -> None:
    ringback.app("/voice", f"<Response><Dial timeout='5' action='/after'>{number}</Dial></Response>")
    ringback.app("/after", "<Response/>")
    caller = await ringback.call(await ringback.number(US, voice="/voice"))
    await caller.ends()
    await ringback.settled()
    status, _, error, _ = ENDS[number]
    (after,) = ringback.requests("/after")
    assert (after["DialCallStatus"], after["DialBridged"]) == (
        status,
        "true" if status == "completed" else "false",
    )
    child = await ringback.get(f"Calls/{after['DialCallSid']}")
    assert (child["status"], child["error_code"]) == (status, int(error) if error else None)


@NUMBERS
async def test_into_a_conference(ringback: World, number: str) -> None:
    ringback.app("/status", "")
    ringback.app("/conference", "")
    await ringback.number(US, voice="/none")
    made = await ringback.post(
        "Conferences/room/Participants", From=US, To=number, Timeout="5",
        StatusCallback=ringback.app_url + "/status",
        ConferenceStatusCallback=ringback.app_url + "/conference", ConferenceStatusCallbackEvent="leave",
    )  # fmt: skip
    final = await ringback.final(str(made["call_sid"]))
    status, sip, error, _ = ENDS[number]
    last = ringback.requests("/status")[-1]
    assert (final["status"], last["SipResponseCode"], last.get("ErrorCode")) == (status, sip, error)
    (left,) = ringback.requests("/conference")
    why = "participant_hung_up" if status == "completed" else "participant_add_failed"
    assert (left["ParticipantCallStatus"], left["ReasonParticipantLeft"]) == (status, why)


async def test_as_the_customer_of_an_agents_own_call(ringback: World) -> None:
    """§6: the code of the canceled reservation; none for a call that was answered."""
    await ringback.number(OURS, voice="/none")
    async with aiohttp.ClientSession() as session:
        agent = await Agent(ringback, session).sign_in()
        found = {}
        for number, (_, _, _, reason) in ENDS.items():
            sid = await agent.call(number)
            ended = await agent.hears("reservation.wrapup" if reason is None else "reservation.canceled")
            await ringback.settled()
            found[number] = ended.get("canceled_reason_code")
            if reason is None:
                await agent.ask(
                    "POST", f"Workers/{agent.worker}/Reservations/{sid}", ReservationStatus="completed"
                )
        await agent.sign_out()
    assert found == {number: reason for number, (_, _, _, reason) in ENDS.items()}
