"""Conversations' nouns are at two paths: below a service, and at the short one of the default service."""

from __future__ import annotations

import pytest

from ringback.resources import all_nouns
from ringback.resources.conversations.chat_service import ChatService

BELOW = "/v1/Services/{ChatServiceSid}/"
NOUNS = [
    noun
    for noun in all_nouns()
    if noun is not ChatService
    and any(
        BELOW in place.path and place.can for place in noun.__noun__.places
    )  # not those of which there is one
]


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.__name__)
def test_both_paths(noun: type) -> None:
    """The short path is the long one without the service, and allows the same."""
    long, short = noun.__noun__.places  # type: ignore[attr-defined]
    assert short.path == long.path.replace(BELOW, "/v1/")
    assert (short.can, short.live, short.key, short.sort) == (long.can, long.live, long.key, long.sort)
