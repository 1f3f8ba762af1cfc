"""The channels: one file each. A channel carries texts to and from the outside, as a carrier carries calls.

Contract: a channel has a ``name`` (``simulated``, ``smpp:NAME`` …), ``start`` and ``stop``, says which of our addresses
it ``carries`` (one channel is the default and gets the rest), and ``send``s what it is given, once. It is built with a
:class:`Reports` and tells by it what comes in:

* a text from outside: ``await reports.arrived(…)`` returns once the message is committed, and only then may the carrier
  be told that we have it. ``Refused`` (unknown number …): the carrier is told that it is refused, for good.
  ``Unavailable`` (a ``Refused`` of status 503): not now, the carrier may come again. The same ``carrier_id`` twice,
  between the same addresses, is one message: the second time gives the first SID.
* what became of a text that it had taken: ``await reports.receipt(…)``, by the carrier's id. It may come before
  ``send`` has returned: it waits for that. False: nobody knows that id.

``edges/post_office.py`` chooses the channel, makes events of outcomes and reports, and waits while it stops.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from ringback.effects.messaging import SendText
from ringback.events.messaging import Attachment

ReceiptStatus = Literal["sent", "delivered", "undelivered", "failed", "read"]


@dataclass(frozen=True, slots=True)
class Taken:
    """The carrier has it."""

    carrier_id: str = ""
    """By which its receipts name it; empty: it gives none, and no receipts come. Of several parts that were submitted
    on their own: the id whose receipt counts for the whole."""
    segments: int = 0
    """Parts that went over the air; 0: it does not say, and our own count stays."""


@dataclass(frozen=True, slots=True)
class Declined:
    """The carrier does not take it: it was not sent, and will not be."""

    error_code: int
    """30003 … (errors.md)."""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Unclear:
    """It was handed over and no answer came (the connection broke, time was up): it may or may not have been sent."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class NotYet:
    """It is known not to have been sent, not even a part of it, and the channel is being closed: back in line, it is
    sent after the next start."""

    text: str = ""


Outcome = Taken | Declined | Unclear | NotYet


class Channel(Protocol):
    """Somebody who carries texts for us."""

    name: str

    async def start(self) -> None:
        """Open what it needs; it connects (again) by itself. Raises ``OSError`` when it never can."""

    async def stop(self) -> None:
        """Close. A ``send`` that is under way returns, ``NotYet`` if nothing of it was sent, ``Unclear`` if it must."""

    def carries(self, address: str) -> bool:
        """Whether texts from this address of ours (E.164, short code, name, ``whatsapp:+…``) leave here."""

    async def send(self, text: SendText) -> Outcome:
        """Hand one text to the carrier, at most once; a throttled or unconnected channel waits within its own limit
        and then declines. It may raise only for bugs: that counts as unclear."""

    @property
    def ready(self) -> str:
        """Why it cannot carry anything now; empty: it can."""

    def figures(self) -> Mapping[str, float]:
        """Numbers for ``/metrics``, their names beginning with ``channel_``."""


class Reports(Protocol):
    """How a channel tells what comes in (``PostOffice``)."""

    async def arrived(
        self, channel: str, *, from_: str, to: str, body: str = "", media: Sequence[Attachment] = (),
        carrier_id: str = "",
    ) -> str:  # fmt: skip
        """A text for one of our addresses; gives its SID once it is committed. Raises ``Refused``."""

    async def receipt(
        self, channel: str, carrier_id: str, status: ReceiptStatus, *, error_code: int | None = None,
        text: str = "", done_at: float | None = None,
    ) -> bool:  # fmt: skip
        """What became of a text; committed when it returns. ``done_at``: when, by the carrier (Unix seconds)."""
