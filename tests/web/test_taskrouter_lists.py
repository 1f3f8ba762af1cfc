"""Lists of TaskRouter's nouns: filters, orders, pages (taskrouter.md §2.3 to §2.7)."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ringback.kernel.errors import Refused
from ringback.resources.taskrouter.task import Task
from ringback.store import Query
from ringback.taskrouter.expression import compile_expression
from ringback.web.taskrouter.selection import SLICE, Selection, identity, page_of, read_ordering
from tests.web.taskrouter_kit import Kit, kit_in


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    async with kit_in(tmp_path) as made:
        yield made


async def tasks(kit: Kit, **params: Any) -> list[Any]:
    """Names (attribute ``n``) of the tasks that a list shows."""
    return [json.loads(text)["n"] for text in await kit.list("Tasks", "attributes", **params)]


async def several(kit: Kit) -> dict[str, str]:
    """Four tasks in two queues; name → SID."""
    queue, workflow = await kit.routed("1==0")
    await kit.post("TaskQueues", FriendlyName="Gold")
    gold = (await kit.get("TaskQueues", FriendlyName="Gold"))["task_queues"][0]["sid"]
    await kit.post(f"TaskQueues/{gold}", TargetWorkers="1==0")
    filters = [{"expression": "tier == 'gold'", "targets": [{"queue": gold}]}]
    rules = json.dumps({"task_routing": {"filters": filters, "default_filter": {"queue": queue}}})
    await kit.post(f"Workflows/{workflow}", Configuration=rules)
    other = (await kit.post("Workflows", FriendlyName="Other", Configuration=rules))["sid"]
    found = {}
    for name, more in (
        ("a", {"Priority": 1, "TaskChannel": "voice", "WorkflowSid": workflow}),
        ("b", {"Priority": 5, "TaskChannel": "chat", "WorkflowSid": other}),
        ("c", {"Priority": 5, "WorkflowSid": workflow, "VirtualStartTime": "2020-01-01T00:00:00Z"}),
        ("d", {"Priority": 0, "WorkflowSid": workflow, "tier": "gold"}),
    ):
        attributes = {"n": name, "tier": more.pop("tier", "none"), "call_sid": f"CA{name * 32}"}
        found[name] = (await kit.post("Tasks", Attributes=json.dumps(attributes), **more))["sid"]
        kit.now += 10
    return found


async def test_every_filter_of_tasks(kit: Kit) -> None:
    sids = await several(kit)
    await kit.post(f"Tasks/{sids['a']}", AssignmentStatus="canceled", Reason="no")
    gold = (await kit.get("TaskQueues", FriendlyName="Gold"))["task_queues"][0]["sid"]
    other = (await kit.get("Workflows", FriendlyName="Other"))["workflows"][0]["sid"]
    assert await tasks(kit) == ["a", "b", "c", "d"]
    assert await tasks(kit, AssignmentStatus="pending") == ["b", "c", "d"]
    assert await tasks(kit, AssignmentStatus=["canceled", "assigned"]) == ["a"]
    assert await tasks(kit, AssignmentStatus="pending,canceled") == ["a", "b", "c", "d"]
    assert await tasks(kit, Priority=5) == ["b", "c"]
    assert await tasks(kit, WorkflowSid=other) == await tasks(kit, WorkflowName="Other") == ["b"]
    assert await tasks(kit, WorkflowSid=other[:2] + other[2:].upper()) == ["b"]
    assert await tasks(kit, TaskQueueSid=gold) == await tasks(kit, TaskQueueName="Gold") == ["d"]
    assert await tasks(kit, TaskQueueName="None such") == []
    assert await tasks(kit, TaskChannel="voice") == ["a"]
    chat = (await kit.get("TaskChannels/chat"))["sid"]
    assert await tasks(kit, TaskChannel=chat) == ["b"]
    assert await tasks(kit, HasAddons="true") == []
    assert await tasks(kit, HasAddons="false", Priority=1) == ["a"]
    assert await tasks(kit, EvaluateTaskAttributes="tier == 'gold' OR n == 'b'") == ["b", "d"]
    assert await tasks(kit, EvaluateTaskAttributes=f'call_sid == "CA{"c" * 32}"') == ["c"]
    assert await tasks(kit, EvaluateTaskAttributes=f"call_sid == 'CA{'c' * 32}' AND tier == 'gold'") == []


async def test_a_call_is_found_after_its_attributes_changed(kit: Kit) -> None:
    sids = await several(kit)
    find = {"EvaluateTaskAttributes": f"call_sid == 'CA{'a' * 32}'"}
    await kit.post(f"Tasks/{sids['b']}", Attributes=json.dumps({"n": "b", "call_sid": "CA" + "a" * 32}))
    assert await tasks(kit, **find) == ["a", "b"]
    await kit.post(f"Tasks/{sids['a']}", Attributes='{"n": "a"}')
    assert await tasks(kit, **find) == ["b"]
    assert (await kit.call("DELETE", f"Tasks/{sids['b']}")).status == 204
    assert await tasks(kit, **find) == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("call_sid == 'x\"y'", ["b"]), (' call_sid="x\'y" ', ["c"]), ("call_sid == ''", ["d"]), ("call_sid == '5'", []),
        ("call_sid == 5", ["a"]), ("call_sid == 'x\\'y'", ["c"]), ("call_sid == 'CA0' ", []),
        ("call_sid != 'x'", list("abcd")), ("call_sid == ''\n", ["d"]),
    ],
)  # fmt: skip
async def test_a_call_is_found_however_it_is_written(kit: Kit, text: str, names: list[str]) -> None:
    """The short way to a call's tasks says what the expression says; only the long way evaluates anything."""
    sids = await several(kit)
    for name, call in {"a": 5, "b": 'x"y', "c": "x'y", "d": ""}.items():
        await kit.post(f"Tasks/{sids[name]}", Attributes=json.dumps({"n": name, "call_sid": call}))
    kit.evaluated = 0
    assert await tasks(kit, EvaluateTaskAttributes=text) == names
    there = kit.taskrouter.workspaces[kit.ws].tasks.values()
    wanted = compile_expression(text, "task")
    assert [task.attributes["n"] for task in there if wanted({}, task.attributes, {})] == names
    slow = "\\" in text or "5" in text.replace("'5'", "") or "!=" in text
    assert (kit.evaluated > 0) is slow


