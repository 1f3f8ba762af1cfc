"""The state tables as diagrams: TaskRouter's (``ringback.taskrouter.machine``) and that of conversations."""

from __future__ import annotations

from collections.abc import Mapping

LEG_NOTES = {
    "waiting": "a caller in a queue who has not talked to anybody yet",
    "dialled": "a call that TaskRouter makes (instructions dequeue, call, conference; the customer of an outbound "
    "task), until it is answered",
    "answered": "it is picked up, and talks to nobody of the task yet",
    "talking": "it is bridged with the other leg, or in the task's conference",
    "parted": "the talk is over, the leg is not",
    "left": "it goes its own way: out of the queue without an agent",
    "over": "it has hung up",
    "unreached": "nobody answered it",
}


CONVERSATION_NOTES = {
    "activate": "`State=active`, or everything that `ConversationWithParticipants` brings is there",
    "deactivate": "`State=inactive`",
    "close": "`State=closed`",
    "message": "somebody writes",
    "idle": "the inactive timer",
    "expire": "the closed timer",
}


def page() -> str:
    """The whole page."""
    from ringback.taskrouter.machine import LEG, RESERVATION, TASK

    lines = [
        "# States of tasks, reservations and legs",
        "",
        "Drawn from the tables in `src/ringback/taskrouter/machine.py`. What is not in the first two is refused with",
        "20001. A supervisor's leg has no part in the task and no state.",
        "",
        "## Tasks",
        "",
        *diagram(TASK, ("pending",)),
        "",
        "## Reservations",
        "",
        *diagram(RESERVATION, ("pending",)),
        "",
        "## Legs",
        "",
        "The customer's leg (`Task.conference`) and the worker's (`Reservation.instruction`) go the same way; the",
        "events are those that calls tell (`TaskCallChanged`). Whatever else a call may tell in a state is named in",
        "`LEG_IGNORED` and changes nothing.",
        "",
        "| state | what it means |",
        "|---|---|",
        *(f"| {state} | {note} |" for state, note in LEG_NOTES.items()),
        "",
        *diagram(LEG, ("waiting", "dialled")),
    ]
    return "\n".join(lines)


def conversations_page() -> str:
    """docs/reference/conversation-states.md, whole."""
    from ringback.conversations.machine import CONVERSATION
    from ringback.conversations.timers import SHORTEST

    lines = [
        "# States of conversations",
        "",
        "Drawn from the table in `src/ringback/conversations/machine.py`. What is not in it is refused with 50377:",
        "nothing leads out of `closed`.",
        "",
        *diagram(CONVERSATION, ("active", "inactive")),
        "",
        "| event | what it is |",
        "|---|---|",
        *(f"| {event} | {note} |" for event, note in CONVERSATION_NOTES.items()),
        "",
        "A conversation that is closed lets its addresses go: the next message or call of the same customer makes a",
        "new one. Its messages can be read; nothing in it can be written, and it can be deleted.",
        "",
        "## Timers",
        "",
        f"`Timers.Inactive` (at least {SHORTEST['inactive'] / 60:.0f} minute) and `Timers.Closed` (at least "
        f"{SHORTEST['closed'] / 60:.0f} minutes) both count",
        "from the last activity: a message, a state that the API sets, or timers that it sets. Falling asleep is",
        "none, so `PT1M` and `PT10M` mean asleep after one minute of silence and closed after ten. `PT0S`, or",
        "nothing, switches a timer off. A restart of the server changes nothing about them.",
    ]
    return "\n".join(lines)


def diagram(table: Mapping[tuple[str, str], str], begins: tuple[str, ...]) -> list[str]:
    """A Mermaid state diagram; the events between the same two states share an arrow."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for (state, event), following in table.items():
        arrows.setdefault((state, following), []).append(event)
    ends = sorted({*table.values()} - {state for state, _ in table})
    return [
        "```mermaid",
        "stateDiagram-v2",
        *(f"    [*] --> {state}" for state in begins),
        *(f"    {one} --> {other}: {', '.join(events)}" for (one, other), events in arrows.items()),
        *(f"    {state} --> [*]" for state in ends),
        "```",
    ]
