"""Transcription: what a recording says, in words (twiml.md §4; rest-conventions.md §5.1, §6)."""

from __future__ import annotations

from typing import Any

from ringback.kernel.resource import Record, at, field, resource


@resource(
    "/2010-04-01/Accounts/{AccountSid}/Transcriptions",
    sid="TR",
    key="transcriptions",
    can=("list", "fetch", "delete"),
    live=("delete",),
    also=(
        at(
            "/2010-04-01/Accounts/{AccountSid}/Recordings/{RecordingSid}/Transcriptions",
            key="transcriptions",
            can=("list", "fetch", "delete"),
            live=("delete",),
            tag="Recording transcription",
        ),
    ),
)
class Transcription(Record):
    """The text of a recording that ``<Record transcribe="true">`` made."""

    recording_sid: str = field("", index=True)
    """The recording that was written down."""
    status: str = field("in-progress", index=True)
    """in-progress, completed or failed."""
    transcription_text: str = field("")
    """What was said; empty while it is in progress, when it failed, and when nobody spoke."""
    duration: int | None = field(None, wire="string")
    """Seconds of the recording."""
    type: str = field("fast")
    """The kind of engine; always ``fast``."""
    price: str | None = field(None)
    """Always null: nothing is charged."""
    price_unit: str = field("USD")
    """``USD``."""
    api_version: str = field("2010-04-01")
    """``2010-04-01``."""

    plan: dict[str, Any] = field(dict, hidden=True)
    """The callback's URL and the facts of the call that it tells (voice/recording/transcription.py), as JSON."""
    crashes: int = field(0, hidden=True)
    """How many worker processes died of it."""
