"""Lists: filters, page tokens and the two envelopes (rest-conventions.md §5)."""

from __future__ import annotations

from typing import Any

from ringback.kernel.errors import Refused
from ringback.kernel.resource import Field
from ringback.kernel.sid import is_sid
from ringback.store import Condition, Page, Query
from ringback.web.form import encode_query
from ringback.web.rest.context import Params
from ringback.web.rest.params import DAY, read_date, read_value
from ringback.web.rest.render import View

DEFAULT_SIZE = 50
LARGEST_SIZE = 1000


def filters_of(view: View) -> dict[str, tuple[str, str]]:
    """Parameter name → attribute and operator (``=``, ``day``, ``>=``, ``<``, ``<=``)."""
    found: dict[str, tuple[str, str]] = {}
    for field in view.noun.fields:
        if field.filter == "equals":
            found[field.param] = (field.name, "=")
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
        try:
            moment, whole_day = read_date(values[-1])
        except (ValueError, OverflowError) as error:
            raise Refused(20001, f"Invalid {param}: {error}", 400) from None
        if operator == "day" and whole_day:
            found += [Condition(name, ">=", moment), Condition(name, "<", moment + DAY)]
        elif operator == "day":
            found += [Condition(name, ">=", moment), Condition(name, "<", moment + 1)]
        elif operator == "<=" and whole_day:
            found.append(Condition(name, "<", moment + DAY))
        else:
            found.append(Condition(name, operator, moment))  # type: ignore[arg-type]
    return found


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


def query_of(view: View, filters: dict[str, tuple[str, str]], params: Params) -> tuple[Query, int]:
    """The store's query and the informational page number."""
    size = _number(params, "PageSize", DEFAULT_SIZE)
    if size < 1:
        raise Refused(20001, "Invalid PageSize: must be at least 1", 400)
    page = max(0, _number(params, "Page", 0))
    token = params.get("PageToken", [""])[-1]
    if token and not (token[:2] in ("PA", "PB") and is_sid(token[2:])):
        code = 21481 if view.place.classic else 20001
        raise Refused(code, "Invalid PageToken", 400)
    query = Query(
        conditions=conditions(view, filters, params),
        limit=min(size, LARGEST_SIZE),
        after=token[2:] if token[:2] == "PA" else "",
        before=token[2:] if token[:2] == "PB" else "",
    )
    return query, page


def _number(params: Params, name: str, default: int) -> int:
    text = params.get(name, [""])[-1]
    if text == "":
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Refused(20001, f"Invalid {name}: must be a whole number", 400)
    return int(text)


def envelope(
    view: View, path: str, base: str, params: Params, page: Page, number: int, size: int, items: list[Any]
) -> dict[str, Any]:
    """Wrap a page; ``path`` is the list's path, ``base`` what goes before it in absolute URLs."""
    place = view.place
    kept = [
        (name, value)
        for name, values in params.items()
        if name not in ("PageSize", "Page", "PageToken")
        for value in values
    ]

    def link(at: int, token: str) -> str:
        query = [*kept, ("PageSize", str(size)), ("Page", str(at))]
        if token:
            query.append(("PageToken", token))
        return f"{base}{path}?{encode_query(query)}"

    records = page.records
    token = params.get("PageToken", [""])[-1]
    after = link(number + 1, "PA" + records[-1].sid) if page.more_after and records else None
    before = None
    if page.more_before and records and token:
        before = link(max(0, number - 1), "PB" + records[0].sid)
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
