"""The pytest plugin: the fixture ``ringback`` for async tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from ringback.testing.world import World, world


@pytest_asyncio.fixture
async def ringback(tmp_path: Path) -> AsyncIterator[World]:
    """Ringback with a data directory of its own, stopped after the test."""
    async with world(tmp_path) as running:
        yield running
