"""Random expressions over random data, against a slow evaluator that is written from the sheet, rule by rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ringback.taskrouter.expression import compile_expression, compile_order_by

# --- a tree of its own, its text, and what it means ----------------------------------------------------------------


@dataclass(frozen=True)
class Ref:
    """A prefixed reference."""

    side: str
    steps: tuple[Any, ...]


@dataclass(frozen=True)
class Const:
    """A written scalar."""

    value: Any


@dataclass(frozen=True)
class Items:
    """A written array."""

    items: tuple[Any, ...]


@dataclass(frozen=True)
class Compare:
    """A comparison."""

    operator: str
    left: Any
    right: Any


@dataclass(frozen=True)
class Join:
    """AND or OR."""

    word: str
    parts: tuple[Any, ...]


def written(node: Any) -> str:
    """The text of a tree, with every parenthesis that it could need."""
    if isinstance(node, Ref):
        rest = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in node.steps)
        return node.side + rest
    if isinstance(node, Const):
        if isinstance(node.value, str):
            return "'" + node.value.replace("\\", "\\\\").replace("'", "\\'") + "'"
        if node.value is None:
            return "null"
        return str(node.value).lower() if isinstance(node.value, bool) else repr(node.value)
    if isinstance(node, Items):
        return "[" + ", ".join(map(written, node.items)) + "]"
    if isinstance(node, Compare):
        return f"{written(node.left)} {node.operator} {written(node.right)}"
    return f" {node.word} ".join(f"({written(part)})" for part in node.parts)


READ, WRITTEN = "read", "written"
Value = tuple[str, Any]
"""Where a value is from, and the value: only a null that was written equals a null."""


def value_of(node: Any, data: dict[str, Any]) -> Value:
    """The value of an operand; arrays as lists of Values."""
    if isinstance(node, Const):
        return WRITTEN, node.value
    if isinstance(node, Items):
        return WRITTEN, [value_of(item, data) for item in node.items]
    found: Any = data[node.side]
    for step in node.steps:
        if isinstance(step, str):
            found = found[step] if isinstance(found, dict) and step in found else None
        else:
            found = found[step] if isinstance(found, list) and step < len(found) else None
    return READ, [(READ, item) for item in found] if isinstance(found, list) else found


def kind(value: Value) -> str:
    """The type of a value, as the sheet names them."""
    thing = value[1]
    for name, types in (("boolean", bool), ("number", (int, float)), ("string", str), ("array", list)):
        if isinstance(thing, types):  # type: ignore[arg-type]
            return name
    return "null" if thing is None else "object"


def same(left: Value, right: Value) -> bool:
    """Equality: same type and equal."""
    if kind(left) != kind(right) or kind(left) in ("array", "object"):
        return False
    if kind(left) == "null":
        return WRITTEN in (left[0], right[0])
    return bool(left[1] == right[1])


def words(value: Value) -> str:
    """The text of a scalar."""
    if kind(value) == "boolean":
        return str(value[1]).lower()
    if kind(value) == "number" and value[1] == int(value[1]):
        return str(int(value[1]))
    return str(value[1])


def meaning(operator: str, left: Value, right: Value) -> bool:
    """The second table of the sheet's section 6."""
    kinds = {kind(left), kind(right)}
    presence = (WRITTEN, None) in (left, right)
    if operator == "==":
        return same(left, right)
    if operator == "!=":
        return not same(left, right) and (presence or "array" not in kinds)
    if operator in (">", ">=", "<", "<="):
        if kinds not in ({"number"}, {"string"}):
            return False
        one, other = left[1], right[1]
        return {">": one > other, ">=": one >= other, "<": one < other, "<=": one <= other}[operator]
    if operator == "CONTAINS":
        return kinds <= {"number", "string", "boolean"} and words(right) in words(left)
    array, item = (left, right) if operator == "HAS" else (right, left)
    if operator == "NOT IN" and kind(array) == "null":
        return True
    if kind(array) != "array":
        return False
    found = any(same(one, item) for one in array[1])
    return not found if operator == "NOT IN" else found


def evaluated(node: Any, data: dict[str, Any]) -> bool:
    """What an expression says, slowly."""
    if isinstance(node, Join):
        results = [evaluated(part, data) for part in node.parts]
        return all(results) if node.word == "AND" else any(results)
    if isinstance(node, Compare):
        return meaning(node.operator, value_of(node.left, data), value_of(node.right, data))
    value = value_of(node, data)
    return kind(value) == "boolean" and bool(value[1])


# --- random trees and data: few names and values, so that they meet ------------------------------------------------

