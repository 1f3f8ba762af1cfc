"""The official Python client walks TaskRouter in the running product (issue 3; taskrouter.md)."""

from __future__ import annotations

import asyncio
import datetime
import importlib.util
import json
import re
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException

from ringback.testing.world import World, world

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
async def ringback(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    """The product on one of the databases."""
    async with world(tmp_path, database_url=database_url) as running:
        yield running


async def played(ringback: World, scene: Callable[..., Any], *args: Any) -> Any:
    """Run a scene with the (blocking) client in a thread."""
    return await asyncio.to_thread(scene, ringback.client.taskrouter.v1.workspaces, *args)


def refused(function: Callable[..., Any], **params: Any) -> tuple[int, int]:
    """Status and code of a refusal."""
    with pytest.raises(TwilioRestException) as caught:
        function(**params)
    return caught.value.status, caught.value.code


def furnished(workspaces: Any) -> tuple[Any, Any, Any]:
    """A workspace where everything goes to one queue: the workspace's context, the queue, the workflow."""
    workspace = workspaces(workspaces.create(friendly_name="Desk").sid)
    queue = workspace.task_queues.create(friendly_name="Everyone")
    rules = json.dumps({"task_routing": {"default_filter": {"queue": queue.sid}}})
    workflow = workspace.workflows.create(
        friendly_name="Rules", configuration=rules, task_reservation_timeout=30
    )
    return workspace, queue, workflow


def available(workspace: Any) -> str:
    """SID of the activity in which workers take tasks."""
    return str(workspace.activities.list(available="true")[0].sid)


# --- every operation -----------------------------------------------------------------------------------------------


async def test_every_operation_of_the_client_is_answered(ringback: World) -> None:
    asked: list[tuple[str, str]] = []
    client: Any = ringback.client
    original = client.http_client.request

    def request(method: str, url: str, *args: Any, **options: Any) -> Any:
        asked.append((method, re.sub(r"^https?://[^/]+", "", url)))
        return original(method, url, *args, **options)

    client.http_client.request = request
    parts = await played(ringback, every_write)
    await ringback.advance(1)
    await played(ringback, every_statistic, *parts)
    await played(ringback, every_removal, *parts)
    calls = list(coverage().client_calls())
    assert len(calls) > 50
    patterns = {(coverage().HTTP[one.operation], re.sub(r"\{\w+\}", r"[^/]+", one.path)) for one in calls}
    missed = [
        (method, pattern)
        for method, pattern in sorted(patterns)
        if not any(method == how and re.fullmatch(pattern, path) for how, path in asked)
    ]
    assert missed == []


def coverage() -> Any:
    """scripts/sdk_coverage.py, which reads the client's operations off its source."""
    name = "sdk_coverage"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def every_write(workspaces: Any) -> tuple[Any, ...]:
    """Create, fetch, list and change one of each kind; gives a workspace with a queue, workflow, worker and task."""
    workspace, queue, workflow = furnished(workspaces)
    assert workspace.fetch().multi_task_enabled is True
    changed = workspace.update(event_callback_url="", friendly_name="Shop", prioritize_queue_order="LIFO")
    assert (changed.friendly_name, changed.prioritize_queue_order) == ("Shop", "LIFO")
    assert [one.sid for one in workspaces.list(friendly_name="Shop")] == [changed.sid]

    lunch = workspace.activities.create(friendly_name="Lunch", available=False)
    assert workspace.activities(lunch.sid).fetch().available is False
    assert workspace.activities(lunch.sid).update(friendly_name="Break").friendly_name == "Break"
    assert {one.friendly_name for one in workspace.activities.list()} == {
        "Offline", "Available", "Unavailable", "Break",
    }  # fmt: skip
    assert workspace.activities(lunch.sid).delete() is True

    email = workspace.task_channels.create(friendly_name="E-mail", unique_name="email")
    assert workspace.task_channels("email").fetch().sid == email.sid
    assert (
        workspace.task_channels(email.sid).update(channel_optimized_routing=True).channel_optimized_routing
        is True
    )
    assert "email" in [one.unique_name for one in workspace.task_channels.list()]
    assert workspace.task_channels("email").delete() is True

    assert workspace.task_queues(queue.sid).fetch().target_workers == "1==1"
    assert (
        workspace.task_queues(queue.sid)
        .update(target_workers="skills HAS 'en'", max_reserved_workers=2)
        .max_reserved_workers
        == 2
    )
    assert [
        one.sid for one in workspace.task_queues.list(evaluate_worker_attributes='{"skills":["en"]}')
    ] == [queue.sid]
    assert (
        workspace.workflows(workflow.sid).update(re_evaluate_tasks="true", friendly_name="Laws").friendly_name
        == "Laws"
    )
    assert workspace.workflows(workflow.sid).fetch().task_reservation_timeout == 30
    assert [one.friendly_name for one in workspace.workflows.list()] == ["Laws"]

    worker = workspace.workers.create(friendly_name="Alice", attributes='{"skills":["en"]}')
    alice = workspace.workers(worker.sid)
    assert alice.fetch().available is False
    voice = alice.worker_channels("voice").update(capacity=2, available=True)
    assert (voice.configured_capacity, alice.worker_channels(voice.sid).fetch().task_channel_unique_name) == (
        2,
        "voice",
    )
    assert len(alice.worker_channels.list()) == 5
    assert alice.update(activity_sid=available(workspace)).activity_name == "Available"
    assert [one.sid for one in workspace.workers.list(task_queue_sid=queue.sid)] == [worker.sid]

    task = workspace.tasks.create(attributes='{"a":1}', task_channel="voice", priority=3, timeout=600)
    one = workspace.tasks(task.sid)
    assert (one.fetch().assignment_status, one.update(priority=4).priority) == ("reserved", 4)
    assert [each.sid for each in workspace.tasks.list(assignment_status=["reserved"])] == [task.sid]
    (offer,) = one.reservations.list()
    assert one.reservations(offer.sid).fetch().worker_sid == worker.sid
    assert one.reservations(offer.sid).update(reservation_status="accepted").reservation_status == "accepted"
    assert alice.reservations.list()[0].sid == alice.reservations(offer.sid).fetch().sid == offer.sid
    assert (
        alice.reservations(offer.sid).update(reservation_status="completed").reservation_status == "completed"
    )
    assert one.fetch().assignment_status == "completed"
    events = workspace.events.list()
    assert workspace.events(events[0].sid).fetch().event_type == events[0].event_type

    return workspace, queue.sid, workflow.sid, worker.sid, task.sid


def every_removal(_: Any, workspace: Any, queue: str, workflow: str, worker: str, task: str) -> None:
    """Delete what every_write made."""
    assert workspace.tasks(task).delete() is True
    offline = workspace.fetch().default_activity_sid
    assert workspace.workers(worker).update(activity_sid=offline).available is False
    assert workspace.workers(worker).delete() is True
    assert workspace.workflows(workflow).delete() is True
    assert workspace.task_queues(queue).delete() is True
    assert workspace.delete() is True
    assert refused(workspace.fetch) == (404, 20404)


class Body(dict[str, Any]):
    """What the client takes as a JSON body: it asks for ``to_dict``."""

    def to_dict(self) -> dict[str, Any]:
        """Itself."""
        return dict(self)


def every_statistic(_: Any, workspace: Any, queue: str, workflow: str, worker: str, task: str) -> None:
    """All are answered by their classes; what they count is tested elsewhere."""
    assert workspace.statistics().fetch(minutes=30).cumulative["tasks_created"] == 1
    assert workspace.real_time_statistics().fetch().total_workers == 1
    assert workspace.cumulative_statistics().fetch(split_by_wait_time="10,60").reservations_accepted == 1
    for place in (workspace.task_queues(queue), workspace.workflows(workflow)):
        assert place.statistics().fetch().cumulative["reservations_created"] == 1
        assert place.real_time_statistics().fetch(task_channel="voice").total_tasks == 0
        assert place.cumulative_statistics().fetch().tasks_completed == 1
    assert len(workspace.task_queues.statistics.list()) == 1
    bulk = workspace.task_queues.bulk_real_time_statistics.create(body=Body(TaskQueueSids=[queue]))
    assert bulk.task_queue_response_count == 1
    assert workspace.workers.statistics().fetch().realtime["total_workers"] == 1
    assert workspace.workers.real_time_statistics().fetch().total_workers == 1
    assert workspace.workers.cumulative_statistics().fetch().reservations_accepted == 1
    assert workspace.workers(worker).statistics().fetch().cumulative["reservations_accepted"] == 1


# --- single stories ------------------------------------------------------------------------------------------------


async def test_a_list_longer_than_a_page(ringback: World) -> None:
    def scene(workspaces: Any) -> None:
        workspace, _, _ = furnished(workspaces)
        made = [workspace.tasks.create(attributes=json.dumps({"n": n}), priority=n % 2).sid for n in range(7)]
        assert [one.sid for one in workspace.tasks.stream(page_size=3)] == made
        assert [one.sid for one in workspace.tasks.list(limit=4, page_size=2)] == made[:4]
        assert [one.sid for one in workspace.tasks.stream(ordering="DateCreated:desc", page_size=2)] == made[
            ::-1
        ]
        ordered = [one.sid for one in workspace.tasks.stream(ordering="Priority:desc", page_size=2)]
        assert ordered == [*made[1::2], *made[::2]]
        page = workspace.tasks.page(page_size=3)
        following = page.next_page()
        assert [one.sid for one in following] == made[3:6]
        assert [one.sid for one in following.previous_page()] == made[:3]
        assert following.next_page().next_page() is None

    await played(ringback, scene)


async def test_accepting_rejecting_completing(ringback: World) -> None:
    def scene(workspaces: Any) -> None:
        workspace, _, _ = furnished(workspaces)
        alice = workspace.workers.create(friendly_name="Alice", activity_sid=available(workspace))
        task = workspace.tasks.create(attributes="{}")
        (offer,) = workspace.tasks(task.sid).reservations.list(reservation_status="pending")
        away = workspace.activities.list(friendly_name="Unavailable")[0].sid
        rejected = (
            workspace.workers(alice.sid)
            .reservations(offer.sid)
            .update(reservation_status="rejected", worker_activity_sid=away)
        )
        assert rejected.reservation_status == "rejected"
        assert workspace.workers(alice.sid).fetch().activity_name == "Unavailable"
        assert workspace.tasks(task.sid).fetch().assignment_status == "pending"
        workspace.workers(alice.sid).update(activity_sid=available(workspace))
        (offer,) = workspace.tasks(task.sid).reservations.list(reservation_status="pending")
        place = workspace.tasks(task.sid).reservations(offer.sid)
        assert place.update(reservation_status="accepted").reservation_status == "accepted"
        assert refused(place.update, reservation_status="accepted") == (400, 20001)
        assert refused(workspace.tasks(task.sid).update, assignment_status="canceled", reason="x") == (
            400,
            20001,
        )
        done = workspace.tasks(task.sid).update(assignment_status="completed", reason="done")
        assert (done.assignment_status, done.reason) == ("completed", "done")
        assert place.fetch().reservation_status == "completed"

    await played(ringback, scene)


async def test_a_reservation_times_out_on_the_products_clock(ringback: World) -> None:
    def begin(workspaces: Any) -> tuple[Any, str, str]:
        workspace, _, _ = furnished(workspaces)
        alice = workspace.workers.create(friendly_name="Alice", activity_sid=available(workspace))
        return workspace, alice.sid, workspace.tasks.create(attributes="{}").sid

    workspace, worker, task = await played(ringback, begin)
    await ringback.advance(31)

    def end(_: Any) -> None:
        (offer,) = workspace.tasks(task).reservations.list()
        assert offer.reservation_status == "timeout"
        assert workspace.workers(worker).fetch().activity_name == "Offline"
        fetched = workspace.tasks(task).fetch()
        assert (fetched.assignment_status, fetched.age) == ("pending", 31)

    await played(ringback, end)


async def test_if_match(ringback: World) -> None:
    def scene(workspaces: Any) -> None:
        workspace, _, _ = furnished(workspaces)
        task = workspace.tasks.create(attributes="{}")
        place = workspace.tasks(task.sid)
        tag = place.fetch_with_http_info().headers["etag"]
        assert re.fullmatch(r'"\d+"', tag)
        assert place.update(attributes='{"n":1}', if_match=tag).attributes == '{"n":1}'
        assert refused(place.update, attributes='{"n":2}', if_match=tag) == (412, 20412)
        assert (
            place.fetch().attributes == '{"n":1}'
        )  # (a delete of this client drops its If-Match: tests/web)
        worker = workspace.workers.create(friendly_name="Alice")
        alice = workspace.workers(worker.sid)
        tag = alice.fetch_with_http_info().headers["etag"]
        assert alice.update(attributes='{"a":1}', if_match=tag).attributes == '{"a":1}'
        assert refused(alice.update, attributes="{}", if_match=tag) == (412, 20412)

    await played(ringback, scene)


async def test_two_agents_accept_at_once_and_one_has_it(ringback: World) -> None:
    def begin(workspaces: Any) -> tuple[Any, list[Any]]:
        workspace, queue, _ = furnished(workspaces)
        workspace.task_queues(queue.sid).update(max_reserved_workers=2)
        for name in ("Alice", "Bob"):
            workspace.workers.create(friendly_name=name, activity_sid=available(workspace))
        task = workspace.tasks.create(attributes="{}")
        return workspace.tasks(task.sid), workspace.tasks(task.sid).reservations.list()

    task, offers = await played(ringback, begin)
    assert len(offers) == 2

    def accept(_: Any, sid: str) -> str:
        try:
            return str(task.reservations(sid).update(reservation_status="accepted").reservation_status)
        except TwilioRestException as error:
            return str(error.code)

    found = await asyncio.gather(*(played(ringback, accept, offer.sid) for offer in offers))
    assert sorted(found) == ["20001", "accepted"]
    states = await played(ringback, lambda _: [one.reservation_status for one in task.reservations.list()])
    assert sorted(states) == ["accepted", "rescinded"]


async def test_finding_a_task_by_its_call(ringback: World) -> None:
    def scene(workspaces: Any) -> None:
        workspace, _, _ = furnished(workspaces)
        calls = [f"CA{n:032x}" for n in range(3)]
        made = [workspace.tasks.create(attributes=json.dumps({"call_sid": sid})).sid for sid in calls]
        found = workspace.tasks.list(evaluate_task_attributes=f'call_sid == "{calls[1]}"')
        assert [one.sid for one in found] == [made[1]]
        assert workspace.tasks.list(evaluate_task_attributes="call_sid == 'CA9'") == []

    await played(ringback, scene)


async def test_events_by_kind_and_time(ringback: World) -> None:
    def scene(workspaces: Any) -> None:
        workspace, _, workflow = furnished(workspaces)
        task = workspace.tasks.create(attributes='{"a":1}', workflow_sid=workflow.sid)
        workspace.tasks(task.sid).update(assignment_status="canceled", reason="enough")
        kinds = [one.event_type for one in workspace.events.list(task_sid=task.sid)]
        assert (kinds[0], kinds[-1]) == ("task.canceled", "task.created")
        (event,) = workspace.events.list(event_type="task.created")
        assert event.event_data["task_attributes"] == '{"a":1}'
        assert (event.resource_sid, event.source) == (task.sid, "API")
        assert event.source_ip_address == "127.0.0.1"
        assert event.resource_url.endswith(f"/taskrouter/v1/Workspaces/{task.workspace_sid}/Tasks/{task.sid}")
        start = event.event_date - datetime.timedelta(seconds=1)
        assert workspace.events.list(start_date=start, end_date=start) == []
        assert len(workspace.events.list(start_date=start, event_type="task.created")) == 1
        paged = [one.sid for one in workspace.events.stream(page_size=2)]
        assert paged == [one.sid for one in workspace.events.list()]

    await played(ringback, scene)


async def test_refusals_name_what_is_wrong(ringback: World) -> None:
    def scene(workspaces: Any) -> None:
        workspace, _, _ = furnished(workspaces)
        with pytest.raises(TwilioRestException) as caught:
            workspace.task_queues.create(friendly_name="Q", target_workers="skills HAS")
        assert (caught.value.status, caught.value.code) == (400, 20001)
        assert "column 11" in caught.value.msg
        assert [one.friendly_name for one in workspace.task_queues.list()] == ["Everyone"]
        assert refused(workspace.workflows.create, friendly_name="W", configuration="{") == (400, 20001)
        assert refused(workspace.tasks.create, workflow_sid="WW" + "0" * 32) == (400, 20001)
        assert refused(workspace.tasks("WT" + "0" * 32).fetch) == (404, 20404)
        assert refused(workspaces("WS" + "0" * 32).tasks.create) == (404, 20404)
        workspace.workers.create(friendly_name="Alice")
        assert refused(workspace.workers.create, friendly_name="ALICE") == (400, 20001)

    await played(ringback, scene)
