"""Indexes over what tasks demand: the same lines, in the same order, as looking at every one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.resources.taskrouter.task import Task
from ringback.taskrouter.configuration import Target
from ringback.taskrouter.demand import MOST, indexes
from ringback.taskrouter.expression import compile_expression
from ringback.taskrouter.waiting import Waiting, order
from tests.taskrouter.workspace_kit import Kit

TEXTS = (
    "task.a == worker.a", "task.a IN worker.b", "task.b HAS worker.a", "task.b HAS worker.b", "task.a < worker.a",
    "worker.a <= task.a", "worker.a < task.a AND worker.b HAS task.c", "task.a >= worker.a", "task.a CONTAINS worker.a",
    "task.a == worker.a AND task.c == worker.c AND task.b HAS worker.a",
)  # fmt: skip
SCALARS = st.sampled_from(["x", "y", "z", 0, 1, 1.0, 2.5, True, False, None])
ATTRIBUTES = st.fixed_dictionaries(
    {},
    optional={"a": SCALARS, "b": st.lists(SCALARS, max_size=4), "c": SCALARS, "who": st.sampled_from("xy")},
)
CHANGES = st.lists(
    st.tuples(st.sampled_from("pqrstu"), st.integers(0, 3), st.one_of(st.none(), ATTRIBUTES)), max_size=40
)


@given(st.sampled_from(TEXTS), st.booleans(), CHANGES, ATTRIBUTES)
def test_lines_for_a_worker(
    text: str, known: bool, changes: list[tuple[str, int, dict[str, Any] | None]], worker: dict[str, Any]
) -> None:
    """Whatever came and went (None: a task leaves), every line that suits is proposed, in order, and none twice."""
    expression = compile_expression(text, "target")
    target = replace(
        Target(0, "", None, None, expression, None, None, None),
        known_worker=("friendly_name", "who") if known else None,
    )
    waiting = Waiting()
    tasks: dict[str, dict[str, Any]] = {}
    for sid, priority, attributes in changes:
        waiting.remove(sid)
        tasks.pop(sid, None)
        if attributes is not None:
            task = Task(sid=sid, account_sid="", priority=priority)
            tasks[sid] = attributes
            waiting.add(task, attributes, target, order(task, "FIFO"))
    worker = {**worker, "friendly_name": "X"}
    proposed = [head for group in waiting.groups.values() for head, _ in group.batches_for(worker)]
    assert proposed == sorted(set(proposed))
    for group in waiting.groups.values():
        for batch in group.batches.values():
            said = tasks[batch[0][1]]
            named = not known or said.get("who") == "x"
            if named and expression(worker, said, {}):
                assert batch[0] in proposed
    assert len(waiting) == len(tasks)


FEW: list[tuple[str, dict[str, Any], int]] = [
    ("task.a == worker.a", {"a": 3}, 1),
    ("task.a IN worker.b", {"b": [3, 4, 5000]}, 2),
    ("task.b HAS worker.a", {"a": "n7"}, 1),
    ("task.b HAS worker.b", {"b": [7]}, 0),
    ("task.a < worker.a", {"a": 3}, 3),
    ("worker.a <= task.a", {"a": 997}, 3),
    ("worker.a < task.a AND worker.b HAS task.c", {"a": 500, "b": [1, 600]}, 2),
    ("worker.a < task.a AND worker.b HAS task.c", {"a": 999, "b": [1, 600]}, 0),
    ("task.a > worker.a AND task.a < worker.c", {"a": 1, "c": 2}, 2),
    ("task.a == worker.a", {"a": "3"}, 0),
    ("task.a < worker.a", {"a": "x"}, 0),
    ("task.a < worker.a", {"a": True}, 0),
    ("task.a < worker.a", {"a": 500}, 1000),
    ("task.a CONTAINS worker.a", {"a": "x"}, 1000),
]


@pytest.mark.parametrize(("text", "worker", "proposed"), FEW)
def test_a_worker_looks_at_few(text: str, worker: dict[str, Any], proposed: int) -> None:
    """Of a thousand different demands. Where half of all may suit, the first of them comes soon in the order of all."""
    target = Target(0, "", None, None, compile_expression(text, "target"), None, None, None)
    waiting = Waiting()
    for number in range(1000):
        attributes = {"a": number, "b": [number, f"n{number}"], "c": number}
        waiting.add(Task(sid=f"WT{number:04}", account_sid=""), attributes, target, (number,))
    (group,) = waiting.groups.values()
    assert len(list(group.batches_for(worker))) == proposed


def test_a_long_expression_has_few_indexes() -> None:
    expression = compile_expression(" AND ".join(f"task.a{n} == worker.b{n}" for n in range(100)), "target")
    assert (len(expression.links), len(indexes(expression, None))) == (100, MOST)


def test_every_task_wants_another_worker() -> None:
    """The order is that of the line, whatever the indexes propose first."""
    kit = Kit()
    kit.queue("all")
    expression = "worker.languages HAS task.language AND task.customer == worker.favourite"
    queue = next(iter(kit.workspace.queues))
    flow = kit.workflow({"default_filter": {"queue": queue, "expression": expression}})
    tasks = [kit.task(flow, {"language": f"l{n % 7}", "customer": f"c{n % 3}", "n": n}) for n in range(42)]
    kit.worker("ann", languages=["l5", "l2", "l0"], favourite="c1")
    taken = []
    for _ in range(6):
        (offered,) = [sid for sid in tasks if kit.pending(sid) == ["ann"]]
        taken.append(tasks.index(offered))
        kit.reserve(kit.offer(offered), "accepted")
        kit.reserve(kit.workspace.tasks[offered].reservations[0], "completed")
    assert taken == [n for n in range(42) if n % 7 in (5, 2, 0) and n % 3 == 1]
    assert all(kit.pending(sid) == [] for sid in tasks)
