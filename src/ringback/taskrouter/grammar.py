"""The syntax of routing expressions, order clauses and attribute references (taskrouter.md §6, §7): text → tree.

The grammar is lark's LALR(1) with a contextual lexer: after a dot every word is a name, so that attributes may be
called ``in`` or ``order``. The parser keeps its own stack, hence no depth of nesting can exhaust Python's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput, UnexpectedToken, v_args
from lark.lark import PostLex

LONGEST = 10_000
"""Characters that an expression may have."""

DEEPEST = 100
"""Brackets that may be open at once."""

_FARTHEST = 9
"""Digits of an array index: with more it is beyond every array, and is read as the largest index."""


class ExpressionError(ValueError):
    """Text that is no expression. The message says what is wrong, what was expected, and where.

    ``line`` and ``column`` count from 1, ``text`` is the whole expression.
    """

    def __init__(self, reason: str, text: str, offset: int) -> None:
        self.text = text
        self.line = text.count("\n", 0, offset) + 1
        self.column = offset - text.rfind("\n", 0, offset)
        place = f"column {self.column}" if "\n" not in text else f"line {self.line}, column {self.column}"
        super().__init__(f"{reason} at {place}")


@dataclass(frozen=True, slots=True)
class Reference:
    """The path to an attribute: names and array indices, the first a name. ``offset`` is its place in the text."""

    steps: tuple[str | int, ...]
    offset: int

    def __str__(self) -> str:
        return spelled(self.steps)


@dataclass(frozen=True, slots=True)
class Constant:
    """A string, number, boolean or (as ``None``) null."""

    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Array:
    """An array written in the expression; its items may be references."""

    items: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """``left operator right``; the operator is spelled as in the sheet (``==``, ``NOT IN`` …)."""

    left: Operand
    operator: str
    right: Operand


@dataclass(frozen=True, slots=True)
class Junction:
    """Two or more parts joined by one ``word``: AND or OR."""

    word: str
    parts: tuple[Node, ...]


Operand = Reference | Constant | Array
Node = Operand | Comparison | Junction
Clause = tuple[Reference, bool]
"""An order clause: the attribute, and whether it is descending."""

_GRAMMAR = r"""
?disjunction: conjunction (_OR conjunction)*
?conjunction: primary (_AND primary)*
?primary: _LPAR disjunction _RPAR | comparison
?comparison: operand (operator operand)?
operator: SYMBOL | CONTAINS | HAS | IN | NOT IN
?operand: STRING -> string | NUMBER -> number | TRUE -> true | FALSE -> false | NULL -> null | array | reference
array: _LSQB operand (_COMMA operand)* _RSQB
reference: NAME (_DOT STEP | _LSQB INDEX _RSQB)*

ordering: clause (_COMMA clause)*
clause: reference (ASC | DESC)?

SYMBOL: /==?|!=|>=?|<=?/
STRING: /'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*"/s
NUMBER: /-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/
INDEX: /[0-9]+/
NAME: /(?!(?ai:and|or|in|not|has|contains|true|false|null)(?![A-Za-z0-9_]))[A-Za-z_][A-Za-z0-9_]*/
STEP: /[A-Za-z_][A-Za-z0-9_]*/
_AND: /(?ai:and)(?![A-Za-z0-9_])/
_OR: /(?ai:or)(?![A-Za-z0-9_])/
IN: /(?ai:in)(?![A-Za-z0-9_])/
NOT: /(?ai:not)(?![A-Za-z0-9_])/
HAS: /(?ai:has)(?![A-Za-z0-9_])/
CONTAINS: /(?ai:contains)(?![A-Za-z0-9_])/
TRUE: /(?ai:true)(?![A-Za-z0-9_])/
FALSE: /(?ai:false)(?![A-Za-z0-9_])/
NULL: /(?ai:null)(?![A-Za-z0-9_])/
ASC: /(?ai:asc)(?![A-Za-z0-9_])/
DESC: /(?ai:desc)(?![A-Za-z0-9_])/
_LPAR: "("
_RPAR: ")"
_LSQB: "["
_RSQB: "]"
_COMMA: ","
_DOT: "."
%ignore /\s+/
"""

_OPERAND = frozenset({"STRING", "NUMBER", "TRUE", "FALSE", "NULL", "NAME"})
_OPERATOR = frozenset({"SYMBOL", "CONTAINS", "HAS"})
# What an error message calls the terminals that would have been right; the first row that applies to one counts.
_CALLED: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"STRING"}), "a value or an attribute"),
    (_OPERATOR, "an operator (== != > >= < <= CONTAINS HAS IN NOT IN)"),
    (frozenset({"_AND", "_OR"}), "AND or OR"),
    (frozenset({"STEP"}), "a name"),
    (frozenset({"INDEX"}), "an index"),
    (frozenset({"ASC", "DESC"}), "ASC or DESC"),
    (frozenset({"_COMMA"}), "','"),
    (frozenset({"_RSQB"}), "']'"),
    (frozenset({"_RPAR"}), "')'"),
    (frozenset({"$END"}), "the end"),
)


class _Refusal(Exception):
    """What the grammar allows and we do not; becomes an ExpressionError where the text is known."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset


