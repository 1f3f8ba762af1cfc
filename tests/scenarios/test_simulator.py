"""What a tester orders of the simulator: faults, expectations, time (surface.md, The simulator)."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from ringback.testing.world import World, world


async def place(ringback: World, to: str = "+15557770001", **more: str) -> str:
    """A call with all four callbacks that is answered and says hello; gives its SID when all is over."""
    form = aiohttp.FormData(
        {"To": to, "From": "+15550123", "StatusCallback": ringback.app("/status", ""),
         "Twiml": "<Response><Say>Hello</Say></Response>", **more}
    )  # fmt: skip
    for event in ("initiated", "ringing", "answered", "completed"):
        form.add_field("StatusCallbackEvent", event)
    sid: str = (await ringback.post("Calls", form))["sid"]
    await ringback.final(sid)
    return sid


def told(ringback: World) -> list[str]:
    """CallStatus of the callbacks, as they arrived."""
    return [one["CallStatus"] for one in ringback.requests("/status")]


ALL = ["initiated", "ringing", "in-progress", "completed"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("drop_callback", ["initiated", "in-progress", "completed"]),
        ("duplicate_callback", ["initiated", "ringing", "ringing", "in-progress", "completed"]),
        ("delay_callback", ALL),
        ("reorder_callbacks", ["initiated", "in-progress", "ringing", "completed"]),
    ],
)
async def test_callbacks_go_wrong_as_ordered(ringback: World, kind: str, expected: list[str]) -> None:
    await ringback.number("+15550123", voice="/none")
    await ringback.sim("PUT", "Numbers/+15557770001", {"after": 3})
    order = {"kind": kind, "count": 1, "match": {"CallStatus": "ringing"}}
    await ringback.sim("POST", "Faults", order)
    await place(ringback)
    assert told(ringback) == expected
    assert (await ringback.sim("GET", "Faults"))["faults"] == []
    if kind == "duplicate_callback":
        tokens = [one.headers["i-twilio-idempotency-token"] for one in ringback.asked("/status")]
        assert tokens[1] == tokens[2]
        assert len(set(tokens)) == 4


async def test_a_last_callback_that_is_put_off_still_arrives(ringback: World) -> None:
    await ringback.number("+15550123", voice="/none")
    order = {"kind": "reorder_callbacks", "match": {"CallStatus": "completed"}}
    await ringback.sim("POST", "Faults", order)
    await place(ringback)
    assert told(ringback)[-2:] == ["in-progress", "completed"]


async def test_the_carrier_is_down_once(ringback: World) -> None:
    await ringback.number("+15550123", voice="/none")
    await ringback.sim("POST", "Faults", {"kind": "carrier_down"})
    first, second = await place(ringback), await place(ringback)
    assert [(await ringback.get(f"Calls/{sid}"))["status"] for sid in (first, second)] == [
        "failed",
        "completed",
    ]


async def test_an_expectation_that_is_not_met_is_told(ringback: World) -> None:
    ringback.app("/voice", "<Response><Say>Good morning</Say><Pause length='60'/></Response>")
    number = await ringback.number("+15550123", voice="/voice")
    made = await ringback.sim(
        "POST", "Calls",
        {"from": "+15551230001", "to": number, "script": [{"expect": "good evening", "within": 10}]},
    )  # fmt: skip
    call = await ringback.final(made["sid"])
    assert call["status"] == "completed"
    story = await ringback.sim("GET", f"Calls/{made['sid']}")
    assert "good evening" in story["failed"]
    assert (story["heard"][0]["kind"], story["heard"][0]["text"]) == ("say", "Good morning")


@pytest.mark.parametrize("idle", [3600, 86_400])
async def test_nothing_ages_by_itself_and_everything_by_order(ringback: World, idle: int) -> None:
    await ages(ringback, idle)


async def test_forty_days_by_order(tmp_path: Path) -> None:
    """With a round of the reconciler an hour: the day above has its 1,440, and 57,600 more would prove nothing else."""
    async with world(tmp_path, reconcile_every=3600.0) as ringback:
        await ages(ringback, 40 * 86_400)


async def ages(ringback: World, idle: int) -> None:
    """By so many seconds when it is ordered to, and not before."""
    before = (await ringback.sim("GET", "Clock"))["now"]
    for _ in range(20):
        await ringback.get("Calls")
    assert (await ringback.sim("GET", "Clock"))["now"] == before
    assert (await ringback.sim("POST", "Clock", {"advance": idle}))["now"] == pytest.approx(before + idle)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "Calls", {"from": "+1555"}),
        ("POST", "Calls", {"from": "+15551230001", "to": "+15550123", "script": [{"dance": 1}]}),
        ("POST", "Calls", {"from": "+15551230001", "to": "+15550123", "script": [{"wait": -1}]}),
        ("POST", "Calls", {"from": "+15551230001", "to": "+15550123", "script": [{"press": "xyz"}]}),
        ("PUT", "Numbers/+15557770001", {"answers": "maybe"}),
        ("PUT", "Numbers/+15557770001", {"after": "soon"}),
        ("POST", "Faults", {"kind": "earthquake"}),
        ("POST", "Faults", {"kind": "drop_callback", "count": 0}),
        ("POST", "Clock", {"advance": -1}),
        ("POST", "Clock", {"advance": "a day"}),
        ("POST", "Clock", [1]),
        ("GET", "Calls/CA00000000000000000000000000000000", None),
        ("DELETE", "Clock", None),
    ],
)
async def test_nonsense_is_refused_with_a_reason(
    ringback: World, method: str, path: str, body: object
) -> None:
    with pytest.raises(AssertionError, match=r": 4\d\d .*\"code\""):
        await ringback.sim(method, path, body)
