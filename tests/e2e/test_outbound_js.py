"""An agent's outbound calls by the unmodified worker SDK: why they failed, and a message type that it does not know."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
import requests

from tests.e2e.site import ACCOUNT, TOKEN, Site
from tests.e2e.taskrouter_sdk import FOLDER, needs_node
from tests.e2e.test_taskrouter_js import Office

PHONE, OURS = "+14155550199", "+15550100"
BUSY, SILENT, UNKNOWN = "+14155550171", "+14155550172", "+14155550173"


@pytest.fixture(scope="module", autouse=True)
def node() -> None:
    needs_node()


def behave(site: Site, number: str, answers: str, script: list[Any] | None = None) -> None:
    """How a simulated callee behaves."""
    body = {"answers": answers, "after": 0.2, "script": script or []}
    answer = requests.put(f"{site.url}/sim/v1/Numbers/{number}", json=body, auth=(ACCOUNT, TOKEN), timeout=10)
    assert answer.status_code < 300, answer.text


def test_reasons_and_notices(site: Site) -> None:
    """The SDK shows the code; our own message after it disturbs it in nothing: the next calls go on."""
    office = Office(site, "outbound")
    worker = office.worker("Alice", contact_uri=PHONE)
    behave(site, PHONE, "answer", [{"wait": 60}])
    behave(site, BUSY, "busy")
    behave(site, UNKNOWN, "invalid")
    bridge = "/event-bridge/v1/wschannels"
    setup = {
        "token": office.token(worker), "eb": site.url + bridge, "ws": site.url.replace("http", "ws", 1) + bridge,
        "from": OURS, "workflow": office.workflow, "queue": office.queue, "to": [BUSY, UNKNOWN, "call me", BUSY],
    }  # fmt: skip
    lines: list[dict[str, Any]] = []
    with subprocess.Popen(
        ["node", str(FOLDER / "outbound.mjs"), json.dumps(setup)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as client:  # fmt: skip
        assert client.stdout is not None
        assert client.stdin is not None
        for line in client.stdout:
            lines.append(json.loads(line))
            if "done" in lines[-1] or "uncaught" in lines[-1]:
                break
        client.stdin.close()
        client.wait(10)
    assert [each for each in lines if "uncaught" in each or "error" in each] == []
    ended = [(each["to"], each["status"], each["code"]) for each in lines if "canceled" in each]
    assert ended == [
        (BUSY, "canceled", 45303), (UNKNOWN, "canceled", 45301), ("call me", "canceled", 13223),
        (BUSY, "canceled", 45303),
    ]  # fmt: skip
    messages = [each["message"] for each in lines if "message" in each]
    notices = [each["payload"] for each in messages if each["event_type"] == "ringback.outbound-call-failed"]
    assert [(each["destination"], each["id"].removeprefix("OutboundCallCanceled")) for each in notices] == [
        (BUSY, "Busy"), (UNKNOWN, "Generic"), ("call me", "InvalidNumber"), (BUSY, "Busy"),
    ]  # fmt: skip
    assert "[45301]" in notices[1]["text"]
