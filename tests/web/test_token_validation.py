"""``Tokens/validate``: agents' access tokens, as npm's ``twilio-flex-token-validator`` asks for them."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ringback.effects import Save
from ringback.resources import all_nouns
from ringback.resources.api.account import Account
from ringback.resources.api.key import Key
from ringback.web.auth import make_token
from ringback.web.rest import RestSettings, build_rest
from ringback.web.taskrouter import live_taskrouter
from ringback.web.token_validation import token_validation
from tests.web.rest.test_fuzz import AC, ask
from tests.web.taskrouter_kit import Kit, kit_in

SK, OTHER = "SK" + "2" * 32, "AC" + "3" * 32
KEY, THEIRS = "k" * 32, "t" * 32
PATH = f"/v1/Accounts/{AC}/Tokens/validate"
TEST = "AC" + "9" * 32


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    """A workspace, an API key, and an account that is none of ours."""
    async with kit_in(tmp_path) as found:
        await found.store.commit(
            [
                Save(Key(sid=SK, account_sid=AC, secret=KEY)),
                Save(Account(sid=OTHER, account_sid=OTHER, auth_token=THEIRS)),
            ]
        )
        settings = RestSettings(
            public_url="http://h", now=lambda: found.now, make_sid=found.new_sid, make_secret=str,
            recordings=tmp_path, test_account_sid=TEST, test_auth_token="test's",
        )  # fmt: skip
        live = live_taskrouter(found.ask, found.new_sid)
        found.app = build_rest(
            found.store, all_nouns(), live, settings, extra=[token_validation(found.taskrouter)]
        )
        yield found


def token(kit: Kit, worker: str | None, role: str = "worker", **changes: Any) -> str:
    """An access token, made as an application makes it."""
    grant = {"workspace_sid": kit.ws, "worker_sid": worker, "role": role}
    options: dict[str, Any] = {
        "account_sid": AC, "key_sid": SK, "secret": KEY, "identity": "alice", "grants": {"task_router": grant},
        "now": kit.now, "seconds": 600,
    }  # fmt: skip
    return make_token(**(options | changes))


async def validate(kit: Kit, given: Any, path: str = f"/iam{PATH}", **headers: bytes) -> tuple[int, Any]:
    """Status and answer."""
    body = json.dumps({"token": given}).encode()
    status, _, answered = await ask(kit.app, "POST", path, body, content_type=b"application/json", **headers)
    return status, json.loads(answered)


def basic(user: str, password: str) -> bytes:
    """An ``Authorization`` header."""
    return b"Basic " + base64.b64encode(f"{user}:{password}".encode())


async def test_an_agents_token(kit: Kit) -> None:
    worker = (await kit.worker("alice"))["sid"]
    wanted = {
        "valid": True, "code": 0, "message": None, "worker_sid": worker, "roles": ["agent"], "identity": "alice",
        "realm_user_id": "alice", "expiration": "2027-01-15T08:10:00Z",
    }  # fmt: skip
    assert await validate(kit, token(kit, worker)) == (200, wanted)
    # as the package asks: by host name (with a region, too), by API key
    for host in (b"iam.twilio.com", b"iam.us1.twilio.com"):
        key = basic(SK, KEY)
        assert await validate(kit, token(kit, worker), PATH, host=host, authorization=key) == (200, wanted)


@pytest.mark.parametrize("role", ["supervisor", "admin"])
async def test_roles(kit: Kit, role: str) -> None:
    status, found = await validate(kit, token(kit, None, role))
    assert (status, found["valid"], found["roles"], found["worker_sid"]) == (200, True, [role], None)


async def test_what_is_not_valid_says_why(kit: Kit) -> None:
    worker = (await kit.worker("alice"))["sid"]
    old = token(kit, worker)
    kit.now += 600
    good = token(kit, worker)
    for given, code in (
        ("", 20101), ("nonsense", 20101), ("\u00e4.b.c", 20101), ([], 20101), (None, 20101), ({"a": 1}, 20101),
        (good[:-3], 20107), (old, 20104), (token(kit, worker, seconds=10**18), 20104),
        (token(kit, worker, account_sid=OTHER, key_sid=OTHER, secret=THEIRS), 20103),
        (token(kit, worker, grants={"voice": {}}), 20003), (token(kit, "WK" + "0" * 32), 20003),
        (token(kit, None), 20003), (token(kit, worker, "owner"), 20003),
    ):  # fmt: skip
        status, found = await validate(kit, given)
        assert (status, found["valid"], found["code"]) == (200, False, code), given
        assert found["message"]
        rest = ("worker_sid", "roles", "realm_user_id", "identity", "expiration")
        assert [found[name] for name in rest] == [None] * 5
    await kit.call("DELETE", f"Workers/{worker}")
    assert (await validate(kit, good))[1]["code"] == 20003


async def test_who_may_ask(kit: Kit) -> None:
    good = token(kit, (await kit.worker("alice"))["sid"])
    for header, answer in (
        (b"", (401, 20003)), (basic(AC, "wrong"), (401, 20003)), (basic(OTHER, THEIRS), (404, 20404)),
        (basic(TEST, "test's"), (404, 20404)),
    ):  # fmt: skip
        status, found = await validate(kit, good, authorization=header)
        assert (status, found["code"]) == answer
    own = f"/iam/v1/Accounts/{TEST}/Tokens/validate"
    assert (await validate(kit, good, own, authorization=basic(TEST, "test's")))[0] == 403
    assert (await ask(kit.app, "GET", f"/iam{PATH}"))[0] == 405
