"""The table of outcomes (voice-calls.md §4.1, call-outcomes.md §6, §7)."""

from __future__ import annotations

import pytest

from ringback.kernel.outcome import (
    BY_CAUSE,
    BY_OUR_REASON,
    BY_SIP,
    GENERIC,
    NOTIFICATIONS,
    SUPPRESSED,
    Outcome,
    completed,
    expired,
    from_json,
    inbound,
    lost,
    notification_of,
    outbound,
    refused,
    remembered,
)

EVERY = [
    completed(),
    expired(15002),
    lost(15000, answered=True),
    lost(12400, answered=False),
    inbound("no-answer", 487, "callee", "gone"),
    *(refused(code) for code in (21211, 21215, 21210, 21216, 21219, 13223, 13227)),
    *(outbound(code, by) for code in range(400, 700) for by in ("callee", "carrier", "us")),
    *(outbound(487, by) for by in BY_CAUSE),
    *(outbound(487, "us", reason) for reason in (*BY_OUR_REASON, "something else")),
]


def test_every_outcome_is_whole() -> None:
    """A terminal status, advice, and a way to store it."""
    for one in EVERY:
        assert one.status in ("completed", "busy", "no-answer", "failed", "canceled")
        assert one.advice, one
        assert from_json(one.to_json()) == one
        assert (one.by is None) == (one.status == "completed")
        assert (one.error_code is not None) or one.status != "failed" or one.reason_code is not None
        assert one.notification == notification_of(one.reason_code)


def test_what_crosses_our_cancel_keeps_its_meaning() -> None:
    assert outbound(486, "callee", "ring-timeout").status == "busy"
    assert outbound(487, "callee", "ring-timeout").status == "no-answer"
    assert outbound(200, "us", "api").sip_code == 487


@pytest.mark.parametrize(
    ("sip", "by", "ours", "expected"),
    [
        (404, "callee", "", ("failed", 404, 13224, 45301)),
        (404, "unregistered", "", ("failed", 404, 32009, 45301)),
        (408, "timeout", "", ("failed", 408, 32011, 45304)),
        (408, "callee", "", ("no-answer", 408, None, 45305)),
        (403, "carrier", "", ("failed", 403, 13225, 45301)),
        (403, "us", "", ("failed", 403, 13227, 13227)),
        (487, "us", "parent-ended", ("no-answer", 487, None, 45302)),
        (487, "us", "other-answered", ("no-answer", 487, None, None)),
        (487, "us", "api", ("canceled", 487, None, 45306)),
        (480, "us", "error", ("failed", 487, None, 45301)),
    ],
)
def test_rows(sip: int, by: str, ours: str, expected: tuple[object, ...]) -> None:
    found = outbound(sip, by, ours)
    assert (found.status, found.sip_code, found.error_code, found.reason_code) == expected


def test_a_far_end_cannot_fill_the_record() -> None:
    assert len(outbound(500, "callee", "", "x" * 10_000).sip_reason) == 100


def test_normal_ends_and_inbound_calls_have_no_reason() -> None:
    for one in (completed(), lost(15000, answered=True), inbound("busy", 486, "us")):
        assert (one.reason_code, one.notification) == (None, None)


def test_notifications() -> None:
    """Suppressed, known, unknown (§8 no. 7)."""
    assert {notification_of(code) for code in SUPPRESSED} == {None}
    assert notification_of(None) is None
    assert {notification_of(code) for code in (45301, 45304, 45308, 21214, 21217, 13224, 99999, 0)} == {
        GENERIC
    }
    assert len({*NOTIFICATIONS.values(), GENERIC}) == 8


def test_calls_of_an_older_version() -> None:
    """As much as their columns say, and the same where those say all."""
    for code in BY_SIP:
        one = outbound(code, "callee")
        known = remembered(one.status, one.sip_code, one.error_code)
        assert (known.status, known.reason_code, known.by) == (one.status, one.reason_code, None)
    assert remembered("failed", None, 21215).reason_code == 21215
    assert remembered("no-answer", 480, None, outbound_call=False).reason_code is None
    assert remembered("completed", 200, None) == Outcome(status="completed", sip_code=200)
