"""Lists of records that live in memory: the same filters and page tokens as the store's (rest-conventions.md §5)."""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Sequence
from typing import Any

from ringback.store import Condition, Page, Query


@functools.lru_cache(256)
def _like(like: str) -> re.Pattern[str]:
    parts = {"%": ".*", "_": "."}
    return re.compile("".join(parts.get(each) or re.escape(each) for each in like) + r"\Z", re.DOTALL)


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "in": lambda value, many: value in many,
    "not in": lambda value, many: value not in many,
    ">=": lambda value, bound: value is not None and value >= bound,
    ">": lambda value, bound: value is not None and value > bound,
    "<": lambda value, bound: value is not None and value < bound,
    "<=": lambda value, bound: value is not None and value <= bound,
    "like": lambda value, like: value is not None and _like(like).match(value) is not None,
}


def matches(record: Any, conditions: Sequence[Condition]) -> bool:
    """Whether a record meets all conditions."""
    return all(_COMPARE[each.operator](getattr(record, each.name), each.value) for each in conditions)


def page_of(records: Sequence[Any], query: Query) -> Page:
    """One page of records that are in the order of the list.

    A page token names a record; when that record has gone meanwhile the list ends there.
    """
    found = [record for record in records if matches(record, query.conditions)]
    if query.after or query.before:
        places = {record.sid: index for index, record in enumerate(found)}
        at = places.get(query.after or query.before)
        if at is None:
            return Page([], more_after=False, more_before=False)
        start = at + 1 if query.after else max(0, at - query.limit)
        end = start + query.limit if query.after else at
    else:
        start, end = 0, query.limit
    return Page(found[start:end], more_after=end < len(found), more_before=start > 0)
