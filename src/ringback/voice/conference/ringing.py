"""What those who wait in a conference hear of a call that is placed into it: its ringing, or its early media.

The tone is the network's of the United States, whoever is called; a carrier that sends early media is heard itself.
"""

from __future__ import annotations

from ringback.effects import Effect, Join
from ringback.events import Event, LegRinging
from ringback.voice.conference.room import Room
from ringback.voice.leg import Leg


def begins(session: Leg, event: Event) -> list[Effect]:
    """The callee's phone rings: who waits for this call in a conference hears it, unless EarlyMedia is false."""
    room = _room(session)
    if room is None or room.started or not session.plan.early_media:
        return []
    call_sid = session.call.sid
    effects = session.board.conferences.rings(room, call_sid)
    early = isinstance(event, LegRinging) and event.early_media
    if not early or room.early or len(room.seats) != 1:  # those who wait do not hear each other
        return effects
    room.early = call_sid
    return [Join(call_sid=call_sid, room=room.sid), *effects]


def _room(session: Leg) -> Room | None:
    """The conference that waits for this call: by POST Participants, or a task's."""
    conferences, leg = session.board.conferences, session.plan.task_leg
    if leg is not None and leg.role == "customer" and leg.instruction == "conference":
        return conferences.named(session.call.account_sid, leg.task)
    room = conferences.of(session.call.sid)
    return room if room is not None and session.call.sid in room.expected else None
