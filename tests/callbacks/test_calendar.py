"""Business hours, holidays, time zones."""

from __future__ import annotations

import datetime

import pytest

from ringback.callbacks.calendar import iso, read_calendar, read_moment

WEEK = dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), "09:00-12:00,13:00-17:00")
BERLIN = read_calendar("Europe/Berlin", WEEK, ["2026-12-25"])


def at(text: str) -> float:
    """Unix seconds."""
    return datetime.datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("moment", "opening"),
    [
        ("2026-11-23T10:00:00+01:00", "2026-11-23T10:00:00+01:00"),
        ("2026-11-23T12:00:00+01:00", "2026-11-23T13:00:00+01:00"),
        ("2026-11-23T08:00:00+01:00", "2026-11-23T09:00:00+01:00"),
        ("2026-11-27T17:00:00+01:00", "2026-11-30T09:00:00+01:00"),
        ("2026-12-24T18:00:00+01:00", "2026-12-28T09:00:00+01:00"),
        ("2026-03-28T18:00:00+01:00", "2026-03-30T09:00:00+02:00"),
        ("2026-10-23T18:00:00+02:00", "2026-10-26T09:00:00+01:00"),
    ],
    ids=["open", "lunch", "early", "weekend", "holiday", "spring forward", "fall back"],
)
def test_openings(moment: str, opening: str) -> None:
    assert BERLIN.next_open(at(moment)) == at(opening)
    assert BERLIN.is_open(at(moment)) == (moment == opening)


def test_always_and_never() -> None:
    assert read_calendar("UTC", {}, []).next_open(123.0) == 123.0
    never = read_calendar("UTC", {"monday": ""}, [])
    assert never.next_open(at("2026-11-23T10:00:00+00:00")) is None
    round_the_clock = read_calendar("UTC", {"monday": "00:00-24:00"}, [])
    assert round_the_clock.is_open(at("2026-11-23T23:59:59+00:00"))
    closed = read_calendar("UTC", {}, ["2026-11-23"])
    assert closed.next_open(at("2026-11-23T10:00:00+00:00")) == at("2026-11-24T00:00:00+00:00")


def test_local_time_is_that_of_the_contact() -> None:
    assert read_moment("2026-07-01T10:00:00", "America/New_York") == at("2026-07-01T14:00:00+00:00")
    assert read_moment("2026-07-01T10:00:00Z", "America/New_York") == at("2026-07-01T10:00:00+00:00")
    assert iso(at("2026-07-01T10:00:00.250+00:00")) == "2026-07-01T10:00:00.250Z"
    for bad in ("tomorrow", "", "2026-13-01T00:00:00", "2" * 50):
        with pytest.raises(ValueError, match=r"."):
            read_moment(bad, "UTC")


@pytest.mark.parametrize(
    ("zone", "hours", "holidays"),
    [
        ("Mars/Base", {}, []), ("UTC", {"someday": "09:00-10:00"}, []), ("UTC", {"monday": "10:00-09:00"}, []),
        ("UTC", {"monday": "09:00-12:00,11:00-13:00"}, []), ("UTC", {"monday": "9-10"}, []),
        ("UTC", {"monday": "00:00-24:01"}, []), ("UTC", {}, ["25.12.2026"]), ("../../etc/passwd", {}, []),
    ],
)  # fmt: skip
def test_bad_settings_are_named(zone: str, hours: dict[str, str], holidays: list[str]) -> None:
    with pytest.raises(ValueError, match=r"is no|: write"):
        read_calendar(zone, hours, holidays)