@pytest.mark.parametrize(
    ("ordering", "names"),
    [
        ("", "abcd"), ("DateCreated:asc", "abcd"), ("DateCreated:desc", "dcba"), ("DateCreated", "abcd"),
        ("Priority:desc", "bcad"), ("Priority:asc,DateCreated:desc", "dacb"),
        ("Priority:desc,DateCreated:desc", "cbad"), ("VirtualStartTime:asc", "cabd"),
        ("Priority:desc, VirtualStartTime:asc", "cbad"),
    ],
)  # fmt: skip
async def test_orders_of_tasks_on_one_page_and_on_many(kit: Kit, ordering: str, names: str) -> None:
    await several(kit)
    assert await tasks(kit, Ordering=ordering) == list(names)
    found, body = [], await kit.get("Tasks", Ordering=ordering, PageSize=1)
    pages = [body]
    while body["meta"]["next_page_url"]:
        at, _, query = body["meta"]["next_page_url"].removeprefix("http://h/taskrouter/v1").partition("?")
        body = await kit.get(at, **dict(part.split("=") for part in query.replace("%3A", ":").replace("%2C", ",")
                                        .replace("%20", " ").split("&")))  # fmt: skip
        pages.append(body)
    found = [json.loads(page["tasks"][0]["attributes"])["n"] for page in pages]
    assert found == list(names)
    assert pages[0]["meta"]["previous_page_url"] is None
    at, _, query = pages[2]["meta"]["previous_page_url"].removeprefix("http://h/taskrouter/v1").partition("?")
    assert "PageToken=PB" in query
    token = query.partition("PageToken=")[2]
    back = await kit.get("Tasks", Ordering=ordering, PageSize=1, PageToken=token)
    assert back["tasks"] == pages[1]["tasks"]


