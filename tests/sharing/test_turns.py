"""Who is next, whatever the accounts do: the promises of ``turns.py``, with random histories."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.sharing.turns import Full, Turns


def worked_off(turns: Turns[Any]) -> list[Any]:
    """The jobs in the order of their turns, one at a time."""
    found = []
    while (taken := turns.take()) is not None:
        found.append(taken[1])
        turns.done(taken[0])
    return found


def test_a_round_robin_for_one_seat() -> None:
    """A has ten, B and C come later: each waits for one job of the others, not for ten."""
    turns: Turns[str] = Turns(1)
    for number in range(10):
        turns.line_up("A", f"a{number}")
    assert turns.take() == ("A", "a0")
    for job in ("b0", "b1", "c0"):
        turns.line_up(job[0].upper(), job)
    assert turns.take() is None
    turns.done("A")
    assert worked_off(turns)[:6] == ["b0", "c0", "a1", "b1", "a2", "a3"]


def test_one_who_comes_again_and_again_starves_nobody() -> None:
    """B asks for one thing after the other, and has every second turn."""
    turns: Turns[str] = Turns(1)
    for number in range(5):
        turns.line_up("A", f"a{number}")
    found = []
    turns.line_up("B", "b")
    while (taken := turns.take()) is not None and len(found) < 8:
        found.append(taken[0])
        turns.done(taken[0])
        if taken[0] == "B":
            turns.line_up("B", "b")
    assert found == ["A", "B", "A", "B", "A", "B", "A", "B"]


def test_the_reserve_is_for_others() -> None:
    """One account never holds the last seats; a newcomer is served at once."""
    turns: Turns[int] = Turns(4, reserve=1)
    for number in range(10):
        turns.line_up("A", number)
    assert [turns.take() for _ in range(4)] == [("A", 0), ("A", 1), ("A", 2), None]
    turns.line_up("B", 99)
    assert turns.take() == ("B", 99)
    assert (turns.busy, turns.waiting) == (4, 7)


def test_whoever_holds_least_comes_first() -> None:
    """A and B share four seats by halves, although A came long before."""
    turns: Turns[int] = Turns(4)
    for number in range(8):
        turns.line_up("A", number)
    for _ in range(4):
        turns.take()
    for number in range(8):
        turns.line_up("B", number)
    for _ in range(4):
        turns.done("A")
        turns.take()
    held = Counter(turns._held)
    assert held == {"A": 2, "B": 2} or held["B"] >= 2


def test_a_line_has_an_end() -> None:
    """Of each account; whoever leaves makes room; draining empties all."""
    turns: Turns[str] = Turns(1, longest=2)
    turns.line_up("A", "a0")
    turns.line_up("A", "a1")
    with pytest.raises(Full, match="2 wait already"):
        turns.line_up("A", "a2")
    turns.line_up("B", "b0")
    turns.leave("A", "a0")
    turns.line_up("A", "a3")
    assert sorted(turns.drain()) == ["a1", "a3", "b0"]
    assert (turns.waiting, turns.take()) == (0, None)


@given(
    st.integers(1, 5), st.integers(0, 4),
    st.lists(st.tuples(st.sampled_from("come take done leave".split()), st.sampled_from("ABCD")), max_size=120),
)  # fmt: skip
def test_any_history(seats: int, reserve: int, steps: list[tuple[str, str]]) -> None:
    """Never more seats than there are, nor one account more than its share; in order within an account; a free seat
    is never kept from an account that may have it; and nobody is passed over by all others twice."""
    turns: Turns[tuple[str, int]] = Turns(seats, reserve=reserve)
    lines: dict[str, list[tuple[str, int]]] = {each: [] for each in "ABCD"}
    held: Counter[str] = Counter()
    passed: dict[str, Counter[str]] = {each: Counter() for each in "ABCD"}
    for number, (step, account) in enumerate(steps):
        if step == "come":
            lines[account].append((account, number))
            turns.line_up(account, (account, number))
        elif step == "leave" and lines[account]:
            turns.leave(account, lines[account].pop())
        elif step == "done" and held[account]:
            held[account] -= 1
            turns.done(account)
        elif step == "take":
            taken = turns.take()
            able = [each for each in "ABCD" if lines[each] and held[each] < turns.most]
            if sum(held.values()) >= seats or not able:
                assert taken is None
                continue
            assert taken is not None
            who, job = taken
            assert who in able
            assert job == lines[who].pop(0)
            assert held[who] == min(held[each] for each in able)
            for each in able:
                if each != who and held[each] == held[who]:
                    passed[each][who] += 1
                    assert passed[each][who] <= seats + 1
            passed[who].clear()
            held[who] += 1
        if not lines[account]:
            passed[account].clear()
        assert (turns.busy, turns.waiting) == (sum(held.values()), sum(map(len, lines.values())))