class _Nesting(PostLex):
    """Counts open brackets in the stream of tokens, so that the refusal stands at the bracket too many."""

    always_accept = ()

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        depth = 0
        for token in stream:
            if token.type in ("_LPAR", "_LSQB"):
                depth += 1
                if depth > DEEPEST:
                    raise _Refusal(f"nested deeper than {DEEPEST} levels", token.start_pos or 0)
            elif token.type in ("_RPAR", "_RSQB"):
                depth -= 1
            yield token


@v_args(inline=True)
class _Build(Transformer[Token, Any]):
    """Makes the nodes while the parser reduces: no second walk, no recursion."""

    def disjunction(self, *parts: Node) -> Node:
        return Junction("OR", parts)

    def conjunction(self, *parts: Node) -> Node:
        return Junction("AND", parts)

    def comparison(self, left: Operand, operator: str, right: Operand) -> Comparison:
        return Comparison(left, operator, right)

    def operator(self, *words: Token) -> str:
        spelling = " ".join(words).upper()
        return "==" if spelling == "=" else spelling

    def string(self, token: Token) -> Constant:
        return Constant(re.sub(r"""\\(["'\\])""", r"\1", token[1:-1]))

    def number(self, token: Token) -> Constant:
        value = float(token)
        if not math.isfinite(value):
            raise _Refusal("the number is too large", token.start_pos or 0)
        sign, digits = ("-", token[1:]) if token.startswith("-") else ("", str(token))
        # Python refuses to read thousands of digits, of which leading zeros could be most.
        return Constant(int(sign + (digits.lstrip("0") or "0")) if digits.isdigit() else value)

    def true(self, _: Token) -> Constant:
        return Constant(True)

    def false(self, _: Token) -> Constant:
        return Constant(False)

    def null(self, _: Token) -> Constant:
        return Constant(None)

    def array(self, *items: Operand) -> Array:
        return Array(items)

    def reference(self, name: Token, *steps: Token) -> Reference:
        rest = (_index(step) if step.type == "INDEX" else str(step) for step in steps)
        return Reference((str(name), *rest), name.start_pos or 0)

    def clause(self, reference: Reference, direction: Token | None = None) -> Clause:
        return reference, direction is not None and direction.type == "DESC"

    def ordering(self, *clauses: Clause) -> tuple[Clause, ...]:
        return clauses


def _index(token: Token) -> int:
    digits = token.lstrip("0") or "0"
    return int(digits) if len(digits) <= _FARTHEST else 10**_FARTHEST


@cache
def _parser() -> Lark:
    return Lark(
        _GRAMMAR,
        parser="lalr",
        lexer="contextual",
        start=["disjunction", "ordering", "reference"],
        transformer=_Build(),
        postlex=_Nesting(),
        maybe_placeholders=False,
    )


def _explained(error: UnexpectedInput, text: str, offset: int) -> str:
    """What is wrong at ``offset``, and what would have been right there."""
    found = text[offset : offset + 1]
    if found in ("-", "#"):
        return f"'{found}' cannot be part of a name, and there is no arithmetic: hyphens are not supported"
    if isinstance(error, UnexpectedCharacters) and found in ("'", '"'):
        return "the string has no closing quote"
    if found == ")" and text.count(")", 0, offset + 1) > text.count("(", 0, offset):
        return "')' without its '('"
    interactive = getattr(error, "interactive_parser", None)
    right = set(interactive.accepts()) if interactive is not None else set()
    expected = [name for terminals, name in _CALLED if right & terminals]
    if not expected and "IN" in right:
        expected = ["IN"]
    if right & {"NAME"} and not right & (_OPERAND - {"NAME"}):
        expected = ["an attribute"]
    word = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|==?|!=|>=?|<=?|\S").match(text, offset)
    shown = f"unexpected '{clipped(word.group())}'" if word else "unexpected end"
    return f"{shown}, expected {' or '.join(expected)}" if expected else shown


def _parse(text: str, start: str) -> Any:
    if len(text) > LONGEST:
        raise ExpressionError(f"longer than {LONGEST} characters", text, LONGEST)
    try:
        return _parser().parse(text, start=start)
    except _Refusal as refusal:
        raise ExpressionError(refusal.reason, text, refusal.offset) from None
    except UnexpectedInput as error:
        if isinstance(error, UnexpectedToken):
            offset = len(text) if error.token.type == "$END" else error.token.start_pos or 0
        else:
            offset = error.pos_in_stream or 0
        raise ExpressionError(_explained(error, text, offset), text, offset) from None


def parse_expression(text: str) -> Node:
    """The tree of an expression; raises ExpressionError."""
    return cast(Node, _parse(text, "disjunction"))


def parse_ordering(text: str) -> tuple[Clause, ...]:
    """The clauses of ``worker.level DESC, worker.x``; raises ExpressionError."""
    return cast(tuple[Clause, ...], _parse(text, "ordering"))


def parse_reference(text: str) -> Reference:
    """One reference, such as ``a.b[0]``; raises ExpressionError."""
    return cast(Reference, _parse(text, "reference"))


def spelled(steps: tuple[str | int, ...]) -> str:
    """``("a", "b", 0)`` → ``a.b[0]``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return text.removeprefix(".")


def clipped(text: str) -> str:
    """Text as error messages show it: up to 64 characters."""
    return text if len(text) <= 64 else f"{text[:63]}…"
