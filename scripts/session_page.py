"""docs/reference/conversation-calls.md: the session of ``<Connect><Conversation>`` as a diagram and a table."""

from __future__ import annotations

from machine_page import diagram

STATES = {
    "lookup": "a worker calls: their app has named the conversation",
    "match": "a customer calls: their conversation is sought, and made when there is none",
    "route": "it was made, and waits for its first worker (`routingAssignmentTimeout`)",
    "dial": "the other party is called (`inboundTimeout`; 60 s when a worker calls)",
    "answered": "they have picked up; the document at `url` runs for them alone",
    "bridged": "the two talk",
}


def page() -> str:
    """The whole page."""
    from ringback.voice.connect.session_table import TABLE

    arrows = {where: row.state for where, row in TABLE.items()}
    lines = [
        "# States of a conversation call",
        "",
        "A session of `<Connect><Conversation>`, drawn from the table in",
        "`src/ringback/voice/connect/session_table.py`. How to use it:",
        "[conversation calls](../how-to/conversation-calls.md).",
        "",
        "| state | what it means |",
        "|---|---|",
        *(f"| {state} | {meaning} |" for state, meaning in STATES.items()),
        "",
        *diagram(arrows, ("start",)),
        "",
        "## How it ends",
        "",
        "What the action request tells. `DialCallStatus` is left out when nobody was dialled. A caller who is",
        "redirected by REST ends the session without a request.",
        "",
        "| in | on | `Result` | `DialCallStatus` | debugger |",
        "|---|---|---|---|---|",
        *(
            f"| {state} | {trigger} | {row.result or '(no request)'} | {row.status or _leg(state, row.result)} "
            f"| {row.code or ''} |"
            for (state, trigger), row in TABLE.items()
            if row.state == "ended"
        ),
    ]
    return "\n".join(lines)


def _leg(state: str, result: str | None) -> str:
    return "of the leg" if result and state in ("dial", "answered") else ""
