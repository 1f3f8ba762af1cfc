"""The reconciler's rules, row by row; and no late word ever changes a final status."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ringback.outcomes.reconcile import LIVE, TERMINAL, Evidence, Limits, examine, judge
from ringback.resources.api.call import Call

LIMITS = Limits(grace=30.0, queue=100.0)
WELL = Evidence(
    status="in-progress",
    session="in-progress",
    leg=True,
    age=500.0,
    quiet=400.0,
    dialled=500.0,
    own_limit=660.0,
)


@pytest.mark.parametrize(
    ("seen", "finding"),
    [
        (WELL, None),
        (replace(WELL, session=None), "lost"),
        (replace(WELL, session=None, leg=False), "lost"),
        (replace(WELL, session=None, quiet=29.0), None),
        (replace(WELL, leg=False), "gone"),
        (replace(WELL, status="ringing", session="ringing", leg=False), "gone"),
        (replace(WELL, leg=False, quiet=29.9), None),
        (replace(WELL, session="completed", leg=False), None),
        (replace(WELL, dialled=690.0), None),
        (replace(WELL, dialled=690.1), "stuck"),
        (replace(WELL, status="queued", session="queued", leg=False, dialled=None, age=130.0), None),
        (replace(WELL, status="queued", session="queued", leg=False, dialled=None, age=131.0), "expired"),
        (replace(WELL, status="queued", session=None, leg=False, dialled=None, age=60.0), "resumed"),
        (replace(WELL, status="queued", session=None, leg=False, dialled=None, age=131.0), "expired"),
        (replace(WELL, status="queued", session=None, leg=False, dialled=None, quiet=1.0, age=1.0), None),
    ],
)
def test_the_first_row_that_fits_decides(seen: Evidence, finding: str | None) -> None:
    assert judge(seen, LIMITS) == finding


@pytest.mark.parametrize("status", sorted(TERMINAL))
@pytest.mark.parametrize("leg", [True, False])
@pytest.mark.parametrize("session", [None, "in-progress"])
def test_a_final_status_is_never_doubted(status: str, leg: bool, session: str | None) -> None:
    seen = replace(WELL, status=status, leg=leg, session=session, quiet=1e9, age=1e9, dialled=1e9)
    assert judge(seen, LIMITS) is None


@pytest.mark.parametrize("status", LIVE)
def test_every_status_that_is_not_final_has_a_bound(status: str) -> None:
    """Whatever the server still believes, after long enough something is done about the call."""
    for session in (None, status):
        for leg in (True, False):
            seen = replace(
                WELL, status=status, session=session, leg=leg, age=1e9, quiet=1e9,
                dialled=None if status == "queued" else 1e9,
            )  # fmt: skip
            assert judge(seen, LIMITS) is not None, (status, session, leg)


def test_a_longer_setting_wins_and_a_shorter_one_never_cuts_a_talk() -> None:
    assert judge(replace(WELL, dialled=1000.0), replace(LIMITS, after=2000.0)) is None
    assert judge(replace(WELL, dialled=2001.0), replace(LIMITS, after=2000.0)) == "stuck"
    assert judge(replace(WELL, dialled=600.0), replace(LIMITS, after=10.0)) is None


def test_without_a_server_queued_calls_are_left_to_its_start() -> None:
    call = Call(sid="CA", account_sid="AC", date_created=0.0, date_updated=0.0, status="queued", plan={})
    none = Limits(grace=0.0, queue=100.0)
    assert examine(call, session=None, leg=False, now=50.0, limits=none) == "resumed"
    assert examine(call, session=None, leg=False, now=50.0, limits=none, running=False) is None
    assert examine(call, session=None, leg=False, now=150.0, limits=none, running=False) == "expired"
