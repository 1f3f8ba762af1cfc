"""What the operators of routing expressions say about two JSON values (taskrouter.md §6, second table).

Values are what a JSON reader makes: None, bool, int, float, str, list (or tuple), dict. Nothing here raises for any
of them, and nothing recurses. Where the sheet leaves a choice:

* Numbers are int and float; a bool is never a number.
* ``!=`` is the contrary of ``==``, except that both are false when a side is an array. The constant null may be
  compared with everything: ``x != null`` is the presence test for arrays too.
* Objects, and arrays within arrays, equal nothing.
* The text of a number for CONTAINS is that of its value: ``1`` and ``1.0`` are both "1".
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable
from enum import Enum, auto
from typing import Any

Operator = Callable[[Any, Any], bool]

_NUMBERS = frozenset({int, float})
_ARRAYS = (list, tuple)
_FREEZE_DEPTH = 16


class _Mark(Enum):
    """What stands for a value that Python would otherwise take for another one (True for 1, NaN for itself)."""

    NULL = auto()
    TRUE = auto()
    FALSE = auto()
    NAN = auto()
    OBJECT = auto()
    DEEP = auto()


NULL = _Mark.NULL
"""The constant ``null``. It equals a null that was read (None), while two nulls that were read are never equal."""


def equal(left: Any, right: Any) -> bool:
    """``==``: scalars of one type and equal; 1 equals 1.0."""
    if left is None:
        return right is NULL
    if right is None:
        return left is NULL
    kind, other = type(left), type(right)
    if kind is str:
        return other is str and bool(left == right)
    if kind in _NUMBERS:
        return other in _NUMBERS and bool(left == right)
    return left is right and (kind is bool or kind is _Mark)


def unequal(left: Any, right: Any) -> bool:
    """``!=``: the contrary of ``==``, but false for arrays, unless compared with the constant null."""
    if left is not NULL and right is not NULL and (isinstance(left, _ARRAYS) or isinstance(right, _ARRAYS)):
        return False
    return not equal(left, right)


def _ordered(compare: Operator) -> Operator:
    def ordered(left: Any, right: Any) -> bool:
        kind, other = type(left), type(right)
        if kind is str:
            return other is str and compare(left, right)
        return kind in _NUMBERS and other in _NUMBERS and compare(left, right)

    return ordered


def text_of(value: Any) -> str | None:
    """A scalar as text; None for null, arrays, objects and numbers of thousands of digits."""
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is float and value.is_integer():
        value = int(value)
    try:
        return str(value) if type(value) in _NUMBERS else None
    except ValueError:  # Python writes no integer beyond sys.get_int_max_str_digits()
        return None


def contains(left: Any, right: Any) -> bool:
    """CONTAINS: the text of the right scalar is within that of the left one."""
    whole, part = text_of(left), text_of(right)
    return whole is not None and part is not None and part in whole


def has(left: Any, right: Any) -> bool:
    """HAS: the left array has an item that equals the right value."""
    if not isinstance(left, _ARRAYS):
        return False
    if type(right) is str:
        return right in left
    return any(equal(item, right) for item in left)


def within(left: Any, right: Any) -> bool:
    """IN: the right array has an item that equals the left value."""
    return has(right, left)


def not_within(left: Any, right: Any) -> bool:
    """NOT IN: the right array has no such item; a missing array counts as empty, a scalar or object does not."""
    if right is None or right is NULL:
        return True
    return isinstance(right, _ARRAYS) and not has(right, left)


OPERATORS: dict[str, Operator] = {
    "==": equal,
    "!=": unequal,
    ">": _ordered(operator.gt),
    ">=": _ordered(operator.ge),
    "<": _ordered(operator.lt),
    "<=": _ordered(operator.le),
    "CONTAINS": contains,
    "HAS": has,
    "IN": within,
    "NOT IN": not_within,
}
"""Every operator by its spelling in the tree."""


def frozen(value: Any, depth: int = 0) -> Hashable:
    """A hashable form of a JSON value: equal for values that no operator tells apart from each other.

    Arrays become tuples, objects tuples of their sorted items behind a mark; True and 1 differ, 1 and 1.0 do not.
    Below 16 levels all is one, because operators look no deeper than the items of an array.
    """
    kind = type(value)
    if kind is str or kind is int or value is None:
        return value  # type: ignore[no-any-return]
    if kind is bool:
        return _Mark.TRUE if value else _Mark.FALSE
    if kind is float:
        return value if value == value else _Mark.NAN
    if depth == _FREEZE_DEPTH:
        return _Mark.DEEP
    if isinstance(value, _ARRAYS):
        return tuple(frozen(item, depth + 1) for item in value)
    if isinstance(value, dict):
        items = sorted(((str(key), item) for key, item in value.items()), key=operator.itemgetter(0))
        return (_Mark.OBJECT, *((key, frozen(item, depth + 1)) for key, item in items))
    return _Mark.OBJECT
