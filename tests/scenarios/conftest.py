"""Whole journeys on the virtual clock, each on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ringback.testing.world import World, world


@pytest.fixture
async def ringback(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    """The product on one of the databases."""
    async with world(tmp_path, database_url=database_url) as running:
        yield running
