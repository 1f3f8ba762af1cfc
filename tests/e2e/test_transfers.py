"""A call is handed over between SIP phones: what the customer hears, measured in sound, and who they talk to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.site import Site, until
from tests.e2e.taskrouter_sdk import worker_token
from tests.e2e.test_agents import TOML, Scene, sounds
from tests.e2e.test_conference import AGENT, COACH, CUSTOMER, heard, tones
from tests.e2e.web import Web


@pytest.fixture
def scene(start_site: Callable[..., Site], web: Web, tmp_path: Path) -> Scene:
    """Agents whose leaving ends the conference, as far as it is up to them."""
    instruction = {"instruction": "conference", "end_conference_on_exit": True, "beep": "false"}
    return Scene(start_site(toml=TOML), web, tmp_path, instruction)


def transfer(scene: Scene, to: str, mode: str) -> dict[str, Any]:
    """Alice gives her call away, as the SDK asks for it."""
    office = scene.office
    workspace = str(office.workspace.fetch().sid)
    (first,) = office.reservations(scene.alice).list(reservation_status="accepted")
    answer = requests.post(
        f"{scene.site.url}/event-bridge/v1/wschannels",
        json={
            "url": f"Workspaces/{workspace}/Workers/{scene.alice}/Transfers", "method": "POST",
            "params": {"TaskSid": first.task_sid, "ReservationSid": first.sid, "To": to, "Mode": mode},
            "token": worker_token(workspace, scene.alice),
        },
        timeout=10,
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()["payload"]
    return made


@pytest.mark.parametrize("mode", ["WARM", "COLD"])
def test_held_until_the_next_agent_is_there(scene: Scene, mode: str) -> None:
    site, office = scene.site, scene.office
    with (
        scene.phone(CUSTOMER, CUSTOMER) as customer,
        scene.phone("alice", AGENT, "wonderland") as alice,
        scene.phone("carol", COACH, "christmas", answer=False) as carol,
    ):
        alice.says("200 OK (Ringback")
        carol.says("200 OK (Ringback")
        scene.dial(customer)
        alice.wait("CALL_ESTABLISHED")
        task = scene.becomes("assigned")
        legs = {CUSTOMER: scene.leg("+15550100"), AGENT: scene.leg("sip:alice")}
        (conference,) = until(
            lambda: site.client.conferences.list(status="in-progress"), 5, "the conference runs"
        )
        seats = site.client.conferences(conference.sid).participants
        assert heard(site, legs) == {CUSTOMER: [AGENT], AGENT: [CUSTOMER]}

        colleague = office.hire("carol", contact_uri="sip:carol@ringback")
        assert transfer(scene, colleague, mode)["transfer_status"] == "initiated"
        carol.wait("CALL_INCOMING")
        if mode == "COLD":
            alice.wait("CALL_CLOSED")
            assert scene.task().assignment_status == "reserved"
        left = {legs[CUSTOMER]} if mode == "COLD" else set(legs.values())
        assert {each.call_sid for each in seats.list()} == left
        assert seats(legs[CUSTOMER]).fetch().hold is True
        music = sounds(site, legs[CUSTOMER])
        assert music, "music on hold"
        assert tones(music[0]) == []
        assert site.client.conferences(conference.sid).fetch().status == "in-progress"

        carol.command("accept")
        carol.wait("CALL_ESTABLISHED")
        until(lambda: seats(legs[CUSTOMER]).fetch().hold is False, 5, "the customer is back")
        both = {CUSTOMER: legs[CUSTOMER], COACH: scene.leg("sip:carol")}
        if mode == "WARM":
            assert heard(site, legs | both) == {
                CUSTOMER: [AGENT, COACH], AGENT: [CUSTOMER, COACH], COACH: [CUSTOMER, AGENT],
            }  # fmt: skip
            alice.command("hangup")
            until(lambda: len(seats.list()) == 2, 5, "Alice has left")
        assert heard(site, both) == {CUSTOMER: [COACH], COACH: [CUSTOMER]}
        assert scene.becomes("assigned").sid == task.sid
        carol.command("hangup")
        customer.wait("CALL_CLOSED")
        scene.becomes("wrapping")
