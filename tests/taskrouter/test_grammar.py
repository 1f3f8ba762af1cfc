"""What is an expression and what is not: spelling, positions and messages of errors, limits."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringback.taskrouter.expression import Scope, compile_expression, compile_order_by
from ringback.taskrouter.grammar import (
    DEEPEST,
    LONGEST,
    Comparison,
    Constant,
    ExpressionError,
    Junction,
    Reference,
    parse_expression,
    parse_reference,
)

REFUSED: list[tuple[str, int, str]] = [
    # text, column, part of the message
    ("skill-level > 3", 6, "'-' cannot be part of a name"),
    ("a.b-c == 1", 4, "hyphens are not supported"),
    ("a#b == 1", 2, "'#' cannot be part of a name"),
    ("-x > 1", 1, "hyphens"),
    ("level-1 > 2", 6, "no arithmetic"),
    ("a[-1] == 2", 3, "hyphens"),
    ("", 1, "empty"),
    (" \n ", 1, "empty"),
    ("a == ", 6, "unexpected end, expected a value or an attribute"),
    ("a ==", 5, "unexpected end"),
    ("(a == 1", 8, "expected ')'"),
    ("a == 1)", 7, "')' without its '('"),
    ("(", 2, "unexpected end"),
    ("()", 2, "unexpected ')'"),
    ("a b", 3, "unexpected 'b', expected an operator"),
    ("a == 'x", 6, "no closing quote"),
    ("a == \"x'", 6, "no closing quote"),
    ("a == 'x\\'", 6, "no closing quote"),
    ("NOT a", 1, "unexpected 'NOT'"),
    ("a NOT b", 7, "expected IN"),
    ("a NOTIN b", 3, "unexpected 'NOTIN'"),
    ("a AND", 6, "unexpected end"),
    ("AND a", 1, "unexpected 'AND'"),
    ("a OR OR b", 6, "unexpected 'OR'"),
    ("a IN []", 7, "unexpected ']'"),
    ("a IN [1,", 9, "unexpected end"),
    ("a IN [1,]", 9, "unexpected ']'"),
    ("a IN [1 2]", 9, "expected ',' or ']'"),
    ("a IN (1, 2)", 6, "unexpected '('"),
    ("a.", 3, "expected a name"),
    ("a..b", 3, "expected a name"),
    (".a", 1, "unexpected '.'"),
    ("a.1", 3, "expected a name"),
    ("a[x]", 3, "expected an index"),
    ("a['x']", 3, ""),
    ("a[1", 4, "expected ']'"),
    ("a[1.5]", 4, "expected ']'"),
    ("a == b == c", 8, "unexpected '=='"),
    ("(a == 1) == true", 10, "unexpected '=='"),
    ("a === 1", 5, "unexpected '='"),
    ("a <> 1", 4, "unexpected '>'"),
    ("a ! 1", 3, "unexpected '!'"),
    ("!a", 1, "unexpected '!'"),
    ("a && b", 3, "unexpected '&'"),
    ("a & b", 3, "unexpected '&'"),
    ("a + 1 > 2", 3, "unexpected '+'"),
    ("1e999 == a", 1, "too large"),
    ("a < -1e999", 5, "too large"),
    ("a == " + "9" * 400, 6, "too large"),
    ("a == 5abc", 7, "unexpected 'abc'"),
    ("a == 1.", 7, "unexpected '.'"),
    ("a == .5", 6, "unexpected '.'"),
    ("true.x == 1", 5, "unexpected '.'"),
    ("in == 1", 1, "unexpected 'in'"),
    ("é == 1", 1, "unexpected 'é'"),
    ("naïve == 1", 3, "unexpected 'ï'"),
    ("haſ HAS 1", 3, "unexpected"),
    ("a \x00 b", 3, "unexpected"),
    ("{} == 1", 1, "unexpected '{'"),
    ("a; b", 2, "unexpected ';'"),
]


@pytest.mark.parametrize(("text", "column", "message"), REFUSED)
def test_refused_with_its_position(text: str, column: int, message: str) -> None:
    """The position counts from 1, and stands in the message too."""
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text, "task")
    error = caught.value
    assert message in str(error)
    assert (error.line, error.column, error.text) == (1, column, text)
    assert str(error).endswith(f"column {column}")


def test_position_over_lines() -> None:
    """With several lines the message names the line."""
    with pytest.raises(ExpressionError, match=r"at line 3, column 4$") as caught:
        compile_expression("a == 1\nAND\n b -c", "task")
    assert (caught.value.line, caught.value.column) == (3, 4)


# Each pair is the same tree, but for the places.
SAME: list[tuple[str, str]] = [
    ("a == 1", "a==1"), ("a = 1", "a == 1"), ("a == 1", "\n\ta\r\n==\u00a01 "), ("a in b", "a IN b"),
    ("a not in b", "a NOT\n IN b"), ("a Has 'x'", 'a HAS "x"'), ("a contains 'x'", "a CONTAINS 'x'"),
    ("a and b or c", "(a AND b) OR c"), ("a or b and c", "a OR (b AND c)"), ("((a))", "a"), ("(a==1)", "a==1"),
    ("(a) AND (b)", "a AND b"), ("a==TRUE", "a==true"), ("a==Null", "a==null"), ("a == 01", "a == 1"),
    ("a == -0", "a == 0"), ("'it\\'s' == a", '"it\'s" == a'), ('"a\\"b" == a', "'a\"b' == a"),
    ("a IN[1,2]", "a IN [ 1 , 2 ]"), ("a [ 0 ] . b", "a[0].b"), ("a HAS'x'AND b", "a HAS 'x' AND b"),
    ("a == " + "0" * 6000 + "7", "a == 7"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_one_tree(one: str, other: str) -> None:
    """Space, case of keywords, quotes and needless parentheses do not matter."""

    def bare(tree: object) -> str:
        return re.sub(r"offset=\d+", "", repr(tree))

    assert bare(parse_expression(one)) == bare(parse_expression(other))


def test_words_that_begin_with_keywords_are_names() -> None:
    """``order``, ``INfo``, ``android`` are attributes; behind a dot even the keywords are."""
    names = "order == 1 AND INfo == 2 AND android OR notice IN hash OR nullable OR trueish OR contains_x OR or_ OR in2"
    expression = compile_expression(names, "task")
    assert expression.task_refs == tuple(
        sorted("order INfo android notice hash nullable trueish contains_x or_ in2".split())
    )
    assert compile_expression("a.in.OR.true.null.not[0] == 1", "task").task_refs == (
        "a.in.OR.true.null.not[0]",
    )
    assert compile_expression("task.in == worker.has", "target").links == (("in", "==", "has"),)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("'plain'", "plain"), ('"it\'s"', "it's"), (r"'it\'s'", "it's"), (r'"a\"b"', 'a"b'), (r"'a\\b'", "a\\b"),
        (r"'a\\'", "a\\"), (r"'C:\dir\new'", r"C:\dir\new"), (r"'\\\''", "\\'"), ("'line\nbreak'", "line\nbreak"),
        ("'AND (x'", "AND (x"), ("'üñ💬'", "üñ💬"), ("''", ""), ("1", 1), ("1.0", 1.0), ("-2.5", -2.5), ("1e3", 1000.0),
        ("3.141529", 3.141529), ("true", True), ("False", False), ("null", None), ("1" + "0" * 300, 10**300),
    ],
)  # fmt: skip
def test_constants(written: str, value: object) -> None:
    """Strings with their escapes, numbers, booleans, null."""
    tree = parse_expression(written)
    assert tree == Constant(value)  # type: ignore[arg-type]
    assert isinstance(tree, Constant)
    assert type(tree.value) is type(value)


def test_and_binds_tighter_than_or() -> None:
    """One level of each, flat however many parts."""
    tree = parse_expression("a OR b AND c AND d OR e")
    assert isinstance(tree, Junction)
    assert (tree.word, len(tree.parts)) == ("OR", 3)
    inner = tree.parts[1]
    assert isinstance(inner, Junction)
    assert (inner.word, [str(part) for part in inner.parts]) == ("AND", ["b", "c", "d"])


def test_nesting_has_a_limit_at_its_place() -> None:
    """One hundred open brackets are read and run; the next is refused where it stands."""
    compiled = compile_expression("(" * DEEPEST + "1==1" + ")" * DEEPEST, "worker")
    assert compiled({}, {}, {})
    mixed = "".join("(no OR (yes AND " for _ in range(DEEPEST // 2)) + "yes" + "))" * (DEEPEST // 2)
    assert compile_expression(mixed, "worker")({"yes": True, "no": False}, {}, {})
    side_by_side = " AND ".join(["(a[0] IN [1, 2])"] * (2 * DEEPEST))
    assert compile_expression(side_by_side, "worker")({"a": [1]}, {}, {})
    for bracket, before in (("(", ""), ("[", "a IN ")):
        with pytest.raises(ExpressionError, match="nested deeper than 100 levels") as caught:
            compile_expression(before + bracket * 5_000, "worker")
        assert caught.value.column == len(before) + DEEPEST + 1


def test_length_has_a_limit() -> None:
    """Ten thousand characters are compiled, one more is refused, and so is a megabyte at once."""
    text = "a == 1 OR " * 999 + "a == 1"
    assert compile_expression(text.ljust(LONGEST), "worker")({"a": 1}, {}, {})
    for length in (LONGEST + 1, 1_000_000):
        with pytest.raises(ExpressionError, match="longer than 10000 characters"):
            compile_expression(text.ljust(length), "worker")


def test_messages_stay_short() -> None:
    """However long the word that is wrong."""
    for text in ("a " + "b" * 9_000, "b" * 9_000):
        with pytest.raises(ExpressionError) as caught:
            compile_expression(text, "target")
        assert len(str(caught.value)) < 250


def test_reference() -> None:
    """A reference alone, with its spelling back."""
    assert parse_reference(" task . a[ 007 ].b ").steps == ("task", "a", 7, "b")
    assert str(parse_reference("a[0][1].in")) == "a[0][1].in"
    assert parse_expression("  x == y") == Comparison(Reference(("x",), 2), "==", Reference(("y",), 7))


SCOPES: tuple[Scope, ...] = ("worker", "task", "target", "counts")


def refusal(text: str, scope: Scope) -> ExpressionError | None:
    """Compile and run; what the text was refused with, if it was."""
    try:
        compile_expression(text, scope)({}, {}, {})
    except ExpressionError as error:
        return error
    return None


TOKENS = st.sampled_from(
    [*"()[],.=<>!-#'\"\\ \n\t0179ax_é", "==", "!=", " AND ", " OR ", " IN ", " NOT ", " HAS ", " CONTAINS ", "true",
     "null", "task.", "worker.", "workers.available", "'a'", "1.5", "DESC", " asc "]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(TOKENS, max_size=25).map("".join)))
def test_random_text_never_raises_anything_else(text: str) -> None:
    """Whatever is sent, it compiles or is refused with a position within it."""
    for scope in SCOPES:
        error = refusal(text, scope)
        if error is not None:
            assert 1 <= error.line <= text.count("\n") + 1
            assert 1 <= error.column <= len(text) + 1
    with suppress(ExpressionError):
        compile_order_by(text).key({})
