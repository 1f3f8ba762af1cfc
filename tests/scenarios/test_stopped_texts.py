"""A text that still waits for its carrier when the server stops is sent after the next start, once and in its order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from ringback import texting
from ringback.edges.channels._configured import configured
from ringback.kernel.text_carrier import Smpp
from ringback.resources.api.message import Message
from ringback.settings import Settings
from ringback.testing.world import World, world
from tests.smsc import Smsc

OURS, CUSTOMER = "+15550100", "+15551230001"


def carrier(port: int) -> Smpp:
    """An SMSC in ``ringback.toml``."""
    return Smpp(
        name="acme", host="127.0.0.1", port=port, system_id="us", password="secret", numbers=(OURS,), throughput=0,
        patience=60, response_timeout=5,
    )  # fmt: skip


@asynccontextmanager
async def connected(folder: Path, port: int) -> AsyncIterator[World]:
    """A product whose number's texts go to that SMSC."""

    def with_it(settings: Settings, *rest: Any) -> Any:
        return configured(replace(settings, smpp=(carrier(port),)), *rest)

    with patch.object(texting, "configured", with_it):
        async with world(folder) as ringback:
            yield ringback


async def become(ringback: World, good: Callable[[list[Message]], Any]) -> list[Message]:
    """The messages, as soon as they are so."""
    async with asyncio.timeout(20):
        while not good(found := await ringback.product.store.find(Message)):
            await asyncio.sleep(0.02)
    return sorted(found, key=lambda one: one.sid)


async def test_a_throttled_text_survives_a_restart(tmp_path: Path) -> None:
    smsc = await Smsc().start()
    smsc.on_submit = lambda one, session: (0x58, "")
    async with connected(tmp_path, smsc.port) as ringback:
        ringback.app("/status", "")
        await ringback.post("IncomingPhoneNumbers", PhoneNumber=OURS)
        for body in ("first", "second"):
            told = f"{ringback.app_url}/status"
            await ringback.post("Messages", To=CUSTOMER, From=OURS, Body=body, StatusCallback=told)
        await become(ringback, lambda found: any(one.status == "sending" for one in found))
        await smsc.until(lambda: smsc.submitted)
    refused = len(smsc.submitted)
    smsc.on_submit = lambda one, session: (0, f"id{len(smsc.submitted)}")
    async with connected(tmp_path, smsc.port) as ringback:
        found = await become(ringback, lambda found: all(one.status == "sent" for one in found))
    assert [(one.body, one.error_code) for one in found] == [("first", None), ("second", None)]
    assert [one.short_message for one in smsc.submitted[refused:]] == [b"first", b"second"]
    await smsc.stop()
