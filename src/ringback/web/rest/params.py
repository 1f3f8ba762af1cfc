"""Reading requests: forms, queries, and the values of declared fields (rest-conventions.md §2)."""

from __future__ import annotations

import datetime
import re
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from ringback.kernel.errors import Refused
from ringback.kernel.resource import Field
from ringback.web.rest.context import Params

_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?\Z", re.ASCII)
_INT = re.compile(r"-?[0-9]{1,15}\Z")
DAY = 86_400.0
NOT_GIVEN: Any = object()
"""In place of a value, when the request has no parameter for it."""


def read_form(data: bytes, limit: int) -> Params:
    """Read ``a=1&b=2``; raises ``Refused`` 20001 for what is no UTF-8, has a NUL, or too many fields."""
    found: Params = {}
    if not data:
        return found
    parts = data.split(b"&", limit + 1)
    if len(parts) > limit:
        raise Refused(20001, f"More than {limit} parameters", 400)
    for part in parts:
        if not part:
            continue
        name, _, value = part.partition(b"=")
        found.setdefault(_decode(name), []).append(_decode(value))
    return found


def _decode(data: bytes) -> str:
    data = data.replace(b"+", b" ")
    if b"%" in data:
        data = unquote_to_bytes(data)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise Refused(20001, "A parameter is not valid UTF-8", 400) from None
    if "\0" in text:
        raise Refused(20001, "A parameter contains a NUL character", 400)
    return text


def read_body(data: bytes, content_type: str, limit: int) -> Params:
    """Read the body of a write by its content type; raises ``Refused`` 20001."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind != "application/json":
        return read_form(data, limit)
    try:
        value = msgspec.json.decode(data or b"{}")
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Refused(20001, "The body is not valid JSON", 400) from None
    if not isinstance(value, dict) or len(value) > limit:
        raise Refused(20001, "The body is not a JSON object of parameters", 400)
    params: Params = {}
    for name, one in value.items():
        values = one if isinstance(one, list) else [one]
        params[name] = [_json_text(each) for each in values] or [""]  # a parameter that is given has a value
        if any("\0" in each for each in (name, *params[name])):
            raise Refused(20001, "A parameter contains a NUL character", 400)
    return params


def _json_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return msgspec.json.encode(value).decode()


def first(params: Params, name: str) -> str:
    """The first value of a parameter; empty when it is not given."""
    values = params.get(name)
    return values[0] if values else ""


def read_bool(text: str) -> bool:
    """``true``/``false`` in any case; raises ``ValueError``."""
    low = text.strip().lower()
    if low not in ("true", "false"):
        raise ValueError("must be true or false")
    return low == "true"


def read_date(text: str) -> tuple[float, bool]:
    """Unix seconds of a date or date-time, and whether it was a date only.

    Raises ``ValueError``, and ``OverflowError`` for what is in no year from 1 to 9999 in UTC: it could not be shown.
    """
    if _DATE.match(text):
        return datetime.datetime.fromisoformat(text + "T00:00:00+00:00").timestamp(), True
    if not _TIME.match(text):
        raise ValueError("is not a date (YYYY-MM-DD) or date-time (YYYY-MM-DDThh:mm:ssZ)")
    moment = datetime.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return moment.astimezone(datetime.UTC).timestamp(), False


def read_given(field: Field, params: Params, before: Any = None) -> Any:
    """The field's value by a request's parameters; :data:`NOT_GIVEN` when there is none.

    A nested object's keys come from dotted parameters and are put over those of ``before``. Raises ``Refused``.
    """
    if not field.shape:
        given = params.get(field.param)
        return NOT_GIVEN if given is None else read_value(field, given)
    old = before or {}
    values = {each.name: read_given(each, params, old.get(each.name)) for each in field.shape}
    changed = {name: value for name, value in values.items() if value is not NOT_GIVEN}
    return {**old, **changed} if changed else NOT_GIVEN


def read_value(field: Field, values: list[str]) -> Any:
    """The value of a field from its parameter; empty clears. Raises ``Refused`` with the field's code."""
    try:
        return _value(field, values)
    except (ValueError, OverflowError) as error:
        raise Refused(field.code, f"Invalid {field.param}: {error}", 400) from None


def _value(field: Field, values: list[str]) -> Any:
    if field.kind == "json" and field.factory is list:
        return [value for value in values if value]
    text = values[-1]
    if text == "":
        if field.required:
            raise ValueError("must not be empty")
        return None if field.optional else field.initial()
    if field.max_length is not None and len(text) > field.max_length:
        raise ValueError(f"is longer than {field.max_length} characters")
    if field.kind == "str":
        text = field.check(text) if field.check is not None else text
        if field.choices and text not in field.choices:
            raise ValueError(f"must be one of {', '.join(field.choices)}")
        return text
    if field.kind == "bool":
        return read_bool(text)
    if field.kind == "int":
        if not _INT.match(text):
            raise ValueError("must be a whole number")
        return int(text)
    if field.kind == "float":
        return read_date(text)[0] if field.wire == "date" else _finite(text)
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise ValueError("is not valid JSON") from None


def _finite(text: str) -> float:
    value = float(text)
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError("must be a number")
    return value
