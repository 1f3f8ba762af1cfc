"""Options, texts, retries of callbacks, pacing: what an operator chooses."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ringback.callbacks.creation import STATES
from ringback.callbacks.doors import unsettled
from ringback.callbacks.options import Options, read_options
from ringback.callbacks.release import allowance, chosen
from ringback.callbacks.requeue import delay_of, may_retry, retry_workflow
from ringback.callbacks.texts import ENGLISH, LANGUAGES, language_of, text
from ringback.callbacks.wait_experience import MODES, respond
from tests.callbacks.platform import CUSTOMER, OURS, Platform, asked
from tests.taskrouter.workspace_kit import Kit


@pytest.mark.parametrize(
    "table",
    [
        {"colour": 1}, {"own_url": "x"}, {"lookup_limit": 0}, {"lookup": "guess"}, {"retain_place": "yes"},
        {"delays": [-1]}, {"delays": "600"}, {"time_zone": "X/Y"}, {"hours": {"monday": "9"}}, {"texts": {"en": "x"}},
        {"min_backoff": 500}, {"retry_limit": True},
    ],
)  # fmt: skip
def test_bad_options_are_refused(table: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="callback"):
        read_options(table, "http://own.test") if "time_zone" not in table else _zone(table)


def _zone(table: dict[str, Any]) -> None:
    try:
        read_options(table, "")
    except ValueError as error:
        raise ValueError(f"callback: {error}") from None


def test_every_language_has_every_text() -> None:
    for name, texts in LANGUAGES.items():
        assert set(texts) == set(ENGLISH), name
    options = read_options({"texts": {"fr-FR": {"greeting": "Bonjour"}}, "language": "fr"}, "")
    assert language_of("de", options) == "de-DE"
    assert language_of("", options) == "fr-FR"
    assert language_of("xx", Options()) == "en-US"
    assert text("greeting", "fr-FR", options) == "Bonjour"
    assert text("choice", "fr-FR", options) == ENGLISH["choice"]


def test_attempts_and_delays() -> None:
    """§7, §9 no. 22."""
    assert [may_retry(tried, 3) for tried in range(4)] == [True, True, False, False]
    assert may_retry(99, 0)
    options = read_options({"delays": [600, 3600]}, "")
    assert [delay_of(attempt, options) for attempt in range(4)] == [0, 600, 3600, 3600]
    assert delay_of(1, Options()) == 0


def test_the_workflow_that_parks_repetitions() -> None:
    """§9 no. 21: attempt 1 waits 600 s, later ones 3600 s, although an agent is free."""
    for tried, wait in ((0, 0), (1, 600), (2, 3600), (5, 3600)):
        kit = Kit()
        queue = kit.queue("Q")
        kit.worker("alice")
        workflow = kit.workflow(json.loads(retry_workflow(queue))["task_routing"])
        task = kit.task(workflow, {"callBackData": {"attempts": tried}})
        if wait:
            kit.advance(wait - 1)
            assert kit.state(task) == "pending", tried
            kit.advance(2)
        assert kit.state(task) == "reserved", tried


def test_pace() -> None:
    assert [allowance(5, 2, 1), allowance(1, 3, 0), allowance(10**6, 0, 0)] == [2, 0, 100]
    orders = [
        {"state": "parked", "due": due, "at": 0, "source": str(due)} for due in (50.0, 10.0, 200.0, 30.0)
    ]
    assert [one["due"] for one in chosen(orders, 100.0, 2)] == [10.0, 30.0]


def test_which_notes_the_sweep_looks_at() -> None:
    def note(state: str, at: float = 0.0, kind: str = "order", due: float = 0.0) -> dict[str, Any]:
        return {"kind": kind, "state": state, "at": at, "due": due, "source": f"{kind}{state}{at}{due}"}

    notes = {
        one["source"]: one
        for one in (
            note("begun", 990.0), note("done", 990.0), note("parked", 990.0, due=2000.0),
            note("parked", 0.0, due=900.0),
            note("open", 990.0, "voicemail"), note("open", 100.0, "voicemail"),
        )
    }  # fmt: skip
    found = [one["source"] for one in unsettled(notes, 1000.0, 10)]
    assert found == ["orderbegun990.00.0", "voicemailopen100.00.0", "orderparked0.0900.0"]
    assert len(unsettled(notes, 1000.0, 10, starting=True)) == 4
    assert len(unsettled(notes, 1000.0, 0)) == 2, "nobody is free: the parked ones wait"


def test_states_of_an_order() -> None:
    """Every state but the last ones goes on."""
    assert {state for state, _ in STATES} - {""} == {"open", "parked", "begun"}
    assert set(STATES.values()) == {"open", "parked", "begun", "done", "dropped"}


@pytest.mark.parametrize("mode", [*MODES, "", "nonsense"])
def test_the_loop_never_ends_by_mistake(mode: str) -> None:
    """Every document of a waiting caller goes on or hangs up on purpose, and none writes undefined."""
    for digits in ("", "*", "1", "2", "9", "**", "*1", "x" * 500):
        platform = Platform()
        params = asked(
            platform.enqueue(), mode=mode, Digits=digits, to=CUSTOMER, updatedPhoneNumber="14155550100"
        )
        document = platform.run(respond(platform.feature, params, platform.kit.now))
        assert "undefined" not in document
        ends = ("<Redirect>", "<Hangup/>")
        quiet = mode in ("voicemail-completed", "submit-voicemail") or bool(platform.moved)
        assert quiet == (document == ""), document
        assert quiet or any(end in document for end in ends), document


def test_options_of_the_menu() -> None:
    platform = Platform(allow_voicemail=False, allow_alternate_number=False, voice="Polly.Amy", language="de")
    task = platform.enqueue()

    def page(mode: str, digits: str) -> str:
        params = asked(task, mode=mode, Digits=digits)
        return str(platform.run(respond(platform.feature, params, platform.kit.now)))

    assert 'voice="Polly.Amy" language="de-DE"' in page("main-wait-loop", "")
    assert "Nachricht" not in page("handle-initial-choice", "*")
    assert "main-wait-loop" in page("handle-callback-or-voicemail-choice", "2")
    assert "submit-callback" in page("handle-callback-or-voicemail-choice", "1")
    assert "%2B15551230001" in page("handle-callback-or-voicemail-choice", "1")
    assert OURS == "+15550100"


@pytest.mark.parametrize(("routing", "place"), [(True, True), (True, False), (False, True), (False, False)])
def test_what_a_callback_keeps(routing: bool, place: bool) -> None:
    platform = Platform(retain_routing=routing, retain_place=place)
    platform.feature.options = replace(platform.feature.options, workflow_sid=platform.workflow)
    task = platform.enqueue()
    old = platform.kit.workspace.tasks[task].record
    platform.kit.advance(60)
    document = platform.run(
        respond(platform.feature, asked(task, mode="submit-callback", to=CUSTOMER), platform.kit.now)
    )
    assert ("keep your place" in document) == place
    (made,) = platform.made("callback")
    assert made.get("tier") == ("gold" if routing else None)
    (record,) = platform.live()
    assert record.virtual_start_time == (old.date_created if place else platform.kit.now)
