"""Filters on dates, as the official client sends them: a date is sent as its midnight (rest-conventions.md §5.3)."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from ringback.effects import Save
from ringback.resources.api.alert import Alert
from ringback.resources.api.call import Call
from ringback.resources.api.conference import Conference
from ringback.resources.api.recording import Recording
from tests.contract.conftest import Site

DAY = 86_400.0
MIDNIGHT = 20_000 * DAY
THE_DAY = datetime.datetime.fromtimestamp(MIDNIGHT, datetime.UTC).date()
LATER = datetime.datetime.fromtimestamp(MIDNIGHT + 3600 * 15, datetime.UTC)
TIMES = {
    "before": MIDNIGHT - 1,
    "start": MIDNIGHT,
    "noon": MIDNIGHT + 12 * 3600,
    "end": MIDNIGHT + DAY - 1,
    "after": MIDNIGHT + DAY,
}
"""What happened when; noon is the middle of the day that is asked for."""
OF_DAY = {"start", "noon", "end"}


async def save(site: Site, noun: Any, *fields: str) -> dict[str, str]:
    """A record a moment, each of these fields set to it; SID → moment."""
    found = {}
    for name, at in TIMES.items():
        record = noun(
            sid=site.make_sid(noun.__noun__.prefix), account_sid=site.account.sid, **dict.fromkeys(fields, at)
        )
        found[record.sid] = name
        await site.store.commit([Save(record)])
    return found


LISTS = [
    (Call, "start_time", "calls", "start_time"),
    (Call, "end_time", "calls", "end_time"),
    (Conference, "date_created", "conferences", "date_created"),
    (Conference, "date_updated", "conferences", "date_updated"),
    (Recording, "date_created", "recordings", "date_created"),
    (Alert, "message_date", "notifications", "message_date"),
]


@pytest.mark.parametrize(("noun", "field", "resource", "option"), LISTS)
async def test_equality_is_the_whole_day(
    site: Site, noun: Any, field: str, resource: str, option: str
) -> None:
    names = await save(site, noun, field)
    ask = getattr(site.client, resource).list
    midnight = datetime.datetime.combine(THE_DAY, datetime.time())
    for given in (THE_DAY, midnight, THE_DAY.isoformat(), f"{THE_DAY}T00:00:00Z", LATER, f"{THE_DAY}T23:59Z"):
        found = await site.do(ask, **{option: given})
        assert {names[one.sid] for one in found} == OF_DAY, given


@pytest.mark.parametrize(("noun", "field", "resource", "option"), LISTS)
async def test_before_and_after(site: Site, noun: Any, field: str, resource: str, option: str) -> None:
    names = await save(site, noun, field)
    ask = getattr(site.client, resource).list

    async def found(**options: Any) -> set[str]:
        return {names[one.sid] for one in await site.do(ask, **options)}

    for day in (THE_DAY, f"{THE_DAY}T00:00:00Z"):
        assert await found(**{f"{option}_after": day}) == {*OF_DAY, "after"}
        until = {"before"} if noun is Call else {"before", "start"}  # on or before midnight, but of calls
        assert await found(**{f"{option}_before": day}) == until
    both = {f"{option}_after": THE_DAY, f"{option}_before": f"{THE_DAY}T12:00:01Z"}
    assert await found(**both) == {"start", "noon"}


async def test_alerts_between_two_moments(site: Site) -> None:
    """Of product APIs the two are moments; a date without a time is the whole day."""
    names = await save(site, Alert, "message_date")
    ask = site.client.monitor.v1.alerts.list
    for start, end, expected in (
        (THE_DAY, THE_DAY.isoformat(), OF_DAY),
        (THE_DAY.isoformat(), f"{THE_DAY}T12:00:00Z", {"start", "noon"}),
        (THE_DAY, THE_DAY, OF_DAY),
    ):
        if isinstance(start, datetime.date):
            start = datetime.datetime.combine(start, datetime.time())
        if isinstance(end, datetime.date):
            end = datetime.datetime.combine(end, datetime.time(23, 59, 59))
        found = await site.do(ask, start_date=start, end_date=end)
        assert {names[one.sid] for one in found} == expected


async def test_a_moment_with_a_fraction_counts_as_the_second_that_is_shown(site: Site) -> None:
    alert = Alert(sid=site.make_sid("NO"), account_sid=site.account.sid, message_date=MIDNIGHT + 10.7)
    await site.store.commit([Save(alert)])
    shown = f"{THE_DAY}T00:00:10Z"
    found = await site.do(site.client.monitor.v1.alerts.list, start_date=shown, end_date=shown)
    assert [one.sid for one in found] == [alert.sid]
