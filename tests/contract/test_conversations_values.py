"""Every parameter of the public description of Conversations v1: a bad value is refused, and nothing breaks.

The table is in ``scripts/conversations_coverage.py``; a parameter that it does not have fails here.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ringback.testing.world import world
from tests.scenarios.test_conversation_nouns import OURS, Desk, signed_in

ROOT = Path(__file__).parent.parent.parent
GOOD = {
    "POST /v1/Configuration/Addresses": {"Type": "sms", "Address": "+15550100"},
    "POST /v1/Credentials": {"Type": "apn", "Certificate": "x", "PrivateKey": "x"},
    "POST /v1/Services": {"FriendlyName": "x"},
    "Roles": {"FriendlyName": "x", "Type": "service", "Permission": "joinConversation"},
    "Users": {"Identity": "new"},
    "Conversations": {"State": "active"},
    "ConversationWithParticipants": {"State": "active"},
    "Messages": {"Body": "x"},
    "Participants": {"MessagingBinding.Address": "+15551230009", "MessagingBinding.ProxyAddress": OURS},
    "Webhooks": {
        "Target": "webhook",
        "Configuration.Url": "http://h/",
        "Configuration.Filters": "onMessageAdded",
    },
}
"""Operation, or the last word of a create's path → what makes it succeed."""


def coverage() -> Any:
    """scripts/conversations_coverage.py."""
    name = "conversations_coverage"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with world(tmp_path) as running, signed_in(running) as session:
        yield Desk(running, session)


async def furnished(desk: Desk, below: str) -> dict[str, str]:
    """One of each kind; gives noun's name in a path → SID."""
    talk = await desk.made(f"{below}/Conversations")
    path = f"{below}/Conversations/{talk['sid']}"
    bob = await desk.made(f"{path}/Participants", Identity="bob")
    said = await desk.made(f"{path}/Messages", Body="x")
    hook = await desk.made(
        f"{path}/Webhooks",
        Target="webhook",
        Configuration__Url="http://h/",
        Configuration__Filters="onMessageAdded",
    )
    role = await desk.made(f"{below}/Roles", FriendlyName="x", Type="service", Permission="joinConversation")
    user = (await desk("GET", f"{below}/Users/bob"))[1]
    return {
        "Conversations": talk["sid"], "Participants": bob["sid"], "Messages": said["sid"], "Webhooks": hook["sid"],
        "Roles": role["sid"], "Users": user["sid"],
    }  # fmt: skip


async def test_bad_values_are_refused(desk: Desk) -> None:
    service = await desk.made("/Services", FriendlyName="x")
    there = {False: await furnished(desk, ""), True: await furnished(desk, f"/Services/{service['sid']}")}
    address = await desk.made("/Configuration/Addresses", Type="sms", Address="+15550111")
    key = await desk.made("/Credentials", Type="apn", Certificate="x", PrivateKey="x")
    single = {"Services": service["sid"], "Addresses": address["sid"], "Credentials": key["sid"]}
    facts, wrong, asked = coverage().facts(), [], 0
    for operation, names in facts.items():
        method, path = operation.split(" ")
        inside = path.startswith("/v1/Services/{ChatServiceSid}")
        sids = single | there[inside]

        def named(match: re.Match[str], sids: dict[str, str] = sids) -> str:
            return f"{match[1]}/{sids.get(match[1], '')}"

        url = re.sub(r"(\w+)/\{\w+\}", named, path.removeprefix("/v1"))
        create = method == "POST" and not path.endswith("}")
        good = GOOD.get(
            operation,
            GOOD.get(path.rpartition("/")[2], {}) if create and "Configuration/" not in path else {},
        )
        for name in names:
            if name in coverage().ANYTHING or (method == "GET" and name in coverage().FILTERS):
                continue
            if (operation.replace("/Services/{ChatServiceSid}", ""), name) == coverage().LEFT_ALONE:
                continue
            asked += 1
            form = dict(good) | {name: coverage().BAD[name]}
            status, body = await desk(
                method, url, **{one.replace(".", "__"): value for one, value in form.items()}
            )
            if status != (404 if name == "MediaSid" else 400):
                wrong.append(f"{operation} {name}: {status} {json.dumps(body)[:160]}")
    assert wrong == [], "\n".join(wrong)
    assert asked > 200
