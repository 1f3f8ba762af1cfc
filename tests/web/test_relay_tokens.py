"""Credentials of the TURN relay: what coturn checks (draft-uberti-behave-turn-rest-00)."""

from __future__ import annotations

import base64
import hmac
import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ringback.settings import SettingsError, load
from ringback.web.relay_tokens import RelayTokens


async def test_the_password_is_the_hmac_of_the_user_name() -> None:
    settings = SimpleNamespace(make_secret=lambda: "0" * 32)
    ctx = SimpleNamespace(
        params={"Ttl": ["60"]}, now=1000.5, account=SimpleNamespace(sid="AC1"),
        services=SimpleNamespace(settings=settings),
    )  # fmt: skip
    tokens = RelayTokens(("stun:relay.test:3478", "turn:relay.test:3478?transport=udp"), "shared")
    body = json.loads((await tokens.create(cast(Any, ctx))).body)
    assert body["username"] == "1060:AC1"
    expected = base64.b64encode(hmac.digest(b"shared", b"1060:AC1", "sha1")).decode()
    assert body["password"] == expected
    assert body["ice_servers"] == [
        {"url": "stun:relay.test:3478", "urls": "stun:relay.test:3478"},
        {
            "url": "turn:relay.test:3478?transport=udp", "urls": "turn:relay.test:3478?transport=udp",
            "username": "1060:AC1", "credential": expected,
        },
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("urls", "says"), [("http://x", "URLs such as"), ("turn:x:1", "RINGBACK_TURN_SECRET")]
)
def test_settings_that_cannot_be_used(urls: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        load(environ={}, file=Path(os.devnull), flags={"turn_urls": urls})
