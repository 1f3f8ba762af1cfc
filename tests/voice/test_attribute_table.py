"""Every attribute of every verb and noun: its warning and its default, against a table copied from twiml.md."""

from __future__ import annotations

from typing import Any

import pytest

from ringback.kernel.error_codes import title
from ringback.voice.dial import application_noun, noun, sip_noun
from ringback.voice.twiml import Element
from ringback.voice.verb import Attribute, read_attributes
from ringback.voice.verbs import collect

LONG = "x" * 4097
ANY_TEXT = (LONG, 12200, None)
"""An attribute that takes any text of sensible length."""
METHOD = ("PUT", 12200, "POST")

_RECORDING = {
    "recordingStatusCallback": (LONG, 13256, None),
    "recordingStatusCallbackMethod": METHOD,
    "recordingStatusCallbackEvent": ("begun", 13621, ["completed"]),
    "recordingConfigurationId": ANY_TEXT,
}
_NOUN = {
    "url": ANY_TEXT,
    "method": ("PUT", 13221, "POST"),
    "statusCallback": ANY_TEXT,
    "statusCallbackMethod": METHOD,
    "statusCallbackEvent": ("sung", 12200, ["completed"]),
}
_DETECTION = {
    "machineDetection": ("true", 12200, None),
    "machineDetectionTimeout": ("2", 12200, None),
    "machineDetectionSpeechThreshold": ("999", 12200, None),
    "machineDetectionSpeechEndThreshold": ("5001", 12200, None),
    "machineDetectionSilenceTimeout": ("1999", 12200, None),
    "amdStatusCallback": ANY_TEXT,
    "amdStatusCallbackMethod": METHOD,
}

# attribute → (a bad value, the warning, what is used instead): twiml.md §2, §3, §4, §5, §5.1, §8
SHEET: dict[str, dict[str, tuple[str, int, Any]]] = {
    "Say": {
        "voice": ("9 voices", 13511, None),
        "language": ("english!", 13512, "en-US"),
        "loop": ("-1", 13510, 1),
    },
    "Play": {"loop": ("many", 13410, 1), "digits": ("12x", 13430, None)},
    "Pause": {"length": ("0", 13910, 1)},
    "Gather": {
        "input": ("keys", 13326, ["dtmf"]),
        "action": (LONG, 11100, None),
        "method": ("PUT", 13312, "POST"),
        "timeout": ("0", 13313, 5),
        "speechTimeout": ("soon", 13327, None),
        "maxSpeechTime": ("0", 13328, 60),
        "finishOnKey": ("##", 13310, "#"),
        "numDigits": ("0", 13314, None),
        "actionOnEmptyResult": ("yes", 13338, False),
        "language": ("12", 13331, "en-US"),
        "hints": (LONG, 13330, None),
        "speechModel": ("clever", 13334, "default"),
        "enhanced": ("yes", 12200, False),
        "profanityFilter": ("yes", 13333, True),
        "bargeIn": ("yes", 13332, True),
        "partialResultCallback": ANY_TEXT,
        "partialResultCallbackMethod": ("PUT", 13329, "POST"),
        "debug": ("yes", 12200, False),
    },
    "Record": {
        "action": (LONG, 11100, None),
        "method": ("PUT", 13610, "POST"),
        "timeout": ("-1", 13611, 5),
        "finishOnKey": ("x", 13613, "1234567890*#"),
        "maxLength": ("1", 13612, 3600),
        "playBeep": ("yes", 13616, True),
        "trim": ("yes", 13699, "trim-silence"),
        "transcribe": ("yes", 13614, False),
        "transcribeCallback": (LONG, 13257, None),
        **_RECORDING,
    },
    "Dial": {
        "action": ANY_TEXT,
        "method": ("PUT", 13210, "POST"),
        "timeout": ("0", 13212, 30),
        "timeLimit": ("0", 13216, 14400),
        "hangupOnStar": ("yes", 13213, False),
        "callerId": ("me myself", 13214, None),
        "callReason": (LONG, 12200, None),
        "answerOnBridge": ("TRUE", 13219, False),
        "ringTone": ("xx", 13220, None),
        "record": ("always", 13217, "do-not-record"),
        "trim": ("yes", 13699, "do-not-trim"),
        "recordingTrack": ("left", 13622, "both"),
        "sequential": ("yes", 13218, False),
        "referUrl": ANY_TEXT,
        "referMethod": METHOD,
        "events": ANY_TEXT,
        "passports": ANY_TEXT,
        **_RECORDING,
    },
    "Redirect": {"method": ("PUT", 13710, "POST")},
    "Reject": {"reason": ("lazy", 13810, "rejected")},
    "Hangup": {},
    "Number": {**_NOUN, **_DETECTION, "sendDigits": ("12x", 13222, None), "byoc": ANY_TEXT},
    "Sip": {
        **_NOUN,
        **_DETECTION,
        "method": ("PUT", 13241, "POST"),
        "username": ANY_TEXT,
        "password": ANY_TEXT,
    },
    "Client": _NOUN,
    "Application": {
        **_NOUN,
        "method": METHOD,
        "customerId": ("x" * 257, 12200, None),
        "copyParentTo": ("yes", 12200, False),
    },
    "Refer": {"action": ANY_TEXT, "method": METHOD},
    "Echo": {},
}
ROWS = [(tag, name, *row) for tag, table in SHEET.items() for name, row in table.items()]


