"""The pytest plugin: the fixture ``ringback``, for tests with ``async`` and for plain ones."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from ringback.testing.blocking import BlockingWorld, blocking_world
from ringback.testing.world import World, world


@pytest.fixture
def ringback(request: pytest.FixtureRequest) -> World | BlockingWorld:
    """Ringback with a data directory of its own, stopped after the test: a :class:`World` for a test with
    ``async``, a :class:`BlockingWorld` for a plain one."""
    asynchronous = inspect.iscoroutinefunction(request.function)
    made: World | BlockingWorld = request.getfixturevalue(
        "ringback_world" if asynchronous else "ringback_sync"
    )
    return made


@pytest_asyncio.fixture
async def ringback_world(tmp_path: Path) -> AsyncIterator[World]:
    """The one for tests with ``async``."""
    async with world(tmp_path) as running:
        yield running


@pytest.fixture
def ringback_sync(tmp_path: Path) -> Iterator[BlockingWorld]:
    """The one for plain tests."""
    with blocking_world(tmp_path) as running:
        yield running
