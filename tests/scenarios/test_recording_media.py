"""Recorded sound with and without HTTP authentication (callback-voicemail.md §8)."""

from __future__ import annotations

import base64
from pathlib import Path

import aiohttp
import pytest

from ringback.effects import Save
from ringback.resources.api.account import Account
from ringback.testing.world import World, world
from tests.scenarios.test_agents import Office
from tests.scenarios.test_callbacks import post, token


async def fetch(url: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    """Status and body, without credentials of ours."""
    async with aiohttp.ClientSession() as session, session.request(method, url, headers=headers) as answer:
        return answer.status, await answer.read()


async def recorded(ringback: World) -> str:
    """The ``RecordingUrl`` of a message."""
    ringback.app("/voice", "<Response><Record action='/end' finishOnKey='#' playBeep='false'/></Response>")
    ringback.app("/end", "<Response/>")
    number = await ringback.number("+15550123", voice="/voice")
    caller = await ringback.call(number, script=[{"wait": 1}, {"say": "one two three"}, {"press": "#"}])
    await caller.ends()
    await ringback.settled()
    (action,) = ringback.requests("/end")
    return action["RecordingUrl"]


@pytest.mark.parametrize("demanded", [True, False])
async def test_the_setting(tmp_path: Path, database_url: str, demanded: bool) -> None:
    settings = {} if demanded else {"recording_auth": "false"}
    async with world(tmp_path, database_url=database_url, **settings) as ringback:
        office = await Office(ringback).open()
        url = await recorded(ringback)
        sid = url.rpartition("/")[2]
        known = aiohttp.encode_basic_auth(ringback.product.account_sid, ringback.product.auth_token)
        wrong = aiohttp.encode_basic_auth(ringback.product.account_sid, "wrong")
        for suffix, begins in (("", b"RIFF"), (".wav", b"RIFF"), (".mp3", b"ID3")):
            status, data = await fetch(url + suffix)
            assert (status, data[: len(begins)] == begins) == ((401, False) if demanded else (200, True))
            assert (await fetch(url + suffix, "HEAD"))[0] == (401 if demanded else 200)
            status, data = await fetch(url + suffix, Authorization=known)
            assert (status, data[: len(begins)]) == (200, begins)
            assert (await fetch(url + suffix, Authorization=wrong))[0] == 401
        # nothing but the sound is open
        for path in (url + ".json", url.rpartition("/")[0] + ".json", url + "/Transcriptions.json"):
            assert (await fetch(path))[0] == 401
        assert (await fetch(url, "DELETE"))[0] == 401
        assert (await fetch(url, "POST"))[0] == 401

        agent = token(ringback, office.ws)
        status, sound = await post(ringback, "flex/fetch-voicemail", Token=agent, recordingSid=sid)
        assert (status, sound["type"]) == (200, "audio/mpeg")
        assert base64.b64decode(sound["recording"])[:3] == b"ID3"
        assert (await post(ringback, "flex/fetch-voicemail", recordingSid=sid))[0] == 401

        assert (await fetch(url, "DELETE", Authorization=known))[0] == 204
        for suffix in ("", ".wav", ".mp3"):
            assert (await fetch(url + suffix, Authorization=known))[0] == 404
            assert (await fetch(url + suffix))[0] == (401 if demanded else 404)
        assert await post(ringback, "flex/fetch-voicemail", Token=agent, recordingSid=sid) == (404, {})


async def test_without_credentials_the_account_in_the_path_counts(tmp_path: Path, database_url: str) -> None:
    """Another's account, none, a suspended one: as if there were no recording."""
    async with world(tmp_path, database_url=database_url, recording_auth="false") as ringback:
        url = await recorded(ringback)
        own, other = ringback.product.account_sid, "AC" + "7" * 32
        await ringback.product.store.commit(
            [Save(Account(sid=other, account_sid=other, auth_token="x" * 32))]
        )
        for account in (other, "AC" + "0" * 32, "nonsense"):
            assert (await fetch(url.replace(own, account)))[0] == 404
        assert (await fetch(url.replace(own, "AC" + own[2:].upper())))[0] == 200
        account = await ringback.product.store.get(Account, own)
        assert account is not None
        account.status = "suspended"
        await ringback.product.store.commit([Save(account)])
        assert (await fetch(url))[0] == 404
