"""Offers that cross: the whole table, against what the RFCs say."""

import pytest

from ringback.sip.offer import GLARE, LATER, TAKE, VERDICTS, Asked, Exchange


def test_every_case_has_a_verdict() -> None:
    assert set(VERDICTS) == {(exchange, asked) for exchange in Exchange for asked in Asked}


@pytest.mark.parametrize(
    ("exchange", "invite", "update"),
    [
        (Exchange.SETTLED, TAKE, TAKE),
        (Exchange.OURS, GLARE, GLARE),  # RFC 3261 §14.2, RFC 3311 §5.2: we have an offer out
        (Exchange.OURS_IN_2XX, GLARE, GLARE),  # our offer is out: the ACK brings the answer
        (Exchange.THEIRS, LATER, LATER),  # RFC 3311 §5.2: an offer of theirs waits for our answer
        (Exchange.UNACKED, TAKE, TAKE),  # offer and answer are complete: the ACK may have been overtaken
    ],
)
def test_verdicts(exchange: Exchange, invite: int, update: int) -> None:
    assert VERDICTS[exchange, Asked.INVITE] == invite
    assert VERDICTS[exchange, Asked.UPDATE] == update
    assert VERDICTS[exchange, Asked.REFRESH] == TAKE
