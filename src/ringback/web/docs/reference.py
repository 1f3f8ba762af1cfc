"""What there is to document of the REST API, read off the declarations and the rules of the nouns."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ringback.kernel.resource import Field, Noun, Place, Record, snake
from ringback.web.docs.markup import slug
from ringback.web.docs.samples import X, field_value, path_value
from ringback.web.rest.context import OWNER
from ringback.web.rest.openapi import leaves, shown_type
from ringback.web.rest.paging import ORDER, filters_of, parameters_of
from ringback.web.rest.render import View
from ringback.web.rest.rules import Extra, Rules

_METHODS = {
    "list": ("GET", False),
    "create": ("POST", False),
    "fetch": ("GET", True),
    "update": ("POST", True),
    "delete": ("DELETE", True),
}
TITLES = {"api": "Calls and accounts", "taskrouter": "TaskRouter", "iam": "Tokens", "voice": "Voice settings"}
"""Of products whose name is no heading; others are called by their name."""
_PAGING = {
    "PageSize": "Records of a page, 1 to 1000. Default 50.",
    "Page": "Number of the page, for display; ``PageToken`` decides.",
    "PageToken": "Where the page begins: of the links of another page.",
    ORDER: "Direction of the list: ``asc`` or ``desc``.",
}
_EVERYWHERE = (20003, 20005, 20404, 20429, 20500, 20503)
"""Codes that every operation may answer with (errors.md §4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One thing that a request may say."""

    name: str
    where: str
    """``path``, ``query`` or ``form``."""
    kind: str = "string"
    doc: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()
    max_length: int | None = None
    default: str = ""
    codes: tuple[int, ...] = ()
    """Errors of a bad or missing value."""
    field: Field | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path."""

    name: str
    """``list``, ``create`` …"""
    method: str
    path: str
    """Below the server, product and suffix included: ``/api/2010-04-01/…/Calls/{Sid}.json``."""
    title: str
    doc: str = ""
    status: int = 200
    parameters: tuple[Parameter, ...] = ()
    codes: tuple[int, ...] = ()
    json: bool = False
    """Whether the request's body is JSON."""
    extra: bool = False
    """A path beside the noun, whose answer is not the noun's record."""

    @property
    def anchor(self) -> str:
        """Its fragment on the resource's page."""
        if not self.extra:
            return self.name
        below = "/".join(self.path.removesuffix(".json").split("/")[2:])
        below = re.sub(r"^(2010-04-01/Accounts/\{AccountSid\}|v1/Workspaces/\{WorkspaceSid\})/", "", below)
        return slug(f"{self.name}-{re.sub(r'[{}]', '', below)}")

    def given(self, where: str) -> list[Parameter]:
        """Its parameters of one place."""
        return [each for each in self.parameters if each.where == where]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One key of an answer."""

    key: str
    kind: str
    doc: str


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A page: a noun at one place of the API."""

    product: str
    slug: str
    name: str
    noun: Noun
    place: Place | None
    """None: only paths beside it."""
    operations: tuple[Operation, ...]

    @property
    def url(self) -> str:
        """Its page."""
        return f"/docs/api/{self.product}/{self.slug}"

    @cached_property
    def fields(self) -> tuple[Shown, ...]:
        """The keys of its answers."""
        if self.place is None or not self.place.can:
            return ()
        docs, found = self.noun.docs, []
        for key, name in View(self.noun, self.place, "").shown.items():
            field = self.noun.by_name[name]
            kind = shown_type(field, self.place.wires.get(name, field.wire))
            found.append(
                Shown(key=key, kind=kind + (" or null" if field.optional else ""), doc=docs.get(name, ""))
            )
        return tuple(found)

    def sample(self, account_sid: str, base_url: str, prefixes: Mapping[str, str]) -> dict[str, Any] | None:
        """An answer as it looks, by the code that renders answers; None for nouns that are never shown."""
        if self.place is None or not self.place.can:
            return None
        given: dict[str, Any] = {
            "sid": self.noun.prefix + X,
            "account_sid": account_sid,
            "date_created": 1_767_225_600.0,
            "date_updated": 1_767_225_600.0,
        }
        for field in self.noun.fields:
            if field.name not in given and (value := field_value(field, prefixes)) is not None:
                given[field.name] = value
        record: Record = self.noun.record(**given)
        args = {name: path_value(name, prefixes) for name in self.place.parents} | {OWNER: account_sid}
        return View(self.noun, self.place, base_url).body(record, args)


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What stands below one path prefix."""

    name: str
    resources: tuple[Resource, ...]

    @property
    def title(self) -> str:
        """Its heading."""
        return TITLES.get(self.name, self.name.title())

    @property
    def url(self) -> str:
        """Its page."""
        return f"/docs/api/{self.name}"


def products(every: Iterable[Rules]) -> tuple[Product, ...]:
    """All products with their resources, in the order of names; ``every`` noun's rules (``rules.complete``)."""
    found: dict[str, list[Resource]] = {}
    for rules in every:
        noun = rules.noun.__noun__
        beside: dict[str, list[Extra]] = {}
        for extra in rules.extras:
            beside.setdefault(extra.product or noun.places[0].product, []).append(extra)
        for place in noun.places:
            extras = beside.pop(place.product, []) if place.product in beside else []
            made = _operations(rules, place, extras)
            if made:
                name = place.tag or noun.name
                if place.implied:  # the same noun once more
                    name = f"{_spaced(name)}, short path"
                resource = _resource(noun, place, place.product, name, made)
                found.setdefault(place.product, []).append(resource)
        for product, extras in beside.items():
            made = tuple(_beside(noun, extra, product, m) for extra in extras for m in extra.methods)
            found.setdefault(product, []).append(_resource(noun, None, product, noun.name, made))
    return tuple(
        Product(name=name, resources=tuple(sorted(resources, key=lambda each: each.name.lower())))
        for name, resources in sorted(found.items())
    )


def _resource(
    noun: Noun, place: Place | None, product: str, name: str, operations: tuple[Operation, ...]
) -> Resource:
    return Resource(
        product=product, slug=slug(name), name=_spaced(name), noun=noun, place=place, operations=operations
    )


def _spaced(name: str) -> str:
    """``IncomingPhoneNumber`` → ``Incoming phone number``; what is words already stays."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return words[:1] + words[1:].lower() if " " not in name else words


def _operations(rules: Rules, place: Place, extras: list[Extra]) -> tuple[Operation, ...]:
    noun = rules.noun.__noun__
    view = View(noun, place, "")
    found = [_declared(rules, view, name) for name in _METHODS if name in place.can]
    found += [_beside(noun, extra, place.product, method) for extra in extras for method in extra.methods]
    return tuple(found)


def _declared(rules: Rules, view: View, name: str) -> Operation:
    place, noun = view.place, view.noun
    method, instance = _METHODS[name]
    path = f"/{place.product}{place.path}{'/{Sid}' if instance else ''}{'.json' if place.classic else ''}"
    parameters = [_path_part(part, noun, place) for part in [*place.parents, *(["Sid"] if instance else [])]]
    if name == "list":
        parameters += _filters(view)
    if name in ("create", "update"):
        parameters += _written(view, name)
    parameters += [
        _taken(param, doc, "query" if method != "POST" else "form")
        for param, doc in place.takes.get(name, {}).items()  # type: ignore[call-overload]
    ]
    codes = {code for each in parameters for code in each.codes} | set(_EVERYWHERE)
    codes |= _refusals(getattr(type(rules), name, None)) if name != "list" else {20001}
    codes |= set(place.refuses.get(name, ()))  # type: ignore[call-overload]
    sentence = place.tag.endswith("s") or " of " in place.tag
    shown = _spaced(noun.name if sentence else place.tag or noun.name).lower()
    return Operation(
        name=name,
        method=method,
        path=path,
        title=f"{_VERBS[name]} {_article(shown, name)}",
        doc=_doc(getattr(type(rules), name, None), name) if name != "list" else _sorted(rules, place),
        status={"create": place.created, "delete": 204}.get(name, 200),
        parameters=tuple(parameters),
        codes=tuple(sorted(codes)),
    )


_VERBS = {"list": "List", "create": "Create", "fetch": "Fetch", "update": "Update", "delete": "Delete"}


def _article(noun: str, operation: str) -> str:
    """``call`` → ``calls`` for lists, ``a call`` else."""
    if operation == "list":
        return re.sub(r"(?<=[^aeiou])y$", "ie", noun) + ("es" if noun.endswith("x") else "s")
    plural = noun.endswith("s") and not noun.endswith("ss")
    return noun if plural else f"{'an' if noun[0] in 'aeio' else 'a'} {noun}"


def _sorted(rules: Rules, place: Place) -> str:
    """The order of a list; nothing where the noun's own rules make it."""
    name = place.sort.partition(" ")[0]
    if name:
        return f"Sorted by ``{name}``, {' or '.join(place.orders)}."
    return "" if type(rules).page is not Rules.page else "The newest first."


def _doc(function: Any, name: str) -> str:
    """What the noun's own rules say of an operation; the general ones say nothing worth reading."""
    if function is None or function.__qualname__.startswith("Rules."):
        return ""
    return _words(function.__doc__)


def _words(doc: str | None) -> str:
    """A docstring's first paragraph as readers of the API need it: without the request that stands above it, references
    to sheets and what is for programmers. Empty when nothing is left."""
    first = " ".join(inspect.cleandoc(doc or "").split("\n\n")[0].split())
    first = re.sub(r"\s*\([\w-]+\.md[^)]*\)", "", first)
    first = re.sub(r":\w+:`~?([^`]+)`", r"``\1``", first)
    first = re.sub(r"[;,]?\s*\b[Rr]aises? .*$", "", first)
    first = re.sub(r"^(GET|POST|PUT|DELETE)( and [A-Z]+)? (?:of (?=an? )|[^:.]+(?:[:.]|$))", "", first)
    first = re.sub(r"^``[^`]*[/{][^`]*``[:;.]?\s*", "", first).strip()
    return first[:1].upper() + first[1:] if len(first.split()) > 3 else ""


def _refusals(function: Any) -> set[int]:
    """The codes in an operation's own source."""
    try:
        return {int(code) for code in re.findall(r"Refused\(\s*(\d{5})\b", inspect.getsource(function))}
    except (OSError, TypeError):
        return set()


def _path_part(name: str, noun: Noun, place: Place | None = None) -> Parameter:
    key = addressed_by(place) if place is not None else "sid"
    if name != "Sid":
        doc = f"SID of the {_spaced(name.removesuffix('Sid')).lower()}." if name.endswith("Sid") else ""
    elif key != "sid":
        doc = f"``{key}`` of the {_spaced(noun.name).lower()}."
    else:
        also = f"; ``{noun.names}`` may stand for the SID" if noun.names else ""
        doc = f"SID of the {_spaced(noun.name).lower()} ({noun.prefix}…){also}."
    return Parameter(name=name, where="path", required=True, doc=doc)


def addressed_by(place: Place) -> str:
    """The key whose value stands at the end of a record's path: its SID, or where that is not shown the first one that
    the path does not have already."""
    if place.show is None or "sid" in place.show:
        return "sid"
    above = {snake(name) for name in place.parents} | {"account_sid"}
    return next(key for key in place.show if key not in above)


def _filters(view: View) -> list[Parameter]:
    docs, chosen, found = view.noun.docs, filters_of(view), []
    for name in parameters_of(view):
        if name in view.place.takes.get("list", ()) or name in view.place.parents:
            continue
        attribute, operator = chosen.get(name, ("", ""))
        doc = _PAGING.get(name, docs.get(attribute, ""))
        if operator in (">=", "<", "<=", "day"):
            sense = {">=": "At or after", "<": "Before", "<=": "At or before", "day": "On"}[operator]
            doc = f"{sense} this date (``2026-11-29``) or moment (``2026-11-29T12:00:00Z``), UTC."
        elif attribute:
            doc = f"Only those with this value. {doc}"
        choices = view.noun.by_name[attribute].choices if attribute else ()
        found.append(Parameter(name=name, where="query", doc=doc, choices=choices))
    return found


def _written(view: View, operation: str) -> list[Parameter]:
    docs, found = view.noun.docs, []
    for field in view.noun.fields:
        if not getattr(field, operation):
            continue
        for part in leaves(field):
            default = "" if part.required or operation == "update" else _default(part)
            found.append(
                Parameter(
                    name=part.param,
                    where="form",
                    kind=_kind(part),
                    doc=docs.get(field.name, ""),
                    required=part.required and operation == "create",
                    choices=part.choices,
                    max_length=part.max_length,
                    default=default,
                    field=part,
                    codes=tuple(sorted({part.code, part.missing_code} if part.required else {part.code})),
                )
            )
    return found


def _kind(field: Field) -> str:
    if field.kind == "float" and field.wire == "date":
        return "date"
    return {"str": "string", "int": "integer", "float": "number", "bool": "boolean", "json": "JSON"}[
        field.kind
    ]


def _default(field: Field) -> str:
    value = field.initial()
    return (
        ""
        if value in (None, "", 0.0) and value is not False
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
    )


def _taken(name: str, doc: str, where: str) -> Parameter:
    required = doc.startswith("Required")
    return Parameter(
        name=name, where=where, required=required, doc=re.sub(r"^Required[.:]?\s*", "", doc), kind="string"
    )


def _beside(noun: Noun, extra: Extra, product: str, method: str) -> Operation:
    name = extra.methods[method]
    classic = extra.path.startswith("/2010-04-01/")
    handler: Any = extra.handler
    if not inspect.isroutine(handler):
        handler = type(handler).__call__
    parts = re.findall(r"\{(\w+)\}", extra.path)
    codes = _refusals(handler) | set(_EVERYWHERE)
    where = "form" if method in ("POST", "PUT") else "query"
    fits = extra.takes if where == "form" or not {"POST", "PUT"} & set(extra.methods) else {}
    taken = [_taken(param, doc, where) for param, doc in fits.items()]
    return Operation(
        name=name,
        method=method,
        path=f"/{product}{extra.path}{'.json' if classic else ''}",
        title=f"{name.title()} {_thing(extra.path)}",
        doc=_words(handler.__doc__),
        extra=True,
        parameters=(*(_path_part(part, noun) for part in parts), *taken),
        json=extra.json,
        codes=tuple(sorted(codes)),
    )


def _thing(path: str) -> str:
    """``…/TaskQueues/{TaskQueueSid}/Statistics`` → ``statistics of a task queue``."""
    version, *parts = path.strip("/").split("/")
    if parts[-1].startswith("{"):
        singular = re.sub(r"ies$", "y", _spaced(parts[-2]).lower())
        return f"{_article(re.sub(r's$', '', singular), 'fetch')} ({version})"
    thing = _spaced(parts[-1]).lower()
    above = parts[-2] if len(parts) > 1 else ""
    if thing in ("validate", "query"):
        return _spaced(above).lower()
    if above.startswith("{"):
        return f"{thing} of {_article(_spaced(above[1:-1].removesuffix('Sid')).lower(), 'fetch')}"
    return f"{thing} of {_spaced(above).lower()}" if above else thing


def prefixes(every: Iterable[Rules]) -> Mapping[str, str]:
    """``CallSid`` → ``CA``: what the parts of paths begin with."""
    return {rules.noun.__noun__.name + "Sid": rules.noun.__noun__.prefix for rules in every}