@pytest.mark.parametrize(
    ("path", "params", "words"),
    [
        ("Tasks", {"Ordering": "Age:asc"}, "Ordering"),
        ("Tasks", {"Ordering": "Priority:up"}, "Ordering"),
        ("Tasks", {"Ordering": "Priority:asc,Priority:desc"}, "Ordering"),
        ("Tasks", {"Ordering": "DateCreated:asc,VirtualStartTime:asc"}, "do not go together"),
        ("Tasks", {"AssignmentStatus": "open"}, "AssignmentStatus"),
        ("Tasks", {"EvaluateTaskAttributes": "a == "}, "column"),
        ("Tasks", {"Priority": "high"}, "Priority"),
        ("Tasks", {"HasAddons": "perhaps"}, "HasAddons"),
        ("Tasks", {"PageToken": "PA1"}, "PageToken"),
        ("Workers", {"TargetWorkersExpression": "(a == 1"}, "column"),
        ("Workers", {"Ordering": "FriendlyName:asc"}, "Ordering"),
        ("Workers", {"Available": "perhaps"}, "Available"),
        ("TaskQueues", {"EvaluateWorkerAttributes": "{"}, "JSON"),
        ("TaskQueues", {"EvaluateWorkerAttributes": "[]"}, "JSON object"),
        ("TaskQueues", {"Ordering": "DateUpdated:sideways"}, "Ordering"),
        ("Events", {"Minutes": "0"}, "Minutes"),
        ("Events", {"StartDate": "yesterday"}, "StartDate"),
    ],
)  # fmt: skip
async def test_filters_that_make_no_sense(kit: Kit, path: str, params: dict[str, str], words: str) -> None:
    reply = await kit.call("GET", path, params)
    assert reply.refusal == (400, 20001)
    assert words in reply.body["message"]


async def test_every_filter_of_workers(kit: Kit) -> None:
    await kit.worker("Alice", "Available", skills=["en"])
    kit.now += 5
    bob = await kit.worker("Bob", "Offline", skills=["en", "de"])
    kit.now += 5
    await kit.worker("Carol", "Unavailable")
    german = await kit.post("TaskQueues", FriendlyName="German", TargetWorkers="skills HAS 'de'")
    assert await kit.list("Workers") == ["Alice", "Bob", "Carol"]
    assert (
        await kit.list("Workers", Available="true") == await kit.list("Workers", Available="1") == ["Alice"]
    )
    assert await kit.list("Workers", Available="false") == ["Bob", "Carol"]
    assert await kit.list("Workers", ActivityName="Offline") == ["Bob"]
    assert await kit.list("Workers", ActivitySid=await kit.activity("Unavailable")) == ["Carol"]
    assert await kit.list("Workers", FriendlyName="aLICE") == ["Alice"]
    assert await kit.list("Workers", FriendlyName="Ali") == []
    assert await kit.list("Workers", TargetWorkersExpression="skills HAS 'en'") == ["Alice", "Bob"]
    assert await kit.list("Workers", TargetWorkersExpression="activity_name == 'Offline'") == ["Bob"]
    assert await kit.list("Workers", TargetWorkersExpression="worker.activity_name == 'Offline'") == ["Bob"]
    for prefix in ("", "worker."):
        room = f"{prefix}channel.voice.available_capacity_percentage"
        assert await kit.list("Workers", TargetWorkersExpression=f"{room} == 100") == [
            "Alice",
            "Bob",
            "Carol",
        ]
        assert await kit.list("Workers", TargetWorkersExpression=f"{room} < 100") == []
    assert await kit.list("Workers", TaskQueueSid=german["sid"]) == ["Bob"]
    assert await kit.list("Workers", TaskQueueName="German", Available="false") == ["Bob"]
    assert await kit.list("Workers", TaskQueueSid="WQ" + "0" * 32) == []
    kit.now += 5
    await kit.post(f"Workers/{bob['sid']}", ActivitySid=await kit.activity("Unavailable"))
    assert await kit.list("Workers", Ordering="DateStatusChanged:desc") == ["Bob", "Carol", "Alice"]
    assert await kit.list("Workers", Ordering="DateStatusChanged:asc") == ["Alice", "Carol", "Bob"]


