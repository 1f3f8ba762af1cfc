"""The part of a URL that names the host, read strictly: no two readers may find two hosts in it.

What decides is not what our own parser makes of it but that a proxy, a log or the application could read it otherwise
(RFC 3986 §3.2 and §7.6; the WHATWG URL standard maps more than that).
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from typing import Final
from urllib.parse import unquote

_ENDS: Final = frozenset("/\\?#")
"""What ends an authority, for one reader or another."""
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.-]{1,255}\Z")
_ZONE: Final = re.compile(r"[A-Za-z0-9._~-]{1,64}\Z")
_PORT_AND_MORE: Final = re.compile(r"[0-9]{0,5}[/\\?#@]")
_ENCODINGS: Final = 3
"""Times that something is decoded to see what it hides."""


def check_authority(netloc: str) -> None:
    """Raises ``ValueError``, with what is wrong, for an authority (``user:password@host:port``) that hides a host."""
    if "\\" in netloc:
        raise ValueError("a backslash stands before the path")
    credentials, at, place = netloc.rpartition("@")
    if "@" in credentials:
        raise ValueError("there are two @ before the path: write %40 in a user name or password")
    if at:
        _check_credentials(credentials)
    if place.startswith("["):
        _check_literal(place)
    else:
        _check_name(place.partition(":")[0])


def _check_credentials(text: str) -> None:
    user, _, password = text.partition(":")
    name = _decoded(user)
    if _ENDS & set(name) or any(each.isspace() for each in name):
        raise ValueError("the user name holds what ends a host name")
    before, at, after = name.partition("@")
    if at and ("@" in after or _is_host(before)):  # an e-mail address may sign in
        raise ValueError("the user name is a host name and more")
    if _PORT_AND_MORE.match(_decoded(password)) and (_is_host(name) or "." in name):
        raise ValueError("user name and password read as a host name and its port")


def _check_literal(place: str) -> None:
    inside, bracket, after = place[1:].partition("]")
    address, percent, zone = inside.partition("%")
    if not bracket or (after and not after.startswith(":")):
        raise ValueError("an IPv6 address stands in brackets, and nothing but a port behind it")
    if percent and not _ZONE.match(zone.removeprefix("25")):
        raise ValueError("the zone of the IPv6 address is none")
    ipaddress.IPv6Address(address)  # its ValueError says what is wrong


def _check_name(name: str) -> None:
    if not name:
        raise ValueError("it names no host")
    if name.isascii():
        if not _PLAIN.match(name):
            raise ValueError(f"{name[:100]!r} is no host name")
        return
    # Forms that become plain letters, digits or dots (fullwidth, circled, ideographic full stop) look like one host
    # and lead to another.
    lower = unicodedata.normalize("NFC", name.lower())
    if unicodedata.normalize("NFKC", lower) != lower or not all(map(_is_letter, lower)):
        raise ValueError(f"{name[:100]!r} is no host name: write it in its plain form")


def _is_letter(each: str) -> bool:
    return each in "-." or each.isalnum() or unicodedata.category(each).startswith("M")


def _is_host(text: str) -> bool:
    """Whether it is the address or name of a machine that somebody would hide."""
    if text.lower() == "localhost":
        return True
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


def _decoded(text: str) -> str:
    for _ in range(_ENCODINGS):
        text = unquote(text)
    return text
