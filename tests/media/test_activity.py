"""Voice activity: when speech begins and ends, frame by frame."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.media.activity import START, STOP, Activity, level
from ringback.media.g711 import SILENCE, Law, encode
from ringback.media.tones import sine

LOUD, SOFT, NOTHING = 3000.0, 60.0, 0.0


def changes(*parts: tuple[float, int]) -> list[tuple[int, bool]]:
    """Frame number and change, for levels that last so many frames."""
    activity, found, at = Activity(), [], 0
    for height, frames in parts:
        for _ in range(frames):
            at += 1
            change = activity.hear(height)
            if change is not None:
                found.append((at, change))
    return found


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([(NOTHING, 500)], []),
        ([(SOFT, 500)], []),
        ([(LOUD, START)], [(START, True)]),
        ([(LOUD, START - 1), (NOTHING, 200)], []),  # shorter than speech
        ([(LOUD, 50), (NOTHING, STOP)], [(START, True), (50 + STOP, False)]),
        ([(LOUD, 50), (NOTHING, STOP - 1), (LOUD, 50)], [(START, True)]),  # a breath
        ([(LOUD, 50), (NOTHING, 20), (LOUD, 2), (NOTHING, 20)], [(START, True), (87, False)]),  # a click in it
        ([(LOUD, 50), (NOTHING, 20), (LOUD, 3), (NOTHING, STOP)], [(START, True), (73 + STOP, False)]),
        ([(LOUD, 5), (NOTHING, 3), (LOUD, 8)], [(16, True)]),  # syllables
        ([(LOUD, 1), (NOTHING, 9)] * 40, []),  # clicks
        ([(LOUD, 3000)], [(START, True)]),  # a minute of speech without a breath is no noise
        ([(LOUD, 20), (NOTHING, STOP), (LOUD, 20)], [(10, True), (20 + STOP, False), (30 + STOP, True)]),
    ],
)  # fmt: skip
def test_begin_and_end(parts: list[tuple[float, int]], expected: list[tuple[int, bool]]) -> None:
    assert changes(*parts) == expected


def test_the_noise_of_a_line_ceases_to_count_and_speech_above_it_counts() -> None:
    found = changes((250.0, 1000), (LOUD, 50), (250.0, 100))
    assert [change for _, change in found] == [True, False, True, False]
    assert found[1][0] < 500  # the noise alone: taken for speech for some seconds at most
    assert found[2][0] == 1000 + START
    assert found[3][0] == 1050 + STOP


def test_hush_ends_what_is_said_once() -> None:
    activity = Activity()
    assert activity.hush() is None
    assert [activity.hear(LOUD) for _ in range(START)][-1] is True
    assert (activity.hush(), activity.hush()) == (False, None)
    assert [activity.hear(LOUD) for _ in range(START)][-1] is True


@pytest.mark.parametrize("law", ["PCMU", "PCMA"])
def test_level_is_the_root_mean_square(law: Law) -> None:
    assert level(SILENCE[law] * 160, law) < 10
    assert level(encode(sine(500, 0.02, 8000), law), law) == pytest.approx(8000 / np.sqrt(2), rel=0.05)


@given(st.lists(st.floats(0, 32767), max_size=400))
def test_begin_and_end_take_turns_whatever_is_heard(levels: list[float]) -> None:
    activity = Activity()
    found = [change for one in levels if (change := activity.hear(one)) is not None]
    assert found == [number % 2 == 0 for number in range(len(found))]
    assert activity.speaking is (len(found) % 2 == 1)
