"""Resources: the stored nouns, declared (house.md, "REST: declared, not written").

One declaration gives the record class, table, routes, form parsing, validation, JSON, OpenAPI and docs::

    @resource("/2010-04-01/Accounts/{AccountSid}/Applications", sid="AP", key="applications", can=CRUD)
    class Application(Record):
        '''TwiML instructions to be used by name.'''

        friendly_name: str = field("", write=True, filter=True, max_length=64, code=20002)

The class becomes a slotted, keyword-only, mutable dataclass; ``Application.__noun__`` describes it.
A field's documentation is the string below it.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar, dataclass_transform

from ringback.kernel.copies import copier
from ringback.kernel.docstrings import field_docs

T = TypeVar("T")
Kind = Literal["str", "int", "float", "bool", "json"]
Operation = Literal["list", "create", "fetch", "update", "delete"]
CRUD: tuple[Operation, ...] = ("list", "create", "fetch", "update", "delete")

_MISSING: Any = object()


@functools.cache
def snake(pascal: str) -> str:
    """``CallSid`` → ``call_sid``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", pascal).lower()


def pascal(name: str) -> str:
    """``call_sid`` → ``CallSid``."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One declared field of a resource."""

    name: str
    """The Python attribute."""
    key: str
    """The JSON key (and the column)."""
    param: str
    """The PascalCase parameter."""
    kind: Kind
    """How it is stored."""
    model: type | None = None
    """The dataclass of a ``json`` field that is declared as one; None: plain JSON values."""
    optional: bool
    """May be None."""
    default: Any = None
    factory: Callable[[], Any] | None = None
    required: bool = False
    """A create must give it."""
    create: bool = False
    update: bool = False
    """Whether POST to the list, and POST to the instance, may set it."""
    filter: Literal["", "equals", "part", "date"] = ""
    """How a list may be asked for it: the value, a part of a phone number, or a date."""
    index: bool | str = False
    """Looked up by its value; or the attribute that names the parent whose list is sorted by it."""
    unique: str = ""
    """No two records of one ``account``, or ``everywhere``, or of one parent (``room_sid``: the attribute that names
    it) have the same value (a database constraint)."""
    hidden: bool = False
    """Stored, never shown."""
    detail: bool = False
    """Shown when fetched alone, not in lists."""
    wire: str | Mapping[Any, str] = ""
    """``date``: Unix seconds shown as a date; ``string``: a number shown as a string; ``text``: JSON shown
    as JSON text; ``link``: a path shown as an absolute URL; a mapping: stored value → shown value, others as they
    are."""
    max_length: int | None = None
    choices: tuple[str, ...] = ()
    shape: tuple[Field, ...] = ()
    """The keys of a JSON object whose type is a ``TypedDict``; their parameters are dotted (``Timers.Inactive``)."""
    check: Callable[[str], str] | None = None
    code: int = 20001
    """The error of an invalid value."""
    missing_code: int = 20001
    """The error when a required value is missing."""

    def initial(self) -> Any:
        """A fresh default value."""
        return self.factory() if self.factory is not None else self.default


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place in the API at which a noun is shown; see :func:`at`."""

    product: str
    """``api``, ``monitor``, ``taskrouter`` …: the path prefix and the host name."""
    path: str
    """List path with its version and ``{CallSid}`` parts, each of which names a field."""
    key: str
    """Name of the list in the envelope."""
    can: tuple[Operation, ...]
    live: tuple[Operation, ...] = ()
    """Operations that a registered handler carries out (they become events)."""
    links: tuple[str, ...] | Mapping[str, str] = ()
    """Names of sub-resources (``subresource_uris`` or ``links``); or link → path with the record's attributes in
    braces, where links lead elsewhere than below the record."""
    sort: str = ""
    """The attribute that lists are sorted by and ``asc`` or ``desc``; with ``asc|desc`` (the default first) the
    parameter ``Order`` chooses. Empty: newest first."""
    show: Mapping[str, str] | None = None
    """JSON key → attribute, when this place shows other keys than the declaration's."""
    wires: Mapping[str, str | Mapping[Any, str]] = dataclasses.field(default_factory=dict)
    """Attribute → wire, where this place differs."""
    filters: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Parameter name (operator included) → ``attribute op``, in addition. ``=``; of dates: ``day`` (the whole day,
    UTC), ``>=``, ``<``, ``<=`` (a date that is given without a time is included whole), ``midnight`` (up to the
    beginning of a date, and that too)."""
    largest: int = 1000
    """Records of a page at most."""
    etag: bool = False
    """Answers carry an ETag and writes honour If-Match (rest-conventions.md §8)."""
    created: int = 201
    """Status of a successful create."""
    tag: str = ""
    """Heading in the documentation; empty: the noun's name."""
    takes: Mapping[Operation, Mapping[str, str]] = dataclasses.field(default_factory=dict)
    """Parameters of the live operations, with their documentation: an event reads them, not a field."""
    implied: tuple[str, ...] = ()
    """Parts that the path leaves out and means all the same (``RoomSid``: everybody's default room): the rules of the
    noun that a part names say which record it is (``web/rest/rules.py``)."""
    refuses: Mapping[Operation, tuple[int, ...]] = dataclasses.field(default_factory=dict)
    """Errors of the live operations that no parameter's declaration has, for their documentation."""

    @property
    def orders(self) -> tuple[str, ...]:
        """The directions that ``sort`` allows, the default first."""
        return tuple(self.sort.partition(" ")[2].split("|"))

    @property
    def classic(self) -> bool:
        """True for the 2010 API's envelopes and dates."""
        return self.path.startswith("/2010-04-01/")

    @property
    def parents(self) -> tuple[str, ...]:
        """Names of the path's parts, in order, without the noun's own SID."""
        return tuple(re.findall(r"\{(\w+)\}", self.path))

    @property
    def scope(self) -> tuple[str, ...]:
        """Names of everything that a record is below: what the path leaves out, and what it says."""
        return (*self.implied, *self.parents)


