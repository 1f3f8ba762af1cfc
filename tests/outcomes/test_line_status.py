"""Line status from the outcomes of our own calls (call-outcomes.md §2.3)."""

from __future__ import annotations

import pytest

from ringback.outcomes.line_status import STATUSES, Evidence, judge
from ringback.resources.api.call import Call


def calls(*outcomes: str) -> list[Call]:
    """Ended calls, newest first: ``status`` or ``status/sip code``."""
    made = []
    for index, text in enumerate(outcomes):
        status, _, code = text.partition("/")
        made.append(
            Call(
                sid=f"CA{index}", account_sid="AC", status=status, direction="outbound-api",
                sip_code=int(code) if code else None, end_time=1000.0 - index,
            )
        )  # fmt: skip
    return made


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ((), "unknown"),
        (("completed/200",), "active"),
        (("busy/486",), "active"),
        (("no-answer/487",), "active"),
        (("failed/404",), "unknown"),
        (("failed/404", "failed/404"), "inactive"),
        (("failed/604", "failed/410"), "inactive"),
        (("failed/404", "completed", "failed/404"), "unknown"),
        (("completed", "failed/404", "failed/404"), "active"),
        (("no-answer/480",), "unreachable"),
        (("no-answer/480", "completed"), "unreachable"),
        (("canceled/487", "completed"), "active"),
        (("failed/503", "failed/403", "busy"), "active"),
        (("failed/404", "canceled", "failed/503", "failed/484"), "inactive"),
        (("failed/503", "canceled"), "unknown"),
        (("in-progress", "queued"), "unknown"),
    ],
)
def test_what_the_outcomes_say(outcomes: tuple[str, ...], status: str) -> None:
    found, _ = judge(calls(*outcomes))
    assert found == status
    assert found in STATUSES


def test_the_evidence() -> None:
    _, evidence = judge(calls("ringing", "failed/404", "busy/486", "completed/200", "canceled"))
    assert evidence == Evidence(calls=4, last_outcome="failed", last_at=999.0, reachable_count=2)
    assert judge([])[1] == Evidence()


def test_inbound_calls_say_nothing() -> None:
    (call,) = calls("completed")
    call.direction = "inbound"
    assert judge([call]) == ("unknown", Evidence())
