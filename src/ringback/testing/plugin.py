"""The pytest plugin: the fixture ``ringback``, for tests with ``async`` and for plain ones.

Every run of pytest in the environment loads it, whatever it tests: it imports nothing but pytest until a test asks for
the fixture, and without pytest-asyncio (the extra ``testing``) only tests with ``async`` that ask for it fail.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

try:
    import pytest_asyncio
except ImportError:
    _async_fixture: Any = pytest.fixture  # nobody gets it: `ringback` says then what is missing
else:
    _async_fixture = pytest_asyncio.fixture

if TYPE_CHECKING:
    from ringback.testing.blocking import BlockingWorld
    from ringback.testing.world import World


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: Any, name: str, obj: Any) -> None:
    """A test with ``async`` that asks for ``ringback`` is pytest-asyncio's, whatever its ``asyncio_mode`` is."""
    known = collector.config.pluginmanager.hasplugin("asyncio")
    if known and inspect.iscoroutinefunction(obj) and "ringback" in inspect.signature(obj).parameters:
        marks = [one for one in getattr(obj, "pytestmark", []) if one.name != "asyncio"]
        if len(marks) == len(getattr(obj, "pytestmark", [])):
            obj.pytestmark = [*marks, pytest.mark.asyncio.mark]


@pytest.fixture
def ringback(request: pytest.FixtureRequest) -> World | BlockingWorld:
    """Ringback with a data directory of its own, stopped after the test: a :class:`World` for a test with
    ``async``, a :class:`BlockingWorld` for a plain one."""
    asynchronous = inspect.iscoroutinefunction(request.function)
    if asynchronous and not request.config.pluginmanager.hasplugin("asyncio"):
        pytest.fail("a test with async needs pytest-asyncio: pip install 'ringback[testing]'", pytrace=False)
    made: World | BlockingWorld = request.getfixturevalue(
        "ringback_world" if asynchronous else "ringback_sync"
    )
    return made


@_async_fixture  # type: ignore[untyped-decorator]  # it may be missing
async def ringback_world(tmp_path: Path) -> AsyncIterator[World]:
    """The one for tests with ``async``."""
    from ringback.testing.world import world

    async with world(tmp_path) as running:
        yield running


@pytest.fixture
def ringback_sync(tmp_path: Path) -> Iterator[BlockingWorld]:
    """The one for plain tests."""
    from ringback.testing.blocking import blocking_world

    with blocking_world(tmp_path) as running:
        yield running
