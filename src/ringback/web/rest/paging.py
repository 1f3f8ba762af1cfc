"""Lists: filters, page tokens and the two envelopes (rest-conventions.md §5)."""

from __future__ import annotations

from typing import Any

import msgspec

from ringback.kernel.errors import Refused
from ringback.kernel.resource import Field
from ringback.kernel.sid import is_sid
from ringback.numbers.offer import pattern
from ringback.numbers.written import e164
from ringback.store import Condition, Page, Query
from ringback.web.form import encode_query
from ringback.web.rest.context import Params
from ringback.web.rest.params import DAY, read_date, read_value
from ringback.web.rest.render import View

DEFAULT_SIZE = 50
LARGEST_SIZE = 1000
LEAST = 7
"""Characters from which on a number with a ``+`` is read as people write one (``+44 (0)1632 960001``)."""
ORDER = "Order"
"""The parameter that chooses the direction of a list."""


def filters_of(view: View) -> dict[str, tuple[str, str]]:
    """Parameter name → attribute and operator (``Place.filters`` has the list)."""
    found: dict[str, tuple[str, str]] = {}
    for field in view.noun.fields:
        if field.filter == "equals":
            found[field.param] = (field.name, "=")
        elif field.filter == "part":
            found[field.param] = (field.name, "like")
        elif field.filter == "date":
            found[field.param] = (field.name, "day")
            found[field.param + ">"] = (field.name, ">=")
            found[field.param + "<"] = (field.name, "<")
    for param, text in view.place.filters.items():
        name, _, operator = text.partition(" ")
        found[param] = (name, operator)
    return found


def conditions(view: View, filters: dict[str, tuple[str, str]], params: Params) -> list[Condition]:
    """Read the filters of a request; raises ``Refused`` 20001 for values that make no sense."""
    found: list[Condition] = []
    for param, values in params.items():
        spec = filters.get(param)
        if spec is None or values[-1] == "":
            continue
        name, operator = spec
        field = view.noun.by_name[name]
        if operator == "=":
            found.append(_equal(view, field, param, values))
            continue
        if operator == "like":
            found.append(_part(field, param, values[-1]))
            continue
        try:
            moment, whole_day = read_date(values[-1])
        except (ValueError, OverflowError) as error:
            raise Refused(20001, f"Invalid {param}: {error}", 400) from None
        found += _dated(name, operator, moment, whole_day)
    return found


def _dated(name: str, operator: str, moment: float, whole_day: bool) -> list[Condition]:
    """The conditions of one date filter. Dates are shown in whole seconds: a bound that is included is one second."""
    if operator == "day":
        # Official libraries send a date as its midnight: a time says which day (UTC) is meant, no more.
        midnight = moment - moment % DAY
        return [Condition(name, ">=", midnight), Condition(name, "<", midnight + DAY)]
    if operator == "<=":
        return [Condition(name, "<", moment + (DAY if whole_day else 1))]
    if operator == "midnight":
        return [Condition(name, "<", moment + 1)]
    return [Condition(name, operator, moment)]  # type: ignore[arg-type]


def _equal(view: View, field: Field, param: str, values: list[str]) -> Condition:
    stored = view.stored(field.name, values[-1])
    if stored != (values[-1],):
        return Condition(field.name, "in", stored)
    if field.kind == "str":
        text = values[-1]
        if field.check is not None:
            try:
                text = field.check(text)
            except ValueError:  # matches nothing, or a part as the original does: compared as it is
                text = values[-1]
        return Condition(field.name, "=", text)
    try:
        return Condition(field.name, "=", read_value(field, values))
    except Refused as error:
        raise Refused(20001, f"Invalid {param}: {error.message}", 400) from None


def _part(field: Field, param: str, text: str) -> Condition:
    """A phone number of which a part is given; one that begins with ``+`` is the beginning."""
    try:
        whole = text.strip().startswith("+") and "*" not in text
        digits = pattern(e164(text) if whole and len(text) > LEAST else text)
    except ValueError as error:
        raise Refused(20001, f"Invalid {param}: {error}", 400) from None
    begins = "" if digits.startswith("+") else "%"
    return Condition(field.name, "like", f"{begins}{digits.replace('*', '_')}%")


def parameters_of(view: View) -> tuple[str, ...]:
    """Everything that a list takes."""
    order = (ORDER,) if len(view.place.orders) > 1 else ()
    return (*filters_of(view), *view.place.takes.get("list", ()), *order, "PageSize", "Page", "PageToken")


