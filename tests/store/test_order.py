"""Lists in an order of their own, on both databases: page after page, there and back."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from ringback.effects import Save
from ringback.resources.api.application import Application
from ringback.resources.taskrouter.task import Task
from ringback.store import Condition, Query, Store

AC = "AC" + "1" * 32
NAMES = ("m", "a", "z", "m", "Ü", "m", "")


@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize("size", [1, 2, 7])
async def test_texts_with_equal_ones_among_them(store: Store, ascending: bool, size: int) -> None:
    records = [
        Application(sid=f"AP{number:032x}", account_sid=AC, friendly_name=name)
        for number, name in enumerate(NAMES)
    ]
    await store.commit([Save(record) for record in records])
    whole = (
        await store.page(Application, Query(order="friendly_name", ascending=ascending, limit=50))
    ).records
    # how texts compare is the database's matter; equal ones stand together, by SID
    assert sorted(one.sid for one in whole) == [one.sid for one in records]
    equal = [one.sid for one in whole if one.friendly_name == "m"]
    assert equal == sorted(equal, reverse=not ascending)
    assert len(list(itertools.groupby(whole, lambda one: one.friendly_name))) == len(set(NAMES))
    options: dict[str, Any] = {"order": "friendly_name", "ascending": ascending, "limit": size}
    found: list[Application] = []
    page = await store.page(Application, Query(**options))
    while True:
        found += page.records
        if not page.more_after:
            break
        last = page.records[-1]
        page = await store.page(Application, Query(**options, after=last.sid, mark=last.friendly_name))
    assert found == whole
    back = page.records
    while page.more_before:
        first = page.records[0]
        page = await store.page(Application, Query(**options, before=first.sid, mark=first.friendly_name))
        back = page.records + back
    assert back == whole


async def test_numbers_with_conditions(store: Store) -> None:
    tasks = [
        Task(sid=f"WT{number:032x}", account_sid=AC, priority=(number * 7) % 5, date_created=float(-number))
        for number in range(10)
    ]
    await store.commit([Save(task) for task in tasks])
    conditions = [Condition("account_sid", "=", AC), Condition("priority", ">", 1)]
    query = Query(conditions=conditions, order="priority", ascending=True, limit=3)
    page = await store.page(Task, query)
    assert [task.priority for task in page.records] == [2, 2, 3]
    last = page.records[-1]
    rest = Query(
        conditions=conditions, order="priority", ascending=True, limit=9, after=last.sid, mark=last.priority
    )
    assert [task.priority for task in (await store.page(Task, rest)).records] == [3, 4, 4]
    by_date = await store.page(Task, Query(order="date_created", ascending=True, limit=2))
    assert [task.date_created for task in by_date.records] == [-9.0, -8.0]
