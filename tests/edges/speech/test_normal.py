"""What the voice is given to say (speech.md, twiml.md §2)."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ringback.edges.speech.normal import LONGEST, Break, Part, Sentence, parts


def said(text: str, *, ssml: bool = False) -> str:
    """The words alone, sentences parted by a bar."""
    return " | ".join(one.text for one in parts(text, "en-US", ssml=ssml) if isinstance(one, Sentence))


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("Hello world", "Hello world"),
        ("Call 555-0192 now", "Call five five five, zero one nine two now"),
        ("+15550100", "plus one five five five zero one zero zero"),
        ("+1 (555) 010-0199.", "plus one, five five five, zero one zero, zero one nine nine."),
        ("Case 12345678", "Case one two three four five six seven eight"),
        ("Ref A1234567B", "Ref A one two three four five six seven B"),
        ("It costs $1234567.89", "It costs $one two three four five six seven, eight nine"),
        ("You are number 12 of 400", "You are number 12 of 400"),
        ("Your code is 482913", "Your code is 482913"),
        ("٠١٢٣٤٥٦٧", "zero one two three four five six seven"),
        ("Press * or #", "Press star or pound"),
        ("Then press #.", "Then press pound."),
        ("#", "pound"),
        ("Fish & chips", "Fish and chips"),
        ("One. Two!  Three?\n\nFour", "One. | Two! | Three? | Four"),
        ("... !!! …", ""),
        ("", ""),
        ("  \n ", ""),
        ("a\x00b\ud800c", "a b c"),
    ],
)
def test_plain_text(text: str, heard: str) -> None:
    assert said(text) == heard


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ('Hi<break time="500ms"/>there', [Sentence("Hi", "en"), Break(0.5), Sentence("there", "en")]),
        ('<break time="2s"/>', [Break(2.0)]),
        ('<break time="9999s"/>', [Break(10.0)]),
        ('<break strength="x-weak"/>', [Break(0.1)]),
        ('<break strength="odd" time="odd"/>', [Break(0.5)]),
        ("<p>One</p>Two", [Sentence("One", "en"), Break(0.4), Sentence("Two", "en")]),
        ("Very <emphasis>good</emphasis>, sir", [Sentence("Very good, sir", "en")]),
        (
            '<sub alias="number 5550192">no.</sub>',
            [Sentence("number five five five zero one nine two", "en")],
        ),
        ('<say-as interpret-as="digits">42</say-as>', [Sentence("four two", "en")]),
        ('<say-as interpret-as="telephone">+1 20</say-as>', [Sentence("plus one, two zero", "en")]),
        ('<say-as interpret-as="spell-out">aB3#</say-as>', [Sentence("a B three pound", "en")]),
        ('<say-as interpret-as="date">May 5</say-as>', [Sentence("May 5", "en")]),
        ('<prosody rate="slow">a</prosody>b', [Sentence("a", "en", 0.8), Sentence("b", "en")]),
        ('<prosody rate="150%">a</prosody>', [Sentence("a", "en", 1.5)]),
        ('<prosody rate="+20%">a</prosody>', [Sentence("a", "en", 1.2)]),
        ('<prosody rate="9000%">a</prosody>', [Sentence("a", "en", 2.0)]),
        ('<prosody rate="²%" pitch="high">a</prosody>', [Sentence("a", "en")]),
        ('<lang xml:lang="fr-FR">salut</lang> you', [Sentence("salut", "fr-FR"), Sentence("you", "en")]),
        ("a<!-- secret -->b<?php x?>c", [Sentence("abc", "en")]),
        ('<phoneme alphabet="ipa" ph="x">pecan</phoneme>', [Sentence("pecan", "en")]),
        ("not <b>closed", [Sentence("not closed", "en")]),
        ("&undefined; thing", [Sentence("and undefined;", "en"), Sentence("thing", "en")]),
    ],
)
def test_ssml(text: str, heard: list[Part]) -> None:
    assert parts(text, "en", ssml=True) == heard


def test_a_long_sentence_is_cut_at_a_comma() -> None:
    text = f"{'word ' * 40}end, {'more ' * 40}"
    first, second = parts(text, "en")
    assert isinstance(first, Sentence)
    assert isinstance(second, Sentence)
    assert first.text.endswith("end,")
    assert second.text.startswith("more")


def test_depth_is_limited() -> None:
    assert said("<p>" * 5000 + "deep" + "</p>" * 5000, ssml=True) == "deep"


MARKUP = st.lists(
    st.one_of(
        st.text(max_size=40),
        st.from_regex(r"[0-9+() .-]{0,30}", fullmatch=True),
        st.sampled_from(
            [
                "<p>", "</p>", '<break time="', '"/>', "<say-as interpret-as='digits'>", "</say-as>", "&amp;",
                "<prosody rate='", "'>", "</prosody>", "<!--", "-->", "<![CDATA[", "]]>", "&x;", "<sub alias='",
            ]
        ),
    ),
    max_size=12,
).map("".join)  # fmt: skip


@given(st.one_of(st.text(), MARKUP), st.booleans())
@example("1" * 400, False)
@example("<sub alias='12345678'>x</sub>", True)
def test_anything_is_said_in_short_sentences_without_long_numbers(text: str, ssml: bool) -> None:
    for part in parts(text, "en-US", ssml=ssml):
        if isinstance(part, Break):
            assert 0 <= part.seconds <= 10
        else:
            assert 0 < len(part.text) <= LONGEST
            assert 0.5 <= part.speed <= 2.0
            assert not re.search(r"\d{7}", part.text)
            part.text.encode()