@dataclass(frozen=True, slots=True, kw_only=True)
class Noun:
    """What one declaration says."""

    record: type[Record]
    name: str
    doc: str
    prefix: str
    """The two letters of its SIDs."""
    table: str
    fields: tuple[Field, ...]
    """All of them, the four automatic ones first, in the order of the columns."""
    places: tuple[Place, ...]
    by_name: Mapping[str, Field]
    stored: bool = True
    """False: it has no table; its rules (``web/nouns/``) know its records while they live."""
    names: str = ""
    """The attribute whose value may stand for the SID in a path; unique in the account, or below the parent, as its
    field says."""

    @property
    def docs(self) -> Mapping[str, str]:
        """Attribute → documentation (the strings below the fields)."""
        cls: Any = self.record
        return field_docs(cls)


@dataclass(slots=True, kw_only=True)
class Record:
    """What every stored noun has. Times are Unix seconds here, and dates where they are shown."""

    __noun__: ClassVar[Noun]

    sid: str
    """A 34-character string that identifies this resource."""
    account_sid: str
    """The account that it belongs to."""
    date_created: float = 0.0
    """When it was created."""
    date_updated: float = 0.0
    """When it last changed."""

    def copy(self) -> Self:
        """The record as it is now: a shallow copy."""
        cls: Any = type(self)
        made: Self = copier(cls)(self)
        return made


class _Declared:
    """A field's declaration, until ``resource`` has read it."""

    __slots__ = ("default", "options")

    def __init__(self, default: Any, options: dict[str, Any]) -> None:
        self.default = default
        self.options = options


def field(
    default: Any = _MISSING,
    *,
    name: str = "",
    param: str = "",
    write: bool | Literal["create", "update"] = False,
    required: bool = False,
    filter: bool | Literal["equals", "part", "date"] = False,  # noqa: A002 - reads well in declarations
    index: bool | str = False,
    unique: str = "",
    hidden: bool = False,
    detail: bool = False,
    wire: str | Mapping[Any, str] = "",
    max_length: int | None = None,
    choices: Iterable[str] = (),
    check: Callable[[str], str] | None = None,
    code: int = 20001,
    missing_code: int = 0,
) -> Any:
    """Declare a field; the options are those of :class:`Field`.

    ``default`` may be a function without arguments (``dict``, ``list``). ``name`` is the JSON key where it
    is no Python name. Without a default the record's constructor demands a value.
    """
    options = {
        "key": name, "param": param, "required": required, "index": index, "unique": unique,
        "create": write in (True, "create") or required, "update": write in (True, "update"),
        "filter": "equals" if filter is True else (filter or ""), "hidden": hidden, "detail": detail,
        "wire": wire, "max_length": max_length, "choices": tuple(choices), "check": check, "code": code,
        "missing_code": missing_code or code,
    }  # fmt: skip
    return _Declared(default, options)


def at(path: str, *, key: str, can: Iterable[Operation], product: str = "", **options: Any) -> Place:
    """Show the noun at another place too; the options are those of :class:`Place`.

    Without ``product`` the path must be one of the 2010 API.
    """
    if not product:
        if not path.startswith("/2010-04-01/"):
            raise TypeError(f"{path}: which product?")
        product = "api"
    options["live"] = tuple(options.get("live", ()))
    links = options.get("links", ())
    options["links"] = links if isinstance(links, Mapping) else tuple(links)
    return Place(product=product, path=path, key=key, can=tuple(can), **options)