def query_of(view: View, filters: dict[str, tuple[str, str]], params: Params) -> tuple[Query, int]:
    """The store's query and the informational page number."""
    largest = view.place.largest
    size = _number(params, "PageSize", min(DEFAULT_SIZE, largest))
    if size < 1:
        raise Refused(20001, "Invalid PageSize: must be at least 1", 400)
    page = max(0, _number(params, "Page", 0))
    token = params.get("PageToken", [""])[-1]
    sid, order = token[2:36], view.place.sort.partition(" ")[0]
    if token and not (token[:2] in ("PA", "PB") and is_sid(sid)):
        raise _bad_token(view)
    query = Query(
        conditions=conditions(view, filters, params),
        limit=min(size, largest),
        after=sid if token[:2] == "PA" else "",
        before=sid if token[:2] == "PB" else "",
        order=order or "sid",
        ascending=bool(order) and _direction(view, params) == "asc",
        mark=_mark(view, order, token[36:]) if token else None,
    )
    return query, page


def _direction(view: View, params: Params) -> str:
    """``asc`` or ``desc``: what ``Order`` says where the place lets it, else the place's own."""
    allowed = view.place.orders
    text = params.get(ORDER, [""])[-1].lower() if len(allowed) > 1 else ""
    if text and text not in allowed:
        raise Refused(20001, f"Invalid {ORDER}: must be {' or '.join(allowed)}", 400)
    return text or allowed[0]


def token_of(record: Any, query: Query) -> str:
    """What names a record's place in a list: its SID and, in an order of its own, the value that it is sorted by."""
    value = "" if query.order == "sid" else "." + msgspec.json.encode(getattr(record, query.order)).decode()
    return f"{record.sid}{value}"


def _mark(view: View, order: str, text: str) -> Any:
    """The value in a page token; raises ``Refused`` when it cannot be one of the order's."""
    if not order and not text:
        return None
    kinds: dict[str, Any] = {"str": str, "int": int, "float": float}
    try:
        if not order or text[:1] != ".":
            raise ValueError(text)
        value = msgspec.json.decode(text[1:], type=kinds[view.noun.by_name[order].kind])
    except (ValueError, msgspec.DecodeError, RecursionError):
        raise _bad_token(view) from None
    if (isinstance(value, int) and abs(value) >= 2**63) or (isinstance(value, str) and "\0" in value):
        raise _bad_token(view)
    return value


def _bad_token(view: View) -> Refused:
    return Refused(21481 if view.place.classic else 20001, "Invalid PageToken", 400)


def _number(params: Params, name: str, default: int) -> int:
    text = params.get(name, [""])[-1]
    if text == "":
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Refused(20001, f"Invalid {name}: must be a whole number", 400)
    return int(text)


def envelope(
    view: View, path: str, base: str, params: Params, page: Page, number: int, query: Query, items: list[Any]
) -> dict[str, Any]:
    """Wrap a page; ``path`` is the list's path, ``base`` what goes before it in absolute URLs."""
    place, size = view.place, query.limit
    kept = [
        (name, value)
        for name, values in params.items()
        if name not in ("PageSize", "Page", "PageToken")
        for value in values
    ]

    def link(at: int, token: str) -> str:
        pairs = [*kept, ("PageSize", str(size)), ("Page", str(at))]
        if token:
            pairs.append(("PageToken", token))
        return f"{base}{path}?{encode_query(pairs)}"

    records = page.records
    token = params.get("PageToken", [""])[-1]
    after = link(number + 1, "PA" + token_of(records[-1], query)) if page.more_after and records else None
    before = None
    if page.more_before and records and token:
        before = link(max(0, number - 1), "PB" + token_of(records[0], query))
    own, first = link(number, token), link(0, "")
    if not place.classic:
        meta = {
            "page": number, "page_size": size, "first_page_url": first, "previous_page_url": before,
            "url": own, "next_page_url": after, "key": place.key,
        }  # fmt: skip
        return {"meta": meta, place.key: items}
    start = number * size
    return {
        "first_page_uri": first, "next_page_uri": after, "previous_page_uri": before, "uri": own,
        "page": number, "page_size": size, "start": start if items else 0,
        "end": start + len(items) - 1 if items else 0, place.key: items,
    }  # fmt: skip