async def test_every_filter_of_queues(kit: Kit) -> None:
    everyone, _ = await kit.routed()
    kit.now += 5
    await kit.post("TaskQueues", FriendlyName="German", TargetWorkers="skills HAS 'de'")
    worker = await kit.worker("Bob", skills=["de"])
    plain = await kit.worker("Ann")
    assert await kit.list("TaskQueues") == ["Everyone", "German"]
    assert await kit.list("TaskQueues", FriendlyName="German") == ["German"]
    assert await kit.list("TaskQueues", WorkerSid=worker["sid"]) == ["Everyone", "German"]
    assert await kit.list("TaskQueues", WorkerSid=plain["sid"]) == ["Everyone"]
    assert await kit.list("TaskQueues", WorkerSid="WK" + "0" * 32) == []
    assert await kit.list("TaskQueues", EvaluateWorkerAttributes='{"skills":["de"]}') == [
        "Everyone",
        "German",
    ]
    assert await kit.list("TaskQueues", EvaluateWorkerAttributes="{}") == ["Everyone"]
    kit.now += 5
    await kit.post(f"TaskQueues/{everyone}", MaxReservedWorkers=2)
    assert await kit.list("TaskQueues", Ordering="DateUpdated:desc") == ["Everyone", "German"]
    assert await kit.list("TaskQueues", Ordering="DateUpdated:asc") == ["German", "Everyone"]


async def test_reservations_by_status_and_worker(kit: Kit) -> None:
    await kit.routed()
    worker = await kit.worker("Alice", "Available")
    await kit.post(f"Workers/{worker['sid']}/Channels/default", Capacity=3)
    made = [(await kit.post("Tasks"))["sid"] for _ in range(3)]
    sids = [(await kit.list(f"Tasks/{task}/Reservations", "sid"))[0] for task in made]
    path = f"Workers/{worker['sid']}/Reservations"
    assert await kit.list(path, "sid") == sids
    await kit.post(f"{path}/{sids[1]}", ReservationStatus="accepted")
    await kit.post(f"{path}/{sids[2]}", ReservationStatus="accepted")
    await kit.post(f"{path}/{sids[2]}", ReservationStatus="completed")
    assert await kit.list(path, "sid", ReservationStatus="accepted") == [sids[1]]
    assert await kit.list(path, "sid", ReservationStatus="completed") == [sids[2]]
    assert await kit.list(path, "sid", ReservationStatus=["pending", "completed"]) == [sids[0], sids[2]]
    at = f"Tasks/{made[0]}/Reservations"
    assert await kit.list(at, "sid", WorkerSid=worker["sid"]) == [sids[0]]
    assert await kit.list(at, "sid", WorkerSid="WK" + "0" * 32) == []
    assert (await kit.call("GET", at, {"ReservationStatus": "maybe"})).refusal == (400, 20001)


# --- pages of what lives in memory -------------------------------------------------------------------------------


def records(count: int) -> list[Task]:
    """Tasks of one instant each."""
    return [
        Task(sid=f"WT{number:032x}", account_sid="", date_created=float(number), priority=number % 7)
        for number in range(count)
    ]


def selected(found: list[Task], **more: Any) -> Selection[Task]:
    """All of them."""
    known = {one.sid: one for one in found}
    return Selection(entries=found, record=identity, find=known.get, **more)


