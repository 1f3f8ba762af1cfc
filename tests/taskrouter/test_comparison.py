"""Every operator of taskrouter.md §6 as a table, and the forms that expressions are grouped by."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from ringback.taskrouter.comparison import frozen
from ringback.taskrouter.expression import compile_expression

WORKER: dict[str, Any] = {
    "one": 1, "onef": 1.0, "two": 2, "neg": -3, "half": 0.5, "big": 10**22, "text": "abc", "upper": "ABC",
    "empty": "", "digit": "1", "yes": True, "no": False, "nil": None, "list": ["a", "b", 1, True, None, 2.0],
    "strings": ["x", "y"], "none": [], "nulls": [None], "object": {"a": {"b": [10, {"c": "deep"}]}, "in": 5},
    "nested": [["x"], {"k": 1}], "huge": 10**5000, "word": "true",
}  # fmt: skip


def holds(text: str) -> bool:
    """What an expression says of WORKER."""
    return compile_expression(text, "worker")(WORKER, {}, {})


TRUE: dict[str, list[str]] = {
    "==": [
        "1 == 1", "one == 1", "1 == one", "one == onef", "onef == 1", "one == 1.0", "big == 1e22", "text == 'abc'",
        "'abc' == text", 'text == "abc"', "yes == true", "true == yes", "no == false", "no == FALSE", "empty == ''",
        "one = 1", "text='abc'", "neg == -3", "half == 0.5", "text == text", "one == one", "yes == yes",
        "two == 2e0", "null == null",
    ],
    "!=": [
        "one != 2", "text != 'ABC'", "text != upper", "one != '1'", "digit != 1", "yes != 1", "yes != 'true'",
        "no != 0", "missing != 1", "nil != ''", "1 != null", "object != 'x'", "yes != no", "object != 1",
        "'a' != missing", "missing != other", "nil != nil",
    ],
    "order": [
        "two > 1", "two > one", "two >= 2", "2 >= two", "one < 2", "one <= onef", "neg < 0", "half < one", "1 > half",
        "text > 'abb'", "text >= 'abc'", "upper < text", "'abd' > text", "empty < text", "digit < '10'", "'9' > '10'",
        "big > 1", "big >= 1.5", "text <= text",
    ],
    "CONTAINS": [
        "text CONTAINS 'b'", "text contains 'abc'", "text CONTAINS ''", "word CONTAINS true", "yes CONTAINS 'ru'",
        "one CONTAINS 1", "digit CONTAINS one", "onef CONTAINS '1'", "neg CONTAINS '-'", "half CONTAINS '.5'",
        "'xabcx' CONTAINS text", "big CONTAINS '000'", "no CONTAINS 'false'", "empty CONTAINS empty",
    ],
    "HAS": [
        "list HAS 'a'", "list has 1", "list HAS 1.0", "list HAS true", "list HAS 2", "list HAS null", "strings HAS 'y'",
        "['a', 'b'] HAS 'b'", "[one, two] HAS 2", "[1] HAS one", "nulls HAS null", "[text] HAS 'abc'", "[yes] HAS true",
        "[null] HAS missing", "object.a.b HAS 10",
    ],
    "IN": [
        "'a' IN list", "1 in list", "one IN [1, 2]", "onef IN [1]", "text IN ['x', 'abc']", "yes IN [true]",
        "text IN[upper, text]", "missing IN [null]", "null IN [null]", "null IN nulls",
        "'x' In strings", "nil IN [null]",
    ],
    "NOT IN": [
        "'q' NOT IN list", "text not in ['x']", "one NOT IN ['1']", "yes NOT IN [1]", "one Not In [true]",
        "'a' NOT IN missing", "missing NOT IN missing", "missing NOT IN strings", "'a' NOT IN nil", "1 NOT IN none",
        "missing NOT IN [1]", "missing NOT IN nulls", "missing NOT IN [other]", "text NOT   IN strings",
    ],
    "null": [
        "missing == null", "null == missing", "nil == null", "text != null", "one != null", "no != null",
        "empty != null", "list != null", "none != null", "object != null", "null != text", "missing.deeper == null",
        "text.deeper == null", "text[0] == null", "list[6] == null", "list[99999999999999999999] == null",
        "object[0] == null", "list.a == null", "list[4] == null", "one.two.three == null",
    ],
    "paths": [
        "object.a.b[0] == 10", "object.a.b[1].c == 'deep'", "list[0] == 'a'", "nested[0][0] == 'x'", "list[05] == 2",
        "nested[1].k == 1", "object . a . b [ 0 ] == 10", "object.in == 5", "list[3]", "nested[0] HAS 'x'",
    ],
    "bare": ["yes", "true", "(yes)", "TRUE", "yes OR text", "((true))"],
    "junctions": [
        "one == 1 AND two == 2", "one == 1 and yes", "no OR yes", "no or no Or yes", "yes OR no AND no",
        "no AND no OR yes", "yes OR yes AND no", "(yes OR yes) AND yes", "yes AND (no OR yes)", "yes AND yes AND yes",
        "no OR no OR no OR yes", "one==1 OR missing HAS 'x' AND 1==0",
    ],
}  # fmt: skip

FALSE: dict[str, list[str]] = {
    "==": [
        "1 == 0", "1==2", "one == 2", "one == '1'", "digit == 1", "yes == 1", "1 == yes", "no == 0", "onef == true",
        "word == true", "yes == 'true'", "text == 'ABC'", "text == upper", "empty == null", "no == null", "one == yes",
        "list == list", "list == 'a'", "none == none", "[1] == [1]", "1 == [1]", "list == 1", "object == object",
        "object == 'x'", "object.a == object.a",
    ],
    "!=": [
        "one != 1", "one != 1.0", "text != 'abc'", "yes != true", "1 != 1", "list != 'a'", "'a' != list", "list != 1",
        "list != none", "list != list", "none != ''", "[1] != 1",
        "list != missing", "missing != list", "list != object",
    ],
    "order": [
        "one > 1", "one > 'a'", "text > 1", "digit > 0", "1 < digit", "yes > 0", "yes >= true", "no < 1", "1 >= no",
        "missing > 0", "missing < 1", "missing <= missing", "nil >= null", "null >= null", "list > 0", "list < 'z'",
        "object > 0", "[2] > [1]", "text < 'abc'", "text < upper", "two < 1", "true > false",
    ],
    "CONTAINS": [
        "text CONTAINS 'B'", "text CONTAINS 'abcd'", "missing CONTAINS ''", "text CONTAINS missing", "nil CONTAINS nil",
        "text CONTAINS null", "null CONTAINS 'n'", "list CONTAINS 'a'", "strings CONTAINS 'x'", "text CONTAINS list",
        "object CONTAINS 'a'", "text CONTAINS ['a']", "onef CONTAINS '.'", "huge CONTAINS '0'", "yes CONTAINS 'T'",
    ],
    "HAS": [
        "list HAS 'A'", "list HAS 'q'", "strings HAS null", "strings HAS missing", "list HAS missing", "nulls HAS nil",
        "text HAS 'abc'", "text HAS 'a'", "one HAS 1", "missing HAS 'x'", "nil HAS null", "object HAS 'a'",
        "list HAS false", "list HAS '1'", "[1] HAS true", "[true] HAS 1", "nested HAS ['x']", "nested HAS object",
        "list HAS list", "none HAS null", "[missing] HAS nil",
    ],
    "IN": [
        "'q' IN list", "1 IN ['1']", "yes IN [1]", "one IN [true]", "text IN 'abc'", "text IN text", "one IN one",
        "one IN missing", "missing IN missing", "missing IN nulls", "missing IN [other]",
        "'a' IN object", "list IN list",
        "[1] IN [[1]]", "missing IN strings", "null IN null",
    ],
    "NOT IN": [
        "'a' NOT IN list", "one NOT IN [1]", "onef NOT IN [1]", "text NOT IN 'x'", "text NOT IN one", "'a' NOT IN yes",
        "'q' NOT IN object", "missing NOT IN [null]", "null NOT IN nulls", "1 NOT IN 2", "'a' NOT IN empty",
    ],
    "null": [
        "missing != null", "nil != null", "missing == other", "missing == nil", "nil == nil", "missing == missing",
        "null != null", "text == null", "list == null", "object == null", "none == null", "missing == 0",
        "missing == false", "missing == ''", "list[4] == missing",
    ],
    "bare": ["no", "one", "text", "missing", "1", "'true'", "word", "list", "object", "[true]", "null", "false", "''"],
    "junctions": [
        "no AND yes", "yes AND no OR no", "(yes OR yes) AND no", "no AND (no OR yes)", "yes AND yes AND no",
        "no OR no OR no", "one AND two", "'a' OR 'b'", "(no OR yes) AND (yes AND no)",
    ],
}  # fmt: skip


@pytest.mark.parametrize("text", [pytest.param(one, id=one) for rows in TRUE.values() for one in rows])
def test_holds(text: str) -> None:
    """Every row is true, whichever side of the comparison the constant stands on."""
    assert holds(text) is True


@pytest.mark.parametrize("text", [pytest.param(one, id=one) for rows in FALSE.values() for one in rows])
def test_does_not_hold(text: str) -> None:
    """Every row is false."""
    assert holds(text) is False


def test_the_tables_cover_every_operator() -> None:
    """Dozens of rows for each, as the sheet's table has ten operators."""
    for operator in ("==", "!=", "CONTAINS", "HAS", "IN", "NOT IN"):
        assert len(TRUE[operator]) + len(FALSE[operator]) >= 24, operator


