"""Offers that cross (RFC 3261 section 14, RFC 3311 section 5.2): what a call answers to an offer, as a table."""

from enum import StrEnum


class Exchange(StrEnum):
    """How far the offer/answer exchange of a call is."""

    SETTLED = "settled"
    "Every offer has its answer, every 2xx its ACK."
    OURS = "ours"
    "Our offer is out in an INVITE, and no answer has come."
    OURS_IN_2XX = "ours in 2xx"
    "Our offer is out in a 2xx; its ACK will bring the answer."
    THEIRS = "theirs"
    "The peer's INVITE has its offer, and we have not answered."
    UNACKED = "unacked"
    "Offer and answer are complete; the ACK of our 2xx is on its way."


class Asked(StrEnum):
    """What the peer asks within the dialog."""

    INVITE = "re-INVITE"
    UPDATE = "UPDATE with an offer"
    REFRESH = "UPDATE without an offer"


TAKE = 0
"Answer it."
GLARE = 491
"Both offer at once: both withdraw and wait a random while."
LATER = 500
"One after the other: with Retry-After."

VERDICTS: dict[tuple[Exchange, Asked], int] = {
    (Exchange.SETTLED, Asked.INVITE): TAKE,
    (Exchange.SETTLED, Asked.UPDATE): TAKE,
    (Exchange.OURS, Asked.INVITE): GLARE,
    (Exchange.OURS, Asked.UPDATE): GLARE,
    (Exchange.OURS_IN_2XX, Asked.INVITE): GLARE,
    (Exchange.OURS_IN_2XX, Asked.UPDATE): GLARE,
    (Exchange.THEIRS, Asked.INVITE): LATER,
    (Exchange.THEIRS, Asked.UPDATE): LATER,
    (Exchange.UNACKED, Asked.INVITE): TAKE,
    (Exchange.UNACKED, Asked.UPDATE): TAKE,
    **{(exchange, Asked.REFRESH): TAKE for exchange in Exchange},
}
