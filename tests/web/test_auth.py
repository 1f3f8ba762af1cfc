"""Access tokens: ours are read back, and so are those of the official library."""

from __future__ import annotations

import math

import jwt
import pytest
from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import VoiceGrant

from ringback.effects import Save
from ringback.kernel.errors import Refused
from ringback.resources.api.account import Account
from ringback.resources.api.key import Key
from ringback.store import Store
from ringback.web.auth import make_access_token, make_token, read_token

AC, SK, SECRET = "AC" + "1" * 32, "SK" + "1" * 32, "s" * 32
NOW = 1_800_000_000.0


@pytest.fixture
async def filled(store: Store) -> Store:
    await store.commit(
        [
            Save(Account(sid=AC, account_sid=AC, auth_token="a" * 32)),
            Save(Key(sid=SK, account_sid=AC, secret=SECRET)),
        ]
    )
    return store


def ours(**changes: object) -> str:
    options = {
        "account_sid": AC,
        "key_sid": SK,
        "secret": SECRET,
        "identity": "alice",
        "grants": {},
        "now": NOW,
    }
    return make_token(**(options | changes))  # type: ignore[arg-type]


async def test_tokens_are_read_back(filled: Store) -> None:
    assert (await read_token(filled, ours(), NOW + 1))["grants"]["identity"] == "alice"
    known = {"account_sid": AC, "auth_token": "a" * 32}
    token = make_access_token(known, identity="bob", now=NOW)
    assert (await read_token(filled, token, NOW))["sub"] == AC
    official = AccessToken(AC, SK, SECRET, grants=[VoiceGrant(incoming_allow=True)], identity="carol")
    claims = jwt.decode(official.to_jwt(), options={"verify_signature": False})
    assert (await read_token(filled, official.to_jwt(), claims["exp"] - 1.0))["grants"]["identity"] == "carol"


async def test_every_fault_has_its_code(filled: Store) -> None:
    bare = jwt.encode({"iss": SK, "sub": AC, "exp": NOW + 9}, SECRET, headers={"cty": "twilio-fpa;v=1"})
    later = jwt.encode(
        {"iss": SK, "sub": AC, "exp": NOW + 9, "nbf": NOW + 8, "grants": {}},
        SECRET,
        headers={"cty": "twilio-fpa;v=1"},
    )
    faults = [
        ("nonsense", 20101),
        ("x" * 20_000, 20101),
        (jwt.encode({"iss": SK}, SECRET), 20102),
        (ours(key_sid="SK" + "2" * 32), 20103),
        (ours(account_sid="AC" + "2" * 32), 20103),
        (ours(now=NOW - 9999), 20104),
        (later, 20105),
        (bare, 20106),
        (ours(secret="x" * 32), 20107),
    ]
    for token, code in faults:
        with pytest.raises(Refused) as caught:
            await read_token(filled, token, NOW)
        assert (caught.value.code, caught.value.status) == (code, 401)


@pytest.mark.parametrize(
    ("exp", "code"),
    [
        (NOW + 9, 0), (int(NOW) + 9, 0), (math.nan, 20104), (math.inf, 20104), (-math.inf, 20104), (True, 20104),
        ("9999999999", 20104), (None, 20104), ([1], 20104), (10**400, 20104), (10**12, 20104), (-1, 20104),
    ],
)  # fmt: skip
async def test_a_token_ends_at_a_time(filled: Store, exp: object, code: int) -> None:
    """``NaN`` and ``Infinity`` are JSON for some: nothing is later than them, and the token would hold for ever."""
    token = jwt.encode(
        {"iss": SK, "sub": AC, "exp": exp, "grants": {}}, SECRET, headers={"cty": "twilio-fpa;v=1"}
    )
    if not code:
        assert (await read_token(filled, token, NOW))["sub"] == AC
        return
    with pytest.raises(Refused) as caught:
        await read_token(filled, token, NOW)
    assert caught.value.code == code


async def test_a_token_begins_at_a_time(filled: Store) -> None:
    for nbf in (math.nan, math.inf, "1", True, 10**400):
        payload = {"iss": SK, "sub": AC, "exp": NOW + 9, "nbf": nbf, "grants": {}}
        token = jwt.encode(payload, SECRET, headers={"cty": "twilio-fpa;v=1"})
        with pytest.raises(Refused) as caught:
            await read_token(filled, token, NOW)
        assert caught.value.code == 20101
