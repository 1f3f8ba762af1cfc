"""What messages say of their files (the media store's rows are theirs; ``resources/mcs``)."""

from __future__ import annotations

from typing import ClassVar

from ringback.effects import Effect


class AttachMedia(Effect, frozen=True, kw_only=True):
    """A message has taken an upload, which therefore does not expire. A conversation takes a text's file over; what a
    conversation has stays there."""

    committed: ClassVar[bool] = True
    media_sid: str
    message_sid: str
    """``IM…``, ``SM…`` or ``MM…``; empty: its text is gone, so it expires like an upload that nobody has taken."""
    conversation_sid: str = ""
    """Empty: it is a text's."""
    chat_service_sid: str = ""
    """The conversation's."""


class DropMedia(Effect, frozen=True, kw_only=True):
    """A file goes with its message: the row in the message's transaction, the bytes after it. None is fine."""

    committed: ClassVar[bool] = True
    media_sid: str
