"""Conferences without a network: the registry alone, and whole calls by hand (twiml.md §5.3)."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from driver import ACCOUNT, Driver
from hypothesis import given, settings
from hypothesis import strategies as st

from ringback import effects as fx
from ringback import events as ev
from ringback.events.conferences import (
    ConferenceLost,
    ParticipantTold,
)
from ringback.kernel.errors import Refused
from ringback.resources.api.conference import Conference
from ringback.voice.conference.live import Conferences
from ringback.voice.conference.room import GROUP_OF, GROUPS, STEPS, Makers
from ringback.voice.dial import conference_noun
from ringback.voice.twiml import Element
from ringback.voice.verb import read_attributes


def registry() -> Conferences:
    numbers = count(1)
    return Conferences(
        Makers(
            new_sid=lambda prefix: f"{prefix}{next(numbers):032x}",
            new_token=lambda: f"token-{next(numbers)}",
            api_base="http://ringback.test/api",
        )
    )


def leg(number: int) -> str:
    return f"CA{number:032x}"


def told(effects: list[fx.Effect]) -> list[str]:
    return [dict(one.params)["StatusCallbackEvent"] for one in effects if isinstance(one, fx.SendWebhook)]


ALL = {"statusCallback": "http://x.test/", "statusCallbackEvent": list(GROUPS)}


# --- the registry ---------------------------------------------------------------------------------------


@given(
    moves=st.lists(st.tuples(st.integers(0, 19), st.booleans(), st.booleans()), max_size=120),
)
@settings(max_examples=150, deadline=None)
def test_twenty_parties_in_any_order_against_a_plain_model(moves: list[tuple[int, bool, bool]]) -> None:
    """Who is in, whether it runs, and what was told, against a list and two flags."""
    rooms = registry()
    model: list[tuple[str, bool, bool]] = []
    running, sid, sequence = False, "", 0
    for number, starts, ends in moves:
        call = leg(number)
        if call not in [one for one, _, _ in model]:
            entry = rooms.enter(
                call, ACCOUNT,
                {"name": "r", "startConferenceOnEnter": starts, "endConferenceOnExit": ends, **ALL}, 1.0,
            )  # fmt: skip
            fresh = not model
            model.append((call, ends, starts))
            assert (entry.room.sid != sid) is fresh
            if fresh:
                sid, sequence = entry.room.sid, 0
            wanted = ["participant-join"]
            if not running and len(model) > 1 and any(one for _, _, one in model):
                running = True
                wanted.append("conference-start")
            effects = entry.effects
        else:
            at = [one for one, _, _ in model].index(call)
            last = model.pop(at)[1] or not model
            effects = rooms.leave(call, 2.0, "participant_hung_up", "completed")
            wanted = ["participant-leave"]
            if last:
                wanted += ["participant-leave"] * len(model) + ["conference-end"]
                posted = [one.event.call_sid for one in effects if isinstance(one, fx.Post)]
                assert posted == [one for one, _, _ in model]
                model, running = [], False
        assert told(effects) == wanted
        numbers = [
            int(dict(one.params)["SequenceNumber"]) for one in effects if isinstance(one, fx.SendWebhook)
        ]
        assert numbers == [sequence + 1 + index for index in range(len(numbers))]
        sequence += len(numbers)
        room = rooms.named(ACCOUNT, "r")
        assert ([] if room is None else list(room.seats)) == [one for one, _, _ in model]
        assert (room is not None) == bool(model)
        assert rooms.live == (1 if model else 0)
        if room is not None:
            assert room.started is running
            assert room.record.status == ("in-progress" if running else "init")
    for call, _, _ in model:
        rooms.leave(call, 3.0, "participant_hung_up", "completed")
    assert rooms.live == 0
    assert rooms._of_call == {}


def test_the_table_of_statuses_is_all_there_is() -> None:
    assert {before for before, _ in STEPS} | set(STEPS.values()) == {"init", "in-progress", "completed"}
    assert set(GROUP_OF.values()) == set(GROUPS)
    room = registry().enter(leg(1), ACCOUNT, {"name": "r"}, 1.0).room
    room.step("start", 1.0)
    with pytest.raises(KeyError):
        room.step("start", 1.0)


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"participantLabel": "x" * 129}, 16023), ({"participantLabel": "a/b"}, 16023),
        ({"participantLabel": ""}, 16023), ({"participantLabel": leg(9)}, 16024),
        ({"participantLabel": "boss"}, 16025), ({"coach": leg(7)}, 16028), ({"coach": leg(3)}, 16028),
        ({"coach": leg(2)}, 16027), ({"maxParticipants": 2}, 16020), ({"name": ""}, 13237),
        ({"name": "n" * 129}, 13237),
    ],
)  # fmt: skip
def test_who_may_not_come_in(attributes: dict[str, Any], code: int) -> None:
    rooms = registry()
    rooms.enter(leg(1), ACCOUNT, {"name": "r", "participantLabel": "boss"}, 1.0)
    held = rooms.enter(leg(2), ACCOUNT, {"name": "r"}, 1.0).seat
    held.hold = True
    with pytest.raises(Refused) as refusal:
        rooms.enter(leg(3), ACCOUNT, {"name": "r", **attributes}, 1.0)
    assert refusal.value.code == code
    room = rooms.named(ACCOUNT, "r")
    assert room is not None
    assert list(room.seats) == [leg(1), leg(2)]
    assert (rooms.live, rooms.of(leg(3))) == (1, None)


def test_the_first_one_says_how_many_may_come() -> None:
    rooms = registry()
    rooms.enter(leg(1), ACCOUNT, {"name": "r", "maxParticipants": 2}, 1.0)
    rooms.enter(leg(2), ACCOUNT, {"name": "r"}, 1.0)
    with pytest.raises(Refused, match="full"):
        rooms.enter(leg(3), ACCOUNT, {"name": "r", "maxParticipants": 250}, 1.0)


def test_accounts_do_not_share_a_name() -> None:
    rooms = registry()
    one = rooms.enter(leg(1), ACCOUNT, {"name": "r"}, 1.0).room
    other = rooms.enter(leg(2), "AC" + "f" * 32, {"name": "r"}, 1.0).room
    assert one.sid != other.sid
    assert not one.started


@pytest.mark.parametrize(
    ("beep", "enters", "exits"),
    [("true", 1, 1), ("onEnter", 1, 0), ("onExit", 0, 1), ("false", 0, 0)],
)
def test_beeps(beep: str, enters: int, exits: int) -> None:
    def beeps(effects: list[fx.Effect]) -> int:
        return sum(
            isinstance(one, fx.Post)
            and isinstance(one.event, ParticipantTold)
            and one.event.sounds == (fx.Tone("beep"),)
            for one in effects
        )

    rooms = registry()
    rooms.enter(leg(1), ACCOUNT, {"name": "r"}, 1.0)
    rooms.enter(leg(2), ACCOUNT, {"name": "r"}, 1.0)
    assert beeps(rooms.enter(leg(3), ACCOUNT, {"name": "r", "beep": beep}, 1.0).effects) == 3 * enters
    assert beeps(rooms.leave(leg(3), 1.0, "participant_hung_up", "completed")) == 2 * exits


def test_somebody_who_is_called_in_and_does_not_answer() -> None:
    rooms = registry()
    entry = rooms.expect("CF" + "5" * 32, leg(1), ACCOUNT, {"name": "r", **ALL}, 1.0)
    assert (entry.room.sid, entry.seat.status) == ("CF" + "5" * 32, "queued")
    assert rooms.room("CF" + "5" * 32) is entry.room
    effects = rooms.gone(leg(1), 2.0, "busy")
    hooks = [dict(one.params) for one in effects if isinstance(one, fx.SendWebhook)]
    assert told(effects) == ["participant-leave", "conference-end"]
    assert hooks[0]["ReasonParticipantLeft"] == "participant_add_failed"
    assert hooks[0]["ParticipantCallStatus"] == "busy"
    assert rooms.live == 0
    assert rooms.gone(leg(1), 2.0, "busy") == []


def test_nobody_is_called_into_one_that_is_over_meanwhile() -> None:
    rooms = registry()
    sid = rooms.enter(leg(1), ACCOUNT, {"name": "r"}, 1.0).room.sid
    rooms.leave(leg(1), 2.0, "participant_hung_up", "completed")
    with pytest.raises(Refused) as refusal:
        rooms.expect(sid, leg(2), ACCOUNT, {"name": "r"}, 3.0, fresh=False)
    assert (refusal.value.code, rooms.live) == (16022, 0)


def test_one_who_is_called_is_hung_up_when_the_conference_ends() -> None:
    rooms = registry()
    rooms.enter(leg(1), ACCOUNT, {"name": "r", "endConferenceOnExit": True}, 1.0)
    rooms.expect("CF" + "5" * 32, leg(2), ACCOUNT, {"name": "r"}, 1.0)
    effects = rooms.leave(leg(1), 2.0, "participant_hung_up", "completed")
    hangups = [one.event for one in effects if isinstance(one, fx.Post)]
    assert hangups == [ev.HangUpRequested(call_sid=leg(2), reason="api")]
    assert rooms.live == 0


def test_after_a_restart_a_conference_is_completed() -> None:
    record = Conference(
        sid="CF" + "1" * 32, account_sid=ACCOUNT, friendly_name="r", status="in-progress", sequence=7,
        status_callback="http://x.test/", status_callback_event=["end"],
    )  # fmt: skip
    call = Driver()
    call.feed(ConferenceLost(conference=record))
    saved = [one.record for one in call.of(fx.Save)]
    assert [(one.status, one.reason_conference_ended) for one in saved] == [
        ("completed", "last-participant-left")
    ]
    assert call.hooks("StatusCallbackEvent", "SequenceNumber") == [("conference-end", "7")]
    call.feed(ConferenceLost(conference=saved[0]))
    assert len(call.of(fx.Save)) == 1


# --- the noun -------------------------------------------------------------------------------------------

NOUN = {
    "muted": ("yes", 13230, False),
    "beep": ("loud", 13235, "true"),
    "startConferenceOnEnter": ("yes", 13232, True),
    "endConferenceOnExit": ("yes", 13231, False),
    "maxParticipants": ("251", 12200, 250),
    "record": ("always", 12200, "do-not-record"),
    "trim": ("some", 13239, "trim-silence"),
    "coach": ("CA1", 13240, None),
    "region": ("xx1", 12200, None),
    "waitUrl": ("x" * 4097, 13233, None),
    "waitMethod": ("PUT", 13234, "POST"),
    "statusCallbackEvent": ("begin", 12200, []),
    "jitterBufferSize": ("huge", 12200, "large"),
}


@pytest.mark.parametrize("name", sorted(NOUN))
def test_a_bad_attribute_is_warned_of(name: str) -> None:
    bad, code, default = NOUN[name]
    warned: list[int] = []
    element = Element("Conference", {name: bad}, "r")
    found = read_attributes(element, conference_noun.ATTRIBUTES, lambda number, _: warned.append(number))
    assert (warned, found[name]) == ([code], default)
