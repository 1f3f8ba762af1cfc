"""The words by which people leave and come back: STOP, START, HELP. They count for a sender, or for the whole messaging
service that it belongs to, and the answer is ours, whatever the application does.
"""

from __future__ import annotations

from typing import Final, Literal

Word = Literal["STOP", "START", "HELP"]

STOP: Final = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"})
START: Final = frozenset({"START", "YES", "UNSTOP"})
HELP: Final = frozenset({"HELP", "INFO"})

REPLIES: Final[dict[Word, str]] = {
    "STOP": (
        "You have successfully been unsubscribed. You will not receive any more messages from this number. "
        "Reply START to resubscribe."
    ),
    "START": (
        "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "
        "Reply STOP to unsubscribe. Msg&Data Rates May Apply."
    ),
    "HELP": "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
}


def word_of(body: str, opted_out: bool) -> Word | None:
    """What a message asks for, when it is nothing but one of the words, in any case.

    YES is an ordinary answer of who has not left.
    """
    said = body.strip().strip(".!\"'“”‘’").strip().upper()
    if said in STOP:
        return "STOP"
    if said in HELP:
        return "HELP"
    if said in START and (opted_out or said != "YES"):
        return "START"
    return None


def replies(word: Word, opted_out: bool) -> bool:
    """Whether it is answered: who says STOP twice, or START without having left, has been told already."""
    return {"STOP": not opted_out, "START": opted_out, "HELP": True}[word]
