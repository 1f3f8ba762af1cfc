"""Scopes, references, what the engine reads off an expression, and the order of workers."""

from __future__ import annotations

from collections import ChainMap
from types import MappingProxyType
from typing import Any

import pytest

from ringback.taskrouter.expression import (
    ExpressionError,
    Scope,
    compile_expression,
    compile_order_by,
    read_path,
)

ACTIVITY = "WA" + "0a" * 16


def test_scope_worker_reads_the_worker_alone() -> None:
    """Unprefixed, with the four names that the caller adds; ``task.x`` is an attribute called task."""
    worker = {
        "skills": ["x"],
        "friendly_name": "Ann",
        "activity_name": "Idle",
        "sid": "WK1",
        "activity_sid": ACTIVITY,
    }
    text = f"skills HAS 'x' AND friendly_name == 'Ann' AND sid != null AND activity_sid == '{ACTIVITY}'"
    expression = compile_expression(text, "worker")
    assert expression(worker, {"skills": []}, {})
    assert expression.worker_refs == ("activity_sid", "friendly_name", "sid", "skills")
    assert expression.task_refs == ()
    assert not compile_expression("task.a == 1", "worker")({}, {"a": 1}, {})
    assert compile_expression("task.a == 1", "worker")({"task": {"a": 1}}, {}, {})


def test_scope_task_reads_the_task_alone() -> None:
    """Unprefixed; ``worker.x`` is an attribute called worker."""
    expression = compile_expression('call_sid == "CA1" AND tier.level > 2', "task")
    assert expression({}, {"call_sid": "CA1", "tier": {"level": 3}}, {})
    assert not expression({"call_sid": "CA1", "tier": {"level": 3}}, {}, {})
    assert expression.task_refs == ("call_sid", "tier.level")
    assert expression.worker_refs == ()


def test_scope_target_reads_both() -> None:
    """By prefix; the prefix is not part of the path."""
    text = "task.lang IN worker.languages AND worker.levels[0].n >= task.a.b[1] OR task.lang == 'en'"
    expression = compile_expression(text, "target")
    assert expression({"languages": ["de"], "levels": [{"n": 5}]}, {"lang": "de", "a": {"b": [0, 4]}}, {})
    assert not expression({"languages": ["de"], "levels": [{"n": 3}]}, {"lang": "de", "a": {"b": [0, 4]}}, {})
    assert expression.task_refs == ("a.b[1]", "lang")
    assert expression.worker_refs == ("languages", "levels[0].n")


def test_named_agent() -> None:
    """Section 5.2, pattern A, and its protection: both absent is no match."""
    expression = compile_expression("task.targetWorker == worker.contact_uri", "target")
    assert expression({"contact_uri": "client:alice"}, {"targetWorker": "client:alice"}, {})
    for worker, task in (
        ({}, {}), ({"contact_uri": None}, {"targetWorker": None}), ({"contact_uri": "client:bob"}, {}),
        ({}, {"targetWorker": "client:alice"}),
    ):  # fmt: skip
        assert not expression(worker, task, {})


def test_scope_counts() -> None:
    """Head-counts; an activity that is not counted has nobody in it. Constants are allowed."""
    counts = {"available": 0, "unavailable": 3, ACTIVITY: 2}
    for text, result in (
        ("workers.available == 0", True), ("workers.unavailable > 5", False), ("1==1", True), ("1 == 2", False),
        (f"workers.{ACTIVITY} >= 2 AND workers.available < 1", True), ("true", True), ("workers.available", False),
        (f"workers.WA{'0A' * 16} == 2", True), (f"workers.WA{'0b' * 16} == 0", True), ("workers.available = 0", True),
    ):  # fmt: skip
        assert compile_expression(text, "counts")({}, {}, counts) is result, text


WRONG_SCOPE: list[tuple[str, Scope, int]] = [
    ("lang == 1", "target", 1), ("task.a == 1 AND lang == 1", "target", 17), ("task == 1", "target", 1),
    ("worker[0] == 1", "target", 1), ("Task.a == 1", "target", 1), ("1 IN [2, workers.available]", "target", 10),
    ("workers.available == 0", "target", 1), ("workers.idle == 0", "counts", 1), ("available == 0", "counts", 1),
    ("1==1 OR task.a == 1", "counts", 9), ("workers == 0", "counts", 1), ("workers.WA12 == 0", "counts", 1),
    ("workers.available.x == 0", "counts", 1), ("workers[0] == 0", "counts", 1), ("Workers.available", "counts", 1),
    (f"workers.WK{'0a' * 16} == 0", "counts", 1),
]  # fmt: skip


