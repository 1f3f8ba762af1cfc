"""docs/reference/message-states.md: the statuses of messages as a diagram, from ``ringback.messaging.machine``."""

from __future__ import annotations


def page() -> str:
    """The whole page."""
    from machine_page import diagram

    from ringback.messaging.machine import MESSAGE, TOLD

    told = ", ".join(f"`{status}`" for status in sorted(TOLD))
    return "\n".join(
        [
            "# Statuses of messages",
            "",
            "Drawn from the table in `src/ringback/messaging/machine.py`. What is not in it does not happen: a receipt",
            "that comes twice, or late, changes nothing.",
            "",
            *diagram(MESSAGE, ("accepted", "queued", "scheduled", "receiving")),
            "",
            "A message that somebody writes to us is `received` at once. One of a messaging service begins as",
            "`accepted` or `scheduled`; any other as `queued`.",
            "",
            "`sending` begins with the commit that claims the message: whatever happens then, it is handed over once",
            "at most. When nobody knows whether the carrier has it (the connection broke, the server was killed), it",
            "is `failed` with 30008, the debugger has an entry, and `messages_unclear_total` of `/metrics` counts it.",
            "Only what its channel knows not to have been sent when the server stops goes back into its line (`wait`).",
            "",
            f"The status callback is told of {told}, once each and in order; the status that a message begins with",
            "is in the answer to the request that makes it.",
        ]
    )
