"""Which messages are words of opting out, and which are answered."""

from __future__ import annotations

import pytest

from ringback.messaging.opt_out import replies, word_of


@pytest.mark.parametrize(
    ("body", "left", "word"),
    [
        *((word, False, "STOP") for word in ("STOP", "stopall", "Unsubscribe", " cancel ", "END", "quit.")),
        *((word, True, "START") for word in ("START", "yes", "UNSTOP")),
        ("START", False, "START"),
        ("YES", False, None),
        ("HELP", True, "HELP"),
        ("info", False, "HELP"),
        ("stop it", False, None),
        ("don't stop", False, None),
        ("", False, None),
        ("stopp", False, None),
    ],
)
def test_words(body: str, left: bool, word: str | None) -> None:
    assert word_of(body, left) == word


def test_nobody_is_told_twice() -> None:
    assert [replies("STOP", left) for left in (False, True)] == [True, False]
    assert [replies("START", left) for left in (False, True)] == [False, True]
    assert replies("HELP", True)
    assert replies("HELP", False)