@pytest.mark.parametrize(("text", "scope", "column"), WRONG_SCOPE)
def test_references_outside_their_scope(text: str, scope: Scope, column: int) -> None:
    """Refused where the reference stands, whether or not it would ever be read."""
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text, scope)
    assert caught.value.column == column


def test_blank_text() -> None:
    """A queue without target workers has nobody; elsewhere something is missing."""
    for text in ("", "  \n\t"):
        nobody = compile_expression(text, "worker")
        assert not nobody({"sid": "WK1"}, {}, {})
        assert (nobody.text, nobody.worker_refs, nobody.task_values({})) == (text, (), ())
        for scope in ("task", "target", "counts"):
            with pytest.raises(ExpressionError, match="empty"):
                compile_expression(text, scope)


LINKS: list[tuple[str, tuple[tuple[str, str, str], ...]]] = [
    ("task.x == worker.y", (("x", "==", "y"),)),
    ("worker.y == task.x", (("x", "==", "y"),)),
    ("task.x = worker.y", (("x", "==", "y"),)),
    (
        "task.a.b[0] == worker.c AND (worker.d == 1 AND (worker.e == task.f))",
        (("a.b[0]", "==", "c"), ("f", "==", "e")),
    ),
    ("task.x == worker.y AND task.x == worker.y", (("x", "==", "y"),)),
    ("task.x == worker.y OR worker.z == 1", ()),
    ("(task.x == worker.y OR worker.z == 1) AND task.u == worker.v", (("u", "==", "v"),)),
    ("task.x != worker.y", ()),
    ("task.x NOT IN worker.y", ()),
    ("task.x CONTAINS worker.y", ()),
    ("task.x == task.y", ()),
    ("worker.x == worker.y", ()),
    ("task.x IN worker.y", (("x", "in", "y"),)),
    ("worker.y HAS task.x", (("x", "in", "y"),)),
    ("task.x HAS worker.y", (("x", "has", "y"),)),
    ("worker.y IN task.x", (("x", "has", "y"),)),
    ("task.x < worker.y AND worker.y < task.z", (("x", "<", "y"), ("z", ">", "y"))),
    ("task.x >= worker.y AND worker.y >= task.z", (("x", ">=", "y"), ("z", "<=", "y"))),
    ("task.x == 'y'", ()),
    ("[task.x] == worker.y", ()),
]


@pytest.mark.parametrize(("text", "expected"), LINKS)
def test_links(text: str, expected: tuple[tuple[str, str, str], ...]) -> None:
    """Those that must hold: through AND alone, in either order."""
    assert compile_expression(text, "target").links == expected


CONSTANTS: list[tuple[str, list[tuple[str, Any]]]] = [
    ("a == 'x'", [("a", "x")]),
    ("'x' == a", [("a", "x")]),
    ("a == 1 AND (b.c[0] == true AND d == 1.5)", [("a", 1), ("b.c[0]", True), ("d", 1.5)]),
    ("a == 1 OR b == 2", []),
    ("(a == 1 OR b == 2) AND c = 'x'", [("c", "x")]),
    ("a == null", []),
    ("a != 1", []),
    ("a == b", []),
    ("1 == 1", []),
    ("a == [1]", []),
    ("a IN ['x']", []),
]


@pytest.mark.parametrize(("text", "expected"), CONSTANTS)
def test_constants(text: str, expected: list[tuple[str, Any]]) -> None:
    """Those that must hold, in the scopes with one side; types are kept."""
    for scope in ("worker", "task"):
        found = compile_expression(text, scope).constants
        assert [(path, type(value), value) for path, value in found] == [
            (path, type(value), value) for path, value in expected
        ]
    assert compile_expression("task.a == 1", "target").constants == ()
    assert compile_expression("workers.available == 0", "counts").constants == ()