def _declared() -> dict[str, dict[str, Attribute]]:
    found = {tag: verb.attributes for tag, verb in collect().items()}
    return {**found, **noun.NOUNS, "Application": application_noun.ATTRIBUTES}


def test_the_declarations_name_exactly_the_attributes_of_the_sheet() -> None:
    declared = {tag: set(table) for tag, table in _declared().items() if tag in SHEET}
    assert declared == {tag: set(table) for tag, table in SHEET.items()}


@pytest.mark.parametrize(("tag", "name", "bad", "code", "default"), ROWS)
def test_a_bad_value_is_warned_of_and_the_default_used(
    tag: str, name: str, bad: str, code: int, default: Any
) -> None:
    warned: list[tuple[int, str]] = []
    element = Element(tag, {name: bad}, "", line=4, column=7)
    values = read_attributes(element, _declared()[tag], lambda *warning: warned.append(warning))
    assert [each for each, _ in warned] == [code]
    assert "line 4, column 7" in warned[0][1]
    assert name in warned[0][1]
    assert values[name] == default
    assert values == read_attributes(Element(tag, {}, ""), _declared()[tag], lambda *_: pytest.fail("warned"))
    assert title(code) != f"Error {code}"


GOOD = {
    "Say": {"voice": "Polly.Joanna-Neural", "language": "pt-BR", "loop": "0"},
    "Play": {"loop": "1000", "digits": "1w2#*"},
    "Pause": {"length": "86400"},
    "Gather": {
        "input": "dtmf speech", "timeout": "1", "finishOnKey": "", "numDigits": "1", "speechTimeout": "auto",
        "speechModel": "googlev2_telephony", "bargeIn": "false", "actionOnEmptyResult": "true",
    },
    "Record": {"timeout": "0", "finishOnKey": "#", "maxLength": "14400", "playBeep": "false"},
    "Dial": {"callerId": "client:joan", "ringTone": "us-old", "record": "record-from-ringing-dual"},
    "Redirect": {"method": "GET"},
    "Reject": {"reason": "busy"},
    "Number": {"sendDigits": "wwWW1234#", "machineDetection": "DetectMessageEnd"},
    "Sip": {"username": "a", "password": "b", "statusCallbackEvent": "initiated ringing answered completed"},
}  # fmt: skip


@pytest.mark.parametrize("tag", GOOD)
def test_good_values_pass(tag: str) -> None:
    read_attributes(
        Element(tag, dict(GOOD[tag]), ""), _declared()[tag], lambda code, text: pytest.fail(f"{code} {text}")
    )


def test_the_children_of_sip() -> None:
    assert frozenset({"Uri", "Headers"}) == sip_noun.CHILDREN
