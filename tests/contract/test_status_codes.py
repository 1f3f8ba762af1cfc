"""What the official client's methods get, down to the status code, and what their errors say."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException

from ringback.testing.world import World
from tests.contract.test_taskrouter import furnished, ringback  # noqa: F401 - a fixture


async def test_messages_are_told_once(ringback: World) -> None:  # noqa: F811
    client = ringback.client
    number = await ringback.number("+15005550100", voice="/v")
    calls = [
        (client.calls.create, {"to": "nobody", "from_": number, "twiml": "<Response/>"}, "create"),
        (client.applications.create, {"voice_url": "ftp://x"}, "create"),
        (client.calls("CA" + "0" * 32).update, {"status": "completed"}, "update"),
        (client.taskrouter.v1.workspaces.create, {"friendly_name": ""}, "create"),
        (client.queues.create, {"friendly_name": ""}, "create"),
        (client.voice.v1.dialing_permissions.bulk_country_updates.create, {"update_request": "x"}, "create"),
    ]
    for function, options, verb in calls:
        with pytest.raises(TwilioRestException) as caught:
            await asyncio.to_thread(function, **options)
        assert caught.value.msg.count("Unable to") == 1, caught.value.msg
        assert caught.value.msg.startswith(f"Unable to {verb} record: ")


async def test_updates_that_are_no_200(ringback: World) -> None:  # noqa: F811
    settings = ringback.client.voice.v1.dialing_permissions.settings()
    assert (await asyncio.to_thread(settings.fetch_with_http_info)).status_code == 200
    assert (await asyncio.to_thread(settings.update_with_http_info)).status_code == 202


async def test_bulk_statistics_are_a_reading(ringback: World) -> None:  # noqa: F811
    def scene() -> Any:
        workspace, queue, _ = furnished(ringback.client.taskrouter.v1.workspaces)
        body = Body(TaskQueueSids=[queue.sid])
        return workspace.task_queues.bulk_real_time_statistics.create_with_http_info(body=body)

    assert (await asyncio.to_thread(scene)).status_code == 200


async def test_the_audit_log_tells_of_workers_but_not_of_their_activities(ringback: World) -> None:  # noqa: F811
    def scene() -> list[str]:
        workspace, _, _ = furnished(ringback.client.taskrouter.v1.workspaces)
        worker = workspace.workers.create(friendly_name="w")
        for activity in workspace.activities.list():
            workspace.workers(worker.sid).update(activity_sid=activity.sid)
        workspace.workers(worker.sid).update(attributes='{"skills":["x"]}')
        return [one.event_type for one in ringback.client.monitor.v1.events.list(resource_sid=worker.sid)]

    assert await asyncio.to_thread(scene) == ["worker.updated", "worker.created"]


class Body(dict[str, Any]):
    """What the client's method for bulk statistics takes."""

    def to_dict(self) -> dict[str, Any]:
        return self


async def test_batches_of_lookups_say_what_failed(ringback: World) -> None:  # noqa: F811
    items = [
        {"correlation_id": "1", "phone_number": "+14159929960"},
        {"correlation_id": "2", "phone_number": "+14159929960", "fields": ["weather"]},
        {"correlation_id": "3", "phone_number": None},
        "x",
    ]
    path = "/lookups/v2/batch/query"
    found = (await ringback._ask("POST", path, json={"phone_numbers": items}))["phone_numbers"]
    assert [one["twilio_error_code"] for one in found] == [None, 20001, 20001, 20001]
    assert [one["correlation_id"] for one in found] == ["1", "2", "3", None]
    assert {frozenset(one) - {"code", "message"} for one in found} == {frozenset(found[0])}
    typed = {"phoneNumbers": [{"correlationId": "4", "phoneNumber": "0207 946 0018", "countryCode": "GB"}]}
    (of_node,) = (await ringback._ask("POST", path, json=typed))["phone_numbers"]
    assert (of_node["correlation_id"], of_node["phone_number"]) == ("4", "+442079460018")
    override = await ringback._ask(
        "POST", "/lookups/v2/PhoneNumbers/+14159929960/Overrides/line_type", json={"lineType": "mobile"}
    )
    assert override["overridden_line_type"] == "mobile"
    for wrong in ({"phone_numbers": []}, {}):
        async with ringback._session.post(
            ringback.url + path, json=wrong, headers=ringback._headers()
        ) as answer:
            assert (answer.status, json.loads(await answer.text())["code"]) == (400, 20001)
