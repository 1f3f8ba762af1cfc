"""Whole journeys on the virtual clock, each on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ringback.testing.world import World, world


@pytest.fixture(scope="session")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the sentences of all scenarios are kept once they have been spoken."""
    return tmp_path_factory.mktemp("spoken")


@pytest.fixture(autouse=True)
def _spoken_once(tmp_path: Path, spoken: Path) -> None:
    """The same words sound the same in every test: the voice speaks them in the first one."""
    (tmp_path / "speech").symlink_to(spoken)


@pytest.fixture
async def ringback(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    """The product on one of the databases."""
    async with world(tmp_path, database_url=database_url) as running:
        yield running