NAMES = st.sampled_from(["a", "b", "in", "order"])
WORDS = st.sampled_from(["", "a", "ab", "1", "true", "it's", "\\"])
FLOATS = st.sampled_from([0.0, 1.0, 1.5, -2.0])
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-2, 2), FLOATS, WORDS)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
ATTRIBUTES = st.dictionaries(NAMES, JSON, max_size=4)
REFS = st.builds(
    lambda side, name, rest: Ref(side, (name, *rest)),
    st.sampled_from(["task", "worker"]),
    NAMES,
    st.lists(NAMES | st.integers(0, 2), max_size=2),
)
CONSTS = SCALARS.map(Const)
OPERANDS = st.recursive(
    REFS | CONSTS,
    lambda inner: st.lists(inner, min_size=1, max_size=3).map(lambda items: Items(tuple(items))),
    max_leaves=4,
)
OPERATORS = st.sampled_from(["==", "!=", ">", ">=", "<", "<=", "CONTAINS", "HAS", "IN", "NOT IN"])
TREES = st.recursive(
    st.builds(Compare, OPERATORS, OPERANDS, OPERANDS) | OPERANDS,
    lambda inner: st.builds(
        lambda word, parts: Join(word, tuple(parts)),
        st.sampled_from(["AND", "OR"]),
        st.lists(inner, min_size=2, max_size=4),
    ),
    max_leaves=6,
)


@settings(max_examples=400, deadline=None)
@given(TREES, ATTRIBUTES, ATTRIBUTES)
@example(Compare("==", Ref("task", ("a",)), Ref("worker", ("a",))), {}, {})
@example(Compare("!=", Ref("task", ("a",)), Const(None)), {"a": []}, {})
def test_the_closures_mean_what_the_sheet_says(
    tree: Any, task: dict[str, Any], worker: dict[str, Any]
) -> None:
    """Compiled and slowly evaluated, every expression says the same."""
    data = {"task": task, "worker": worker}
    assert compile_expression(written(tree), "target")(worker, task, {}) is evaluated(tree, data), written(
        tree
    )


@settings(max_examples=150, deadline=None)
@given(TREES, ATTRIBUTES, ATTRIBUTES, ATTRIBUTES)
@example(Compare("CONTAINS", Ref("task", ("a",)), Const("1")), {"a": 1}, {"a": 1.0}, {})
def test_tasks_of_equal_values_are_treated_alike(
    tree: Any, task: dict[str, Any], other: dict[str, Any], worker: dict[str, Any]
) -> None:
    """The promise of ``task_values``, on which the engine groups waiting tasks."""
    expression = compile_expression(written(tree), "target")
    values, others = expression.task_values(task), expression.task_values(other)
    assert hash(values) == hash(expression.task_values(dict(task)))
    if values == others:
        assert expression(worker, task, {}) is expression(worker, other, {})
    read = {ref: task.get(ref) for ref in expression.task_refs if ref in task}
    if read.keys() == set(expression.task_refs):  # only plain names: nothing else of the task matters
        assert expression(worker, read, {}) is expression(worker, task, {})


@settings(max_examples=150, deadline=None)
@given(st.lists(TREES, min_size=1, max_size=3), ATTRIBUTES, ATTRIBUTES)
def test_what_must_hold_does(trees: list[Any], task: dict[str, Any], worker: dict[str, Any]) -> None:
    """Whenever an expression holds, each of its links and constants does."""
    for scope in ("target", "task"):
        text = " AND ".join(f"({written(tree)})" for tree in trees)
        expression = compile_expression(text, scope)  # type: ignore[arg-type]
        whole: dict[str, Any] = {"task": task, "worker": worker} if scope == "task" else task
        if not expression(worker, whole, {}):
            continue
        for link in expression.links:
            link_alone = f"task.{link.task} {link.how} worker.{link.worker}"
            assert compile_expression(link_alone, "target")(worker, task, {})
        for path, constant in expression.constants:
            assert compile_expression(f"{path} == {written(Const(constant))}", "task")({}, whole, {})


WILD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)
EVERYTHING = [
    compile_expression(f"{left} {operator} {right}", "target")
    for operator in ("==", "!=", ">", ">=", "<", "<=", "CONTAINS", "HAS", "IN", "NOT IN")
    for left, right in (
        ("task.a", "worker.a"), ("task.a.b", "worker.a[0]"), ("task.a", "'x'"), ("task.a", "1"), ("task.a", "1.5"),
        ("task.a", "true"), ("task.a", "null"), ("1", "worker.a"), ("null", "worker.a"), ("task.a[0]", "[1, worker.a]"),
    )
]  # fmt: skip
ORDER = compile_order_by("worker.a DESC, worker.a[0], worker.a.b ASC")


@settings(max_examples=150, deadline=None)
@given(WILD, WILD)
def test_random_data_never_raises(one: Any, other: Any) -> None:
    """Every operator answers true or false for every pair of values."""
    for expression in EVERYTHING:
        assert expression({"a": one}, {"a": other}, {}) in (True, False)
        assert hash(expression.task_values({"a": other})) == hash(expression.task_values({"a": other}))
    sorted([ORDER.key({"a": one}), ORDER.key({"a": other}), ORDER.key({})])
