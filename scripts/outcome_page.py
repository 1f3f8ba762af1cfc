"""The page docs/reference/outcomes.md, written from the tables in kernel/outcome.py and outcomes/notifications.py."""

from __future__ import annotations

from collections.abc import Iterator

REFUSALS = {
    21211: "`To` is no number (13223 where an instruction or TwiML names it)",
    21217: "no such number can exist",
    21214: "no route to the number",
    21215: "the country is not enabled (13227 where our policy answers as SIP 403)",
    21210: "`From` is neither a number of the account nor a verified caller id",
    21216: "the number is blocked",
    21219: "a trial account, and the callee is not verified",
    21202: "a premium number",
}
OUR_REASONS = {
    "ring-timeout": "nobody answers within `Timeout`",
    "dial-timeout": "nobody answers within the `timeout` of `<Dial>`",
    "other-answered": "another destination of the same `<Dial>` answered",
    "parent-ended": "the caller of a `<Dial>` hung up",
    "star": "the caller pressed `*`",
    "time-limit": "the `timeLimit` of the `<Dial>` was over",
    "api": "canceled by REST, or the agent left while it rang",
    "shutdown": "the server stopped while it rang",
}
CAUSES = {
    "timeout": "no response at all to the INVITE",
    "transport": "the far end's host cannot be reached",
    "unregistered": "a `client:` or user without a registered phone",
}


def page() -> str:
    """The page, as Markdown."""
    from ringback.kernel.outcome import GENERIC, SUPPRESSED
    from ringback.outcomes.notifications import DEFAULTS, REDIAL_KEY, REGISTRY

    lines = [
        "# Call outcomes",
        "",
        "What is known of every call that has ended, and which code tells it where. One record,",
        "`GET …/Calls/{CallSid}/Outcome.json`, is behind all of them: `status`, `by` (who refused or did not answer:",
        "`us`, `carrier`, `callee`), `sip_code`, `sip_reason`, `error_code`, `reason_code`, `notification` and",
        "`advice`. The status callback has `CallStatus`, `SipResponseCode` and `ErrorCode` of it; the reservation of",
        "an agent's outbound call and its TaskRouter event have `reason_code` as `canceled_reason_code`, which is",
        "absent when there is none.",
        "",
        "| what happened | status | by | SIP | `error_code` | `reason_code` | notification | what to do |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [_row(*each) for each in rows()]
    lines += [
        "",
        "## Notifications",
        "",
        "Agents hear of a failure of a call that they started themselves (a task with `direction` `outbound`, routed",
        "to them) on their TaskRouter socket as `ringback.outbound-call-failed`, after `reservation.canceled`; the SDK",
        "passes types that it does not know to nobody. The same by REST: `…/Calls/{CallSid}/FailureNotification.json`",
        "and `…/Reservations/{ReservationSid}/FailureNotification` (404 when nobody is notified).",
        f"Reason codes {', '.join(str(code) for code in sorted(SUPPRESSED))} are ordinary disconnects.",
        "Nobody is notified of those. Each text can be replaced in `ringback.toml`:",
        "",
        "```toml",
        "[notifications]",
        'OutboundCallFailedNotificationTitleBusy = "Engaged. Try again in a minute."',
        "```",
        "",
        "| notification | reason codes | key of its text | text | action |",
        "|---|---|---|---|---|",
    ]
    for kind in REGISTRY.values():
        codes = ", ".join(map(str, kind.codes)) if kind.id != GENERIC else "every other"
        lines.append(
            f"| `{kind.id}` | {codes} | `{kind.key}` | {kind.default} | {', '.join(kind.actions)} |"
        )  # fmt: skip
    lines += ["", f"The redial button's text is `{REDIAL_KEY}` ({DEFAULTS[REDIAL_KEY]}).", ""]
    return "\n".join(lines)


def rows() -> Iterator[tuple[str, object]]:
    """What happened, and its outcome."""
    from ringback.kernel.outcome import (
        BY_CAUSE,
        BY_OUR_REASON,
        BY_SIP,
        OUR_POLICY,
        completed,
        expired,
        lost,
        outbound,
        refused,
    )  # fmt: skip

    yield "answered, then over", completed()
    for code, text in REFUSALS.items():
        yield f"refused by the checks: {text}", refused(code)
    for code in BY_SIP:
        yield f"SIP {code}", outbound(code, "callee")
    for code in OUR_POLICY:
        yield f"SIP {code} that we gave ourselves: country policy", outbound(code, "us")
    yield "any other SIP 4xx, 5xx, 6xx", outbound(500, "callee")
    for cause in BY_CAUSE:
        yield CAUSES[cause], outbound(0, cause)
    for reason in BY_OUR_REASON:
        yield OUR_REASONS[reason], outbound(487, "us", reason)
    yield "waited too long as `queued`", expired(15002)
    yield "the server died while it rang", lost(15000, answered=False)
    yield "the server died while they talked", lost(15000, answered=True)


def _row(what: str, one: object) -> str:
    from ringback.kernel.outcome import Outcome

    assert isinstance(one, Outcome)
    sip = "as received" if what.startswith("any other") else one.sip_code
    cells = (what, one.status, one.by, sip, one.error_code, one.reason_code, one.notification, one.advice)
    return "| " + " | ".join("" if each is None else str(each).replace("|", "\\|") for each in cells) + " |"