def test_task_values() -> None:
    """In the order of ``task_refs``, hashable, with True and 1 apart and 1 and 1.0 equal."""
    expression = compile_expression("task.b IN worker.x AND task.a.c == worker.y AND worker.z == 1", "target")
    assert expression.task_refs == ("a.c", "b")
    assert expression.task_values({"a": {"c": "deep"}, "b": 1, "other": 9}) == ("deep", 1)
    assert expression.task_values({}) == (None, None)
    one, true, real = ({"b": value} for value in (1, True, 1.0))
    assert expression.task_values(one) == expression.task_values(real) != expression.task_values(true)
    assert expression.task_values({"b": [1, {"k": [2]}]}) == expression.task_values({"b": [1.0, {"k": [2]}]})
    assert (
        len({expression.task_values({"b": value}) for value in ([1], ["1"], [True], {"1": 1}, [[1]], "1")})
        == 6
    )


def test_an_expression_is_its_text_and_scope() -> None:
    """Cached, immutable, hashable; attributes may be any mapping, and frozen arrays are arrays."""
    expression = compile_expression("a HAS 1", "worker")
    assert expression is compile_expression("a HAS 1", "worker")
    assert expression != compile_expression("a HAS 1", "task") != compile_expression("a  HAS 1", "task")
    assert (
        len({expression, compile_expression("a HAS 1", "worker"), compile_expression("a HAS 1", "task")}) == 2
    )
    with pytest.raises(AttributeError):
        expression.text = "b"  # type: ignore[misc]
    for worker in (MappingProxyType({"a": (1, 2)}), ChainMap({"a": [1]}, {"b": 1})):
        assert expression(worker, {}, {})
    long = "a == 1" + " " * 2_000
    assert compile_expression(long, "task") is compile_expression(long, "task")


def test_read_path() -> None:
    """The paths that expressions give are read by the same rules, also those that are keywords."""
    data = {"a": {"b": [{"in": 1}]}, "in": 2}
    for path, value in (
        ("a.b[0].in", 1),
        ("in", 2),
        ("a.b[1]", None),
        ("a.b.c", None),
        ("x", None),
        ("a[0]", None),
    ):
        assert read_path(path)(data) == value
    for path in ("", "a-b", "a.", "[0]", "a == 1"):
        with pytest.raises(ExpressionError):
            read_path(path)({})


# --- order_by --------------------------------------------------------------------------------------------------------

WORKERS: dict[str, dict[str, Any]] = {
    "high": {"level": 9, "x": 1}, "low": {"level": -1, "x": 5}, "same": {"level": 9, "x": 0}, "none": {"x": 7},
    "text": {"level": "10", "x": 6}, "flag": {"level": True, "x": 8}, "real": {"level": 9.5, "x": 9},
}  # fmt: skip

ORDERS: list[tuple[str, str]] = [
    ("worker.level DESC, worker.x", "same high low text none flag real"),
    ("worker.level ASC, worker.x ASC", "low same high text none flag real"),
    ("worker.level, worker.x desc", "low high same real flag none text"),
    ("worker.x", "same high low text none flag real"),
    ("worker . x Desc", "real flag none text low high same"),
    ("worker.missing DESC", "high low same none text flag real"),
    ("worker.missing, worker.x asc", "same high low text none flag real"),
]


@pytest.mark.parametrize(("text", "expected"), ORDERS)
def test_order_by(text: str, expected: str) -> None:
    """Integers alone count; whoever has none is last in either direction."""
    order = compile_order_by(text)
    assert sorted(WORKERS, key=lambda name: order.key(WORKERS[name])) == expected.split()


def test_order_by_clauses() -> None:
    """Paths without prefix; ASC and DESC are names where a name must stand."""
    order = compile_order_by("worker.a.b[0] DESC,worker.desc asc, worker.asc")
    assert order.clauses == (("a.b[0]", True), ("desc", False), ("asc", False))
    assert order == compile_order_by("worker.a.b[0] DESC,worker.desc asc, worker.asc")
    assert order.key({"a": {"b": [3]}, "desc": 2}) == (0, -3, 0, 2, 1, 0)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("", 1), ("level DESC", 1), ("task.level", 1), ("worker.a,", 10), ("worker.a DOWN", 10), ("worker", 1),
        ("worker.a DESC DESC", 15), ("worker.a worker.b", 10), ("worker.a-b", 9), ("worker.a == 1", 10),
        (",worker.a", 1), ("worker.a, b", 11), ("worker.a" + " " * 10_000, 10_001), ("worker[0]", 1),
    ],
)  # fmt: skip
def test_order_by_refused(text: str, column: int) -> None:
    """With the position, as in expressions."""
    with pytest.raises(ExpressionError) as caught:
        compile_order_by(text)
    assert caught.value.column == column
