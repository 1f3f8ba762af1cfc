"""What the message lane counts is what SMPP sends: two tables of one alphabet."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ringback.messaging.segments import segment
from ringback.smpp.alphabet import BASIC, EXTENSION, split

GSM = st.text(st.sampled_from(sorted((set(BASIC) - {"\x1b"}) | set(EXTENSION.values()))))
ANY = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.one_of(GSM, ANY), st.integers(1, 20))
def test_messages_are_counted_as_they_are_sent(text: str, times: int) -> None:
    counted, made = segment(text * times), split(text * times)
    assert counted.segments == len(made.parts)
    assert (counted.encoding == "GSM-7") == (made.alphabet == "GSM")


def test_every_character_of_the_alphabet_is_counted_alike() -> None:
    for character in (*BASIC.replace("\x1b", ""), *EXTENSION.values()):
        assert segment(character * 81).segments == len(split(character * 81).parts)
        assert segment(character).encoding == "GSM-7"
