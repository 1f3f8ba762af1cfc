"""The account's default service: what the short paths mean (conversations.md §1)."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ringback.effects import Delete
from ringback.resources.conversations.chat_service import ChatService
from ringback.resources.conversations.configuration import Configuration
from ringback.store import Store
from ringback.web.conversations.default_service import configuration_of, default_service

ACCOUNT = "AC" + "1" * 32


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(f"sqlite:///{tmp_path / 'x.db'}")
    yield opened
    await opened.close()


async def test_many_ask_at_once_and_one_is_made(store: Store) -> None:
    numbers = itertools.count()

    def new_sid(prefix: str) -> str:
        return f"{prefix}{next(numbers):032x}"

    found = await asyncio.gather(*(default_service(store, ACCOUNT, new_sid, 1.0) for _ in range(20)))
    assert len({each.sid for each in found}) == 1
    assert await store.count(ChatService) == await store.count(Configuration) == 1
    other = await default_service(store, "AC" + "2" * 32, new_sid, 1.0)
    assert other.sid != found[0].sid


async def test_a_deleted_default_is_made_again(store: Store) -> None:
    numbers = itertools.count()

    def new_sid(prefix: str) -> str:
        return f"{prefix}{next(numbers):032x}"

    first = await default_service(store, ACCOUNT, new_sid, 1.0)
    await store.commit([Delete(first)])
    second = await default_service(store, ACCOUNT, new_sid, 2.0)
    assert second.sid != first.sid
    assert (await configuration_of(store, ACCOUNT, new_sid, 3.0)).default_chat_service_sid == second.sid