@dataclass_transform(kw_only_default=True)
def resource(
    path: str,
    *,
    sid: str,
    key: str,
    can: Iterable[Operation] = CRUD,
    live: Iterable[Operation] = (),
    links: Iterable[str] | Mapping[str, str] = (),
    product: str = "",
    table: str = "",
    also: Iterable[Place] = (),
    stored: bool = True,
    names: str = "",
    **options: Any,
) -> Callable[[type[T]], type[T]]:
    """Declare a stored noun; ``path`` is its list's path, ``also`` further places (see :func:`at`)."""
    first = at(path, key=key, can=can, live=live, links=links, product=product, **options)

    def declare(cls: type[T]) -> type[T]:
        hints = typing.get_type_hints(cls)
        own = inspect.get_annotations(cls)
        fields = [_automatic(name) for name in ("sid", "account_sid", "date_created", "date_updated")]
        for name in own:
            declared = cls.__dict__.get(name, _MISSING)
            if not isinstance(declared, _Declared):
                declared = field(declared)
            described = _describe(name, hints[name], declared)
            fields.append(described)
            if described.factory is not None:
                setattr(cls, name, dataclasses.field(default_factory=described.factory))
            elif declared.default is _MISSING:
                if name in cls.__dict__:
                    delattr(cls, name)
            else:
                setattr(cls, name, declared.default)
        doc = cls.__doc__ or ""
        if not doc:
            raise TypeError(f"{cls.__name__} needs a docstring")
        made: Any = dataclass(slots=True, kw_only=True)(cls)
        made.__noun__ = Noun(
            record=made, name=cls.__name__, doc=doc, prefix=sid, fields=tuple(fields),
            table=table or (key if first.product == "api" else f"{first.product}_{key}"),
            places=(first, *also), by_name={each.name: each for each in fields}, stored=stored,
            names=names,
        )  # fmt: skip
        _check(made.__noun__)
        return typing.cast(type[T], made)

    return declare


def _automatic(name: str) -> Field:
    if name.startswith("date_"):
        return Field(
            name=name, key=name, param=pascal(name), kind="float", optional=False, default=0.0, wire="date",
            index=False,
        )  # fmt: skip
    return Field(name=name, key=name, param=pascal(name), kind="str", optional=False, default="")


def _check(noun: Noun) -> None:
    """Raise ``TypeError`` for a declaration that speaks of attributes that are not there or not fit."""
    if noun.names and not noun.by_name[noun.names].unique:
        raise TypeError(f"{noun.name}: {noun.names} stands in paths and is not unique")
    for place in noun.places:
        name = place.sort.partition(" ")[0]
        if name and (noun.by_name[name].optional or noun.by_name[name].kind not in ("str", "int", "float")):
            raise TypeError(f"{noun.name}: lists cannot be sorted by {name}")
        if name and not set(place.orders) <= {"asc", "desc"}:
            raise TypeError(
                f"{noun.name}: sort {place.sort!r}: write asc, desc or both with a | between them"
            )


def _describe(name: str, hint: Any, declared: _Declared, within: str = "") -> Field:
    """``within``: what goes before the parameter of a key of a nested object."""
    kind, optional, choices, model = _kind(name, hint)
    options = dict(declared.options)
    options["key"] = options["key"] or name
    options["param"] = within + (options["param"] or pascal(options["key"]))
    options["choices"] = options["choices"] or choices
    options["shape"] = _shape(hint, options["param"] + ".")
    default = declared.default
    factory = default if callable(default) else None
    return Field(
        name=name, kind=kind, model=model, optional=optional, factory=factory,
        default=None if factory is not None or default is _MISSING else default, **options,
    )  # fmt: skip


def _shape(hint: Any, within: str) -> tuple[Field, ...]:
    """The keys of a ``TypedDict``; ``Annotated[…, field(…)]`` gives a key its options."""
    for each in (hint, *typing.get_args(hint)):
        if typing.is_typeddict(each):
            parts = typing.get_type_hints(each, include_extras=True)
            return tuple(_describe(name, *_declared(part), within) for name, part in parts.items())
    return ()


def _declared(part: Any) -> tuple[Any, _Declared]:
    """Type and declaration of a key; without a declaration it is null, or an object of nulls, until it is given."""
    if typing.get_origin(part) is Annotated:
        hint, declared = typing.get_args(part)[:2]
        return hint, declared
    return part, field(dict if typing.is_typeddict(part) else None)


def _kind(name: str, hint: Any) -> tuple[Kind, bool, tuple[str, ...], type | None]:
    """Read a type: how it is stored, whether None is allowed, the choices of a Literal, and the dataclass."""
    optional = False
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        parts = [part for part in typing.get_args(hint) if part is not type(None)]
        optional = len(parts) < len(typing.get_args(hint))
        if len(parts) != 1:
            raise TypeError(f"{name}: a field has one type, or one type and None")
        hint = parts[0]
    if typing.get_origin(hint) is Literal:
        return "str", optional, typing.get_args(hint), None
    if typing.get_origin(hint) in (dict, list) or hint in (dict, list) or typing.is_typeddict(hint):
        return "json", optional, (), None
    if dataclasses.is_dataclass(hint):
        return "json", optional, (), typing.cast(type, hint)
    kinds: dict[Any, Kind] = {str: "str", int: "int", float: "float", bool: "bool"}
    if hint not in kinds:
        raise TypeError(f"{name}: fields of type {hint} cannot be stored")
    return kinds[hint], optional, (), None
