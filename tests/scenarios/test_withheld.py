"""Journey: callers without a number leave a message, or name one (issue 11, A1 and A3)."""

from __future__ import annotations

from typing import Any

import pytest

from ringback.effects.features import Reply
from ringback.testing.world import World
from tests.scenarios.test_callback_faults import SPEAKS, WORDS
from tests.scenarios.test_callbacks import OURS, STAR, line, post, token

ALERTS = "/monitor/v1/Alerts"


async def alerts(ringback: World) -> list[dict[str, Any]]:
    """The debugger's entries about promises that are not kept."""
    found = await ringback._ask("GET", ALERTS)
    return [each for each in found["alerts"] if each["error_code"] == "14222"]


@pytest.mark.parametrize(
    "caller", ["anonymous", "sip:anonymous@anonymous.invalid", "Restricted", "+266696687", "sip:example.test"]
)
async def test_their_voicemail_is_a_task(ringback: World, caller: str) -> None:
    desk = await line(ringback)
    script = [*SPEAKS[:-1], {"press": "*"}, {"wait": 20}]
    call = await ringback.call(OURS, from_=caller, script=script)
    await call.ends()
    await ringback.settled()
    assert "has been recorded" in call.heard[-1]["text"]
    assert "An agent will call you" not in call.heard[-1]["text"]
    (task,) = desk.tasks("voicemail")
    data = desk.attributes(task)["callBackData"]
    assert (data["withheld"], data["numberToCall"], data["transcriptText"]) == (True, "", WORDS)
    assert len(await ringback.download(data["recordingUrl"])) > 1000
    assert ringback.product.callbacks.unfinished == 0
    agent = token(ringback, desk.office.ws)
    status, body = await post(ringback, "flex/requeue-callback", Token=agent, taskSid=task.sid)
    assert (status, "withheld their number" in body["message"]) == (400, True)
    assert desk.tasks("callback") == []
    assert await alerts(ringback) == []


async def test_a_callback_to_the_number_that_they_name(ringback: World) -> None:
    """They are asked for it at once; what is no number is asked for again, and their place is kept."""
    desk = await line(ringback)
    script = [
        *STAR, {"expect": "press 1"}, {"press": "1"}, {"expect": "cannot see the number"}, {"press": "112#"},
        {"expect": "no number that we can call"}, {"press": "0114416329#"}, {"expect": "no number that we can call"},
        {"press": "4155550100#"}, {"expect": "You entered"}, {"press": "1"}, {"wait": 30},
    ]  # fmt: skip
    call = await ringback.call(OURS, from_="anonymous", script=script)
    await call.ends()
    await ringback.settled()
    assert call.failed == "", call.heard
    assert "keep your place" in call.heard[-1]["text"]
    (task,) = desk.tasks("callback")
    (old,) = desk.tasks()
    assert desk.attributes(task)["callBackData"]["numberToCall"] == "+14155550100"
    assert task.virtual_start_time == old.date_created


async def test_a_promise_that_cannot_be_kept_is_told_once(
    ringback: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tasks cannot be made for ten minutes: one entry in the debugger's log, a metric, and then the task."""
    desk = await line(ringback)
    api = ringback.product.callbacks._runner.api
    send = api.request
    broken = True

    async def refused(ask: Any) -> Any:
        if broken and ask.method == "POST" and ask.path.endswith(("/OptOut", "/Tasks")):
            return Reply(400, code=20001, message="The workflow is gone")
        return await send(ask)

    monkeypatch.setattr(api, "request", refused)
    call = await ringback.call(OURS, from_="anonymous", script=SPEAKS)
    await call.ends()
    await ringback.settled()
    await ringback.advance(600)
    (entry,) = await alerts(ringback)
    assert "The workflow is gone" in entry["alert_text"]
    figures = await ringback.product.figures()
    assert (figures["callbacks_stuck"], figures["callback_warnings_total"]) == (1, 1)
    broken = False
    await ringback.advance(60)
    assert len(desk.tasks("voicemail")) == 1
    figures = await ringback.product.figures()
    assert (figures["callbacks_stuck"], figures["callbacks_unfinished"]) == (0, 0)
    assert len(await alerts(ringback)) == 1


async def test_a_callback_that_nobody_came_to(ringback: World) -> None:
    """Its time is up before an agent is free: the caller heard that they would be called."""
    desk = await line(ringback)
    script = [
        *STAR,
        {"expect": "press 1"},
        {"press": "1"},
        {"expect": "calling from"},
        {"press": "1"},
        {"wait": 30},
    ]
    call = await ringback.call(OURS, script=script)
    await call.ends()
    await ringback.settled()
    (task,) = desk.tasks("callback")
    assert await alerts(ringback) == []
    await ringback.advance(86_400 + 60)
    (entry,) = await alerts(ringback)
    assert (entry["resource_sid"], "given up" in entry["alert_text"]) == (task.sid, True)