# Values that must differ in their frozen form (each row), and values that must not.
DIFFERENT: list[tuple[Any, Any]] = [
    (True, 1), (False, 0), (1, "1"), (None, "null"), (None, 0), ("", None), ([], {}), ([True], [1]), (["a"], ["b"]),
    ([["a", 1]], {"a": 1}), ({"a": 1}, {"a": True}), ([None], []), (1.5, 1), ("a", ["a"]), ({}, None), ([[]], [{}]),
]  # fmt: skip
ALIKE: list[tuple[Any, Any]] = [
    (1, 1.0), (0, -0.0), ([1], [1.0]), ((1, 2), [1, 2]), ({"a": 1, "b": 2}, {"b": 2, "a": 1.0}),
    (float("nan"), float("nan")), (2**53, float(2**53)),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_frozen_keeps_apart(one: Any, other: Any) -> None:
    """What an operator may tell apart has different forms."""
    assert frozen(one) != frozen(other)


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_frozen_alike(one: Any, other: Any) -> None:
    """What no operator tells apart has one form and one hash."""
    assert frozen(one) == frozen(other)
    assert hash(frozen(one)) == hash(frozen(other))


def test_frozen_of_hostile_depth() -> None:
    """Arrays as deep as a JSON reader lets through do not exhaust the stack."""
    deep: Any = []
    for _ in range(5 * sys.getrecursionlimit()):
        deep = [deep]
    assert hash(frozen({"a": deep})) == hash(frozen({"a": deep}))
    assert compile_expression("a == a OR a HAS 'x' OR a HAS a", "worker")({"a": deep}, {}, {}) is False
