"""What the application's callbacks may answer (conversations.md §2): shapes and bounds. Pure.

Whatever an answer has besides is left out. Raises ``ValueError``, which says what is wrong.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct, field

CUSTOMERS: Final = 1_000
"""The most customers of one page."""
_SCHEMES: Final = re.compile(r"(https?://|mailto:|tel:|sms:)\S+\Z", re.IGNORECASE)

Name = Annotated[str, Meta(max_length=256)]
Address = Annotated[str, Meta(max_length=2_048)]
Text = Annotated[str, Meta(max_length=10_000)]
Identifier = Annotated[str, Meta(min_length=1, max_length=256)] | int
"""Applications take the row's number as often as a text."""


class Channel(Struct, omit_defaults=True):
    """A way to reach a customer."""

    type: Annotated[str, Meta(min_length=1, max_length=32)]
    """sms, whatsapp, email or phone."""
    value: Name


class Link(Struct, omit_defaults=True):
    """A page about a customer."""

    value: Address
    type: Name = ""
    display_name: Name = ""


class Details(Struct, omit_defaults=True):
    """What is shown of a customer besides."""

    title: Name = ""
    content: Text = ""


class Customer(Struct, omit_defaults=True):
    """A customer, as the application knows them."""

    customer_id: Identifier
    display_name: Name
    avatar: Address | None = None
    channels: Annotated[list[Channel], Meta(max_length=100)] = field(default_factory=list)
    links: Annotated[list[Link], Meta(max_length=100)] = field(default_factory=list)
    details: Details | None = None


class Template(Struct, rename={"whatsapp_approved": "whatsAppApproved"}, omit_defaults=True):
    """A text that a worker may send."""

    content: Annotated[str, Meta(min_length=1, max_length=1_600)]
    whatsapp_approved: bool | None = None


class Category(Struct):
    """Templates under one heading."""

    display_name: Name
    templates: Annotated[list[Template], Meta(max_length=500)]


class _Found(Struct):
    customers: Annotated[list[Customer], Meta(max_length=CUSTOMERS)]
    searchable: bool = False


class _Customers(Struct):
    objects: _Found


class _One(Struct):
    customer: Customer


class _Customer(Struct):
    objects: _One


class _Proxy(Struct):
    proxy_address: Annotated[str, Meta(min_length=1, max_length=256)]


def customers(body: bytes, size: int) -> dict[str, Any]:
    """The answer to ``GetCustomersList``: ``customers``, ``searchable``, and the ``anchor`` of the next page (None: a
    page of fewer than ``size`` is the last one)."""
    found = _read(body, _Customers).objects
    shown = [_shown(each) for each in found.customers]
    full = len(shown) >= size
    return {
        "customers": shown,
        "searchable": found.searchable,
        "anchor": shown[-1]["customer_id"] if full else None,
    }


def customer(body: bytes) -> dict[str, Any]:
    """The answer to ``GetCustomerDetailsByCustomerId``."""
    return _shown(_read(body, _Customer).objects.customer)


def proxy_address(body: bytes) -> str:
    """The answer to ``GetProxyAddress``."""
    found: _Proxy = _read(body, _Proxy)
    return found.proxy_address.strip()


def templates(body: bytes) -> list[dict[str, Any]]:
    """The answer to ``GetTemplatesByCustomerId``."""
    kind: Any = Annotated[list[Category], Meta(max_length=100)]
    found: list[dict[str, Any]] = msgspec.to_builtins(_read(body, kind))
    return found


def _shown(one: Customer) -> dict[str, Any]:
    for address in ([one.avatar] if one.avatar else []) + [link.value for link in one.links]:
        if not _SCHEMES.match(address):  # it becomes a link in the worker's app
            raise ValueError(f"{address[:64]!r} is no http, mailto, tel or sms address")
    found: dict[str, Any] = msgspec.to_builtins(one)
    found["customer_id"] = str(one.customer_id)
    return found


def _read(body: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)[:300]) from None