@pytest.mark.parametrize("ordering", ["", "Priority:desc"])
@pytest.mark.parametrize(
    ("size", "count"), [(1, 25), (7, 100), (999, 2 * SLICE + 5), (SLICE, 2 * SLICE + 5), (3 * SLICE, SLICE)]
)
async def test_pages_forth_and_back_show_everything_once(ordering: str, size: int, count: int) -> None:
    found = records(count)
    chosen = selected(
        found, tests=[lambda one: one.priority != 3], key=read_ordering(ordering, {"Priority": "priority"})
    )
    wanted = [one for one in found if one.priority != 3]
    if ordering:
        wanted.sort(key=lambda one: (-one.priority, one.date_created))
    page = await page_of(chosen, Query(limit=size))
    seen, pages = list(page.records), [page]
    assert page.more_before is False
    while page.more_after:
        page = await page_of(chosen, Query(limit=size, after=page.records[-1].sid))
        seen += page.records
        pages.append(page)
    assert [one.sid for one in seen] == [one.sid for one in wanted]
    for before, after in itertools.pairwise(pages):
        back = await page_of(chosen, Query(limit=size, before=after.records[0].sid))
        assert back.records == before.records
        assert back.more_after is True
        assert back.more_before is (before is not pages[0])


async def test_a_page_goes_on_where_a_removed_record_was() -> None:
    found = records(10)
    gone = found.pop(4)
    page = await page_of(selected(found), Query(limit=3, after=gone.sid))
    assert [one.priority for one in page.records] == [5, 6, 0]
    page = await page_of(selected(found), Query(limit=3, before=gone.sid))
    assert [int(one.date_created) for one in page.records] == [1, 2, 3]
    ordered = selected(found, key=read_ordering("Priority", {"Priority": "priority"}))
    assert (await page_of(ordered, Query(limit=3, after=gone.sid))).records == []


async def test_a_full_page_reads_no_more_than_it_shows() -> None:
    def endless() -> Any:
        yield from records(60)
        raise AssertionError("read too far")

    class Few:
        def __iter__(self) -> Any:
            return endless()

    found = records(60)
    with pytest.raises(AssertionError):
        await page_of(replace(selected(found), entries=Few()), Query(limit=60))
    # the first slice is taken at once, and nothing is copied beyond it
    long = records(SLICE + 1)
    taken = []

    def counted() -> Any:
        for one in long:
            taken.append(one)
            yield one

    await page_of(replace(selected(long), entries=counted()), Query(limit=50))
    assert len(taken) == SLICE


async def test_others_get_their_turn_while_a_long_list_is_searched() -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    waiting = asyncio.create_task(other())
    found = records(SLICE * 10)
    page = await page_of(selected(found, tests=[lambda one: False]), Query(limit=50))
    waiting.cancel()
    assert page.records == []
    assert turns >= 9


def test_an_ordering_of_unknown_names_is_refused() -> None:
    assert read_ordering("  ", {"Priority": "priority"}) is None
    with pytest.raises(Refused, match="Ordering"):
        read_ordering("Priority:desc,", {"Priority": "priority"})


async def test_a_call_is_found_without_looking_at_other_tasks(kit: Kit) -> None:
    """The workspace's index is used (issue 3: at most 2 ms with 100,000 tasks)."""
    await kit.routed("1==0")
    first = await kit.post("Tasks", Attributes=json.dumps({"n": 1, "call_sid": "CA" + "1" * 32}))
    workspace = kit.taskrouter.workspaces[kit.ws]
    model = workspace.tasks[first["sid"]].record
    for number in range(5000):
        attributes = f'{{"n":{number},"call_sid":"CA{number:032x}"}}'
        workspace.add_task(replace(model, sid=kit.new_sid("WT"), attributes=attributes))
    for number in (0, 2500, 4999):
        kit.evaluated = 0
        find = {"EvaluateTaskAttributes": f'call_sid == "CA{number:032x}" AND n >= 0'}
        assert await tasks(kit, **find) == [number]
        assert kit.evaluated == 1
    assert await tasks(kit, EvaluateTaskAttributes="n == 4321") == [4321]
    assert kit.evaluated > 5000
    page = await kit.get("Tasks", Ordering="Priority:desc,DateCreated:asc", PageSize=2)
    assert len(page["tasks"]) == 2
