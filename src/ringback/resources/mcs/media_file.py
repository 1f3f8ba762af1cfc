"""MediaFile: a file of the media store (conversations-js.md §6); its bytes are in the data directory."""

from __future__ import annotations

from typing import Any, Literal

from ringback.kernel.resource import Record, field, resource

Category = Literal["media", "body", "history"]


@resource(
    "/v1/Services/{ChatServiceSid}/Media", product="mcs", sid="ME", key="media", can=(), tag="Media store"
)
class MediaFile(Record):
    """A file of a message, of a conversation or a text. ``/mcs`` serves it: files stream, which forms do not."""

    chat_service_sid: str = field("")
    """The conversation's service; empty: it came with a text."""
    conversation_sid: str = field("")
    """The conversation; empty: none."""
    message_sid: str = field("", index=True)
    """The message that it belongs to: ``IM…`` of a conversation, ``SM…`` or ``MM…`` of a text. Empty: an upload that
    waits for one."""
    content_type: str = field("application/octet-stream")
    """What it is, read from its first bytes; what they do not tell is believed."""
    filename: str | None = field(None)
    """What its sender called it: for people, never a path here."""
    size: int = field(0)
    """Bytes."""
    category: Category = field("media")
    """``media``, or of an e-mail its ``body`` or ``history``."""
    author: str = field("system")
    """Identity of who uploaded it; ``system`` with an account's credentials."""

    @property
    def facts(self) -> dict[str, Any]:
        """What a message of a conversation tells of it."""
        names = ("sid", "category", "content_type", "filename", "size")
        return {name: getattr(self, name) for name in names}
