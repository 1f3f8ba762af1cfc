"""Another number, as callers key it: read as at home, heard back, asked for again (issue 11, A3)."""

from __future__ import annotations

import pytest

from ringback.callbacks.wait_experience import respond
from tests.callbacks.platform import CUSTOMER, Platform, asked

OPTION = "handle-callback-for-other-number-confirmation-option"
CONFIRM = "handle-callback-for-other-number-confirmation"


def wait(platform: Platform, **params: str) -> str:
    """One request."""
    return str(platform.run(respond(platform.feature, params, platform.kit.now)))


@pytest.mark.parametrize(
    ("called", "keys", "number"),
    [
        ("+14155550199", "4155550100", "+14155550100"),
        ("+14155550199", "14155550100", "+14155550100"),
        ("+15550100", "4155550100", "+14155550100"),  # nobody's number, of the US all the same
        ("+14155550199", "011441632960001", "+441632960001"),
        ("+14155550199", "442079460018", "+442079460018"),
        ("+442079460000", "01632960001", "+441632960001"),
        ("+442079460000", "0014155550100", "+14155550100"),
        ("+4930901820", "030901820", "+4930901820"),
        ("sip:support@example.test", "4155550100", "+14155550100"),  # the home country
    ],
)
def test_what_is_understood_is_heard_and_called(called: str, keys: str, number: str) -> None:
    platform = Platform()
    task = platform.enqueue()
    document = wait(platform, **asked(task, mode=OPTION, Digits=keys, Called=called))
    assert f'<say-as interpret-as="telephone">{number}</say-as>' in document
    assert f"updatedPhoneNumber={number.replace('+', '%2B')}" in document
    wait(platform, **asked(task, mode="submit-callback", to=number, Called=called))
    (found,) = platform.made("callback")
    assert found["callBackData"]["numberToCall"] == number


def test_the_country_of_a_number_is_a_setting() -> None:
    platform = Platform(regions={"+14155550199": "DE"})
    document = wait(platform, **asked(mode=OPTION, Digits="030901820", Called="+14155550199"))
    assert "+4930901820" in document


@pytest.mark.parametrize(
    "keys", ["0114416329", "0015551230001", "0123456789", "112", "911", "12", "", "*", "1" * 20, "5551234"]
)
def test_what_cannot_be_called_is_asked_for_again(keys: str) -> None:
    """In every mode that takes a number; the caller keeps their place."""
    platform = Platform()
    task = platform.enqueue()
    for mode, name in ((OPTION, "Digits"), ("submit-callback", "to")):
        document = wait(platform, **asked(task, mode=mode, **{name: keys}))
        assert "no number that we can call" in document
        assert "<Gather" in document
        assert OPTION in document, "they may try again at once"
        assert "main-wait-loop" in document
        assert "<Hangup/>" not in document
    document = wait(platform, **asked(task, mode=CONFIRM, updatedPhoneNumber=keys, Digits="1"))
    assert ("submit-callback" in document, "enter the number" in document) == (False, True)
    assert [one.sid for one in platform.live()] == [task]
    assert platform.notes == {}


def test_the_network_s_own_word_is_not_doubted() -> None:
    """Whoever calls from a number that the plan does not know is called back at it."""
    platform = Platform()
    task = platform.enqueue()
    odd = "+15550142"
    document = wait(platform, **asked(task, mode="submit-callback", to=odd, Caller=odd))
    assert "<Hangup/>" in document
    (found,) = platform.made("callback")
    assert found["from"] == odd != CUSTOMER
