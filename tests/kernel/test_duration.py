"""ISO 8601 durations."""

from __future__ import annotations

import pytest

from ringback.kernel.duration import seconds


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("PT1M", 60), ("PT10M", 600), ("P1D", 86_400), ("PT0S", 0), ("P2W", 1_209_600), ("P1DT12H", 129_600),
        ("PT1H30M10.5S", 5410.5), ("PT90M", 5400),
    ],
)  # fmt: skip
def test_good_ones(text: str, length: float) -> None:
    assert seconds(text) == length


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "P1DT", "10", "1M", "PT-1M", "P1M", "P1Y", "PT1M ", "pt1m", "PT1M1H", "PT٣M", "PT1.5M", "P9999999W",
     "PT" + "9" * 400 + "S"],
)  # fmt: skip
def test_bad_ones(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not an ISO 8601|ten years"):
        seconds(text)
