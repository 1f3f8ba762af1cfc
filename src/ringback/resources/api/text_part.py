"""TextPart: one part of a long message that a carrier delivers in pieces (smpp/parts.py)."""

from __future__ import annotations

from ringback.kernel.resource import Record, field, resource


@resource(
    "/2010-04-01/TextParts",
    sid="TP",
    key="text_parts",
    can=(),
    tag="Parts of inbound messages",
)
class TextPart(Record):
    """A part that waits for the others. The carrier was told that we have it, so it is kept. Not served by REST."""

    channel: str = field("", index=True)
    """Which channel it came by: ``smpp:NAME``."""
    whole: str = field("", index=True)
    """Digest of channel, sender, receiver and reference: those of one message have the same."""
    from_: str = field("", name="from")
    """Who sent it."""
    to: str = field("")
    """Who gets it."""
    number: int = field(1)
    """Which part it is, from 1."""
    total: int = field(1)
    """How many there are."""
    octets: str = field("")
    """Its text as it came, in hexadecimal: a character may be cut between parts."""
    data_coding: int = field(0)
    """Its alphabet (SMPP §5.2.19)."""
    carrier_id: str = field("")
    """The id that the whole message has once it is there: the first part's choice."""
    done: float | None = field(None)
    """When the whole was handed on; kept for a while, should the carrier deliver a part again."""
