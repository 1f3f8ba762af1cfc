"""Journey: why did nobody take this task, and would a draft of the workflow have helped?"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from ringback.testing.world import World


async def test_a_task_that_nobody_takes_is_explained_and_a_draft_is_tried(ringback: World) -> None:
    client: Any = ringback.client

    async def do(function: Any, **params: Any) -> Any:
        return await asyncio.to_thread(lambda: function(**params))

    async def raw(method: str, path: str, **data: Any) -> Any:
        url = f"https://taskrouter.twilio.com/v1/Workspaces/{desk.sid}/{path}"
        answer = await asyncio.to_thread(lambda: client.request(method, url, data=data or None))
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text)

    workspaces = client.taskrouter.v1.workspaces
    desk = await do(workspaces.create, friendly_name="Desk")
    within = workspaces(desk.sid)
    german = await do(within.task_queues.create, friendly_name="German", target_workers="languages HAS 'de'")
    anyone = await do(within.task_queues.create, friendly_name="Anyone")
    rules: dict[str, Any] = {
        "task_routing": {
            "filters": [
                {
                    "filter_friendly_name": "german",
                    "expression": "lang == 'de'",
                    "targets": [{"queue": german.sid}],
                }
            ],
            "default_filter": {"queue": anyone.sid},
        }
    }
    flow = await do(within.workflows.create, friendly_name="Flow", configuration=json.dumps(rules))
    (available,) = await do(within.activities.list, available="true")
    amy = await do(
        within.workers.create,
        friendly_name="amy",
        attributes='{"languages": ["en"]}',
        activity_sid=available.sid,
    )
    task = await do(within.tasks.create, workflow_sid=flow.sid, attributes='{"lang": "de"}')
    await ringback.advance(600)

    found = await raw("GET", f"Tasks/{task.sid}/Explanation")
    assert found["standing"]["filter_name"] == "german"
    assert found["standing"]["waited_seconds"] == 600
    assert [(each["worker_name"], each["reason"]) for each in found["workers"]] == [("amy", "not_in_queue")]
    assert found["history"][0]["event_type"] == "task.created"
    statistics = await do(within.task_queues(german.sid).real_time_statistics().fetch)
    assert (statistics.longest_task_waiting_age, statistics.total_eligible_workers) == (600, 0)

    rules["task_routing"]["filters"][0]["targets"] = [
        {"queue": german.sid, "timeout": 30},
        {"queue": anyone.sid},
    ]
    replay = await raw("POST", f"Workflows/{flow.sid}/Replay", Configuration=json.dumps(rules), Minutes="30")
    totals = replay["totals"]
    assert (totals["before"]["still_waiting"], totals["same_rules"]["still_waiting"]) == (1, 1)
    assert totals["after"]["accepted"] == 1
    (one,) = replay["tasks"]
    assert (one["after"]["worker_sid"], one["after"]["task_queue_friendly_name"]) == (amy.sid, "Anyone")
    assert (
        one["after"]["wait"] == 35.0
    )  # 30 s at the first target, and 5 s are assumed until somebody accepts
    assert (await do(within.tasks(task.sid).fetch)).assignment_status == "pending"
