"""Access tokens: ours are read back, and so are those of the official library."""

from __future__ import annotations

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
