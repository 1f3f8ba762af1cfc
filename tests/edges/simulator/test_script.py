"""Reading scripts, and the faults' book."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.edges.simulator.faults import Fault, Faults
from ringback.edges.simulator.script import BadScript, Expect, Press, Wait, read_script

NAMES = ["wait", "press", "say", "expect", "within", "hangup", "x"]

json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=8,
)


def test_good_steps() -> None:
    assert read_script([{"wait": 2}, {"press": "1#w"}, {"expect": "a", "within": 3}, {"expect": "b"}]) == [
        Wait(2.0),
        Press("1#w"),
        Expect("a", 3.0),
        Expect("b", 30.0),
    ]


@pytest.mark.parametrize(
    "script",
    [
        {}, [1], [{}], [{"wait": -1}],
        [{"wait": True}], [{"wait": float("nan")}], [{"press": "x"}], [{"say": ""}],
        [{"hangup": False}], [{"within": 3}], [{"wait": 1, "say": "a"}], [{"wait": 1}] * 501,
        [{"say": "x" * 5000}],
    ],
)  # fmt: skip
def test_bad_steps_are_named(script: Any) -> None:
    with pytest.raises(BadScript, match="script"):
        read_script(script)


@given(json_values)
def test_anything_is_read_or_refused(script: Any) -> None:
    try:
        read_script(script)
    except BadScript:
        pass
    else:
        assert isinstance(script, list)


def test_faults_match_and_count_down() -> None:
    faults = Faults()
    faults.add(Fault("drop_callback", 2, {"CallStatus": "ringing"}))
    assert faults.take("drop_callback", {"CallStatus": "completed"}) is None
    assert faults.take("delay_callback", {"CallStatus": "ringing"}) is None
    assert faults.take("drop_callback", {"CallStatus": "ringing"})
    assert faults.take("drop_callback", {"CallStatus": "ringing"})
    assert faults.take("drop_callback", {"CallStatus": "ringing"}) is None
    for bad in (Fault("x"), Fault("drop_callback", 0)):
        with pytest.raises(ValueError, match=r"fault|count"):
            faults.add(bad)
