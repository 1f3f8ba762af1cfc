"""Loading workspaces: the garbage collector rests meanwhile, and works again afterwards."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from ringback.events.taskrouter import WorkspacesLoaded
from ringback.resources.taskrouter.task import Task
from ringback.resources.taskrouter.workspace import Workspace
from ringback.web.taskrouter_link import TaskRouterLink

ACCOUNT = "AC" + "1" * 32
ONE, TWO = "WS" + "1" * 32, "WS" + "2" * 32


class Shelf:
    """A store with two workspaces of two tasks each."""

    async def get(self, record: type[Any], sid: str) -> Any:
        """As the store's."""
        found = await self.find(record, limit=9)
        return next((each for each in found if each.sid == sid), None)

    async def find(self, record: type[Any], *, limit: int, workspace_sid: str = "") -> list[Any]:
        """As the store's."""
        if record is Workspace:
            return [Workspace(sid=sid, account_sid=ACCOUNT, friendly_name=sid) for sid in (ONE, TWO)]
        if record is Task:
            return [Task(sid=f"WT{n}", account_sid=ACCOUNT, workspace_sid=workspace_sid) for n in range(2)]
        return []


class Loader:
    """A TaskRouter that notes what it is handed, and may fail."""

    def __init__(self, fails: bool = False) -> None:
        self.fails, self.loaded, self.collecting = fails, list[WorkspacesLoaded](), list[bool]()
        self.link = TaskRouterLink(
            taskrouter=None, store=Shelf(), post=lambda event: None, ask=self.ask, new_sid=str, now=lambda: 0.0  # type: ignore[arg-type]
        )  # fmt: skip

    async def ask(self, event: Any) -> None:
        """Stands for the runtime."""
        self.loaded.append(event)
        self.collecting.append(gc.isenabled())
        if self.fails:
            raise RuntimeError("a bug")


@pytest.fixture(params=[True, False], ids=["collecting", "not collecting"])
def collecting(request: pytest.FixtureRequest) -> Iterator[bool]:
    """Whether the collector worked before."""
    was = gc.isenabled()
    (gc.enable if request.param else gc.disable)()
    yield request.param
    (gc.enable if was else gc.disable)()


async def test_every_workspace_with_its_tasks(collecting: bool) -> None:
    loader = Loader()
    assert await loader.link.load() == 4
    assert [event.workspace_sid for event in loader.loaded] == [ONE, TWO]
    assert (loader.collecting, gc.isenabled()) == ([False, False], collecting)


async def test_one_of_them_for_the_runtime_to_hand_on() -> None:
    found = await Loader().link.stored(TWO)
    assert found is not None
    assert (found.workspace_sid, len(found.records)) == (TWO, 3)
    assert await Loader().link.stored("WS9") is None


async def test_a_failure_leaves_the_collector_as_it_was(collecting: bool) -> None:
    loader = Loader(fails=True)
    with pytest.raises(RuntimeError):
        await loader.link.load()
    assert gc.isenabled() is collecting
