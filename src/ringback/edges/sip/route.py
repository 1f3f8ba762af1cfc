"""Where SIP calls go, and who may send us some: trunks by address or digest, phones by registration."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import quote

from ringback.edges.sip.address import (
    Route,
    host_of,
    longest_prefix,
    split_headers,
    split_uri,
    trunk_route,
    within_uri,
)
from ringback.effects import DialLeg
from ringback.settings import Phone, RtpSource, Settings, Trunk
from ringback.sip.uri import literal

log = logging.getLogger("ringback.sip")

REALM = "ringback"
RESOLVE_AGAIN = 300.0
"""Seconds after which a trunk's host name is looked up again."""

_USER: Final = "+-_.!~*'()&=,;?/$"
"""What a user part may hold unescaped (RFC 3261 §25.1)."""

By = Literal["callee", "carrier", "us", "timeout", "transport", "unregistered"]


Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_LOOPBACK = {4: ipaddress.ip_address("127.0.0.1"), 6: ipaddress.ip_address("::1")}


def is_own(address: Address) -> bool:
    """Whether this machine has the address now: only then the system lets a socket have it."""
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(address), 0))
        except OSError:
            return False
    return not (address.is_unspecified or address.is_multicast)


class Unreachable(Exception):
    """There is no way to the callee; becomes ``LegFailed``."""

    def __init__(self, sip_code: int, reason: str, by: By) -> None:
        super().__init__(reason)
        self.sip_code = sip_code
        self.reason = reason
        self.by = by


@dataclass(frozen=True, slots=True)
class Way:
    """A route, and the address that the far end will see us from."""

    route: Route
    peer: str
    trunk: str = ""
    rtp_source: RtpSource = "nat"


class Router:
    """Knows the trunks and phones of the settings."""

    def __init__(self, settings: Settings, lookup: Callable[[str], Sequence[Any]]) -> None:
        """``lookup(user)`` gives the bindings of a registered phone, best first."""
        self._trunks = {trunk.name: trunk for trunk in settings.trunks}
        self._phones: dict[str, Phone] = {phone.name: phone for phone in settings.phones}
        self._by_uri = {
            phone.contact_uri.partition(";")[0].lower(): phone
            for phone in settings.phones
            if phone.contact_uri
        }
        self._by_client: dict[str, list[Phone]] = {}
        for phone in settings.phones:
            if phone.contact_uri.startswith("client:"):
                self._by_client.setdefault(phone.contact_uri, []).append(phone)
        self._default = self._trunks.get(settings.carrier)
        self._trusted = settings.trusted_networks
        # Nothing but programs on this machine reaches a socket on loopback, from whichever of its addresses they call:
        # they get what loopback gets (RINGBACK_SIP_TRUSTED), no more.
        self._here = all(ipaddress.ip_address(one.host).is_loopback for one in settings.listeners)
        self._external = settings.sip_external_host
        self._rtp_source = settings.rtp_source
        self._lookup = lookup
        self._addresses: dict[str, set[str]] = {}
        self._resolving: asyncio.Task[None] | None = None
        self._busy: dict[str, int] = {}

    # --- inbound -----------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Look the trunks' hosts up, and again every five minutes."""
        await self._resolve()
        if self._trunks:
            self._resolving = asyncio.create_task(self._keep_resolving())

    async def stop(self) -> None:
        """End the look-ups."""
        if self._resolving is not None:
            self._resolving.cancel()
            await asyncio.wait([self._resolving])

    def trusted(self, host: str) -> bool:
        """Whether INVITEs from an address need no authentication: a trusted network, or a trunk's host."""
        if any(host in addresses for addresses in self._addresses.values()):
            return True
        address = literal(host.partition("%")[0])
        if address is None:
            return False
        mapped = getattr(address, "ipv4_mapped", None) or address
        if self._within(mapped):
            return True
        return self._here and self._within(_LOOPBACK[mapped.version]) and is_own(mapped)

    def _within(self, address: Address) -> bool:
        """Whether a trusted network has the address."""
        return any(address.version == network.version and address in network for network in self._trusted)

    def rtp_source(self, host: str, username: str) -> RtpSource:
        """Where the audio of a call may come from that `host` sends us, or the phone that has proved its name."""
        names = (name for name, addresses in self._addresses.items() if host in addresses)
        found = self._phones.get(username) or self._trunks.get(next(names, ""))
        return (found and found.rtp_source) or self._rtp_source

    def client_of(self, username: str, user: str, source: tuple[str, int]) -> str:
        """The ``client:…`` identity of the phone that calls; empty: it has none, or is not known to be that phone.

        It is when it has proved its name by digest (`username`), or calls from where `user` is registered.
        """
        phone = self._phones.get(username or user)
        if phone is None or phone.contact_uri not in self._by_client:
            return ""
        here = f"{within_uri(source[0])}:{source[1]}"
        if username or any(each.next_hop == here for each in self._lookup(phone.name)):
            return phone.contact_uri
        return ""

    def has_client(self, client: str) -> bool:
        """Whether a phone with that ``client:…`` contact is registered now."""
        return any(self._lookup(phone.name) for phone in self._by_client.get(client, ()))

    def password(self, username: str) -> str | None:
        """The secret of a phone; None for an unknown one."""
        phone = self._phones.get(username)
        return phone.password if phone is not None else None

    async def _resolve(self) -> None:
        loop = asyncio.get_running_loop()
        for trunk in self._trunks.values():
            host = host_of(trunk.host)
            try:
                found = await loop.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
            except OSError as error:
                # The addresses known so far stay: a name server that is down must not lock a trunk out.
                log.warning("trunk %s: %s cannot be resolved: %s", trunk.name, host, error)
                continue
            self._addresses[trunk.name] = {str(each[4][0]) for each in found}

    async def _keep_resolving(self) -> None:
        while True:
            await asyncio.sleep(RESOLVE_AGAIN)
            await self._resolve()

    # --- outbound ----------------------------------------------------------------------------------------

    def route(self, effect: DialLeg, own_host: str) -> Way:
        """The way to the callee; raises :class:`Unreachable`."""
        if effect.to.lower().startswith(("sip:", "sips:")):
            return self._to_uri(effect, own_host)
        if effect.to.startswith("client:"):
            for phone in self._by_client.get(effect.to, ()):
                if bindings := self._lookup(phone.name):
                    return self._to_binding(bindings[0], phone, _from_uri(effect.from_, own_host), ())
            raise Unreachable(404, f"no phone of {effect.to} is registered", "unregistered")
        trunk = longest_prefix(list(self._trunks.values()), effect.to) or self._default
        if trunk is None:
            raise Unreachable(404, f"no trunk for {effect.to}", "carrier")
        if trunk.max_calls and self._busy.get(trunk.name, 0) >= trunk.max_calls:
            raise Unreachable(503, f"trunk {trunk.name} has its {trunk.max_calls} calls", "carrier")
        route = trunk_route(trunk, effect.to, effect.from_, own_host)
        return Way(route, host_of(trunk.host), trunk.name, trunk.rtp_source or self._rtp_source)

    def took(self, trunk: str) -> None:
        """A call goes through a trunk."""
        if trunk:
            self._busy[trunk] = self._busy.get(trunk, 0) + 1

    def gave_back(self, trunk: str) -> None:
        """That call is over."""
        if trunk:
            self._busy[trunk] -= 1

    def registrations(self) -> list[Trunk]:
        """The trunks that want a registration kept."""
        return [trunk for trunk in self._trunks.values() if trunk.register]

    def _to_uri(self, effect: DialLeg, own_host: str) -> Way:
        uri, headers = split_headers(effect.to)
        user, host = split_uri(uri)
        transport = _parameter(uri, "transport")
        phone = self._phones.get(user) if self._is_own(host) else None
        phone = phone or self._by_uri.get(uri.partition(";")[0].lower())
        from_uri = _from_uri(effect.from_, own_host)
        credentials = (effect.username, effect.password) if effect.username and effect.password else None
        if phone is None and not self._is_own(host):
            route = Route(uri, from_uri, None, transport, credentials, headers)
            return Way(route, host_of(host), rtp_source=self._rtp_source)
        bindings = self._lookup(phone.name if phone is not None else user)
        if not bindings:
            raise Unreachable(404, f"no phone is registered as {user}", "unregistered")
        return self._to_binding(bindings[0], phone, from_uri, headers)

    def _to_binding(
        self, best: Any, phone: Phone | None, from_uri: str, headers: tuple[tuple[str, str], ...]
    ) -> Way:
        return Way(
            Route(best.contact, from_uri, best.next_hop, best.transport, None, headers),
            host_of(best.next_hop),
            rtp_source=(phone and phone.rtp_source) or self._rtp_source,
        )

    def _is_own(self, host: str) -> bool:
        return host_of(host).lower() in (REALM, self._external.lower() or REALM)


def _from_uri(caller: str, own_host: str) -> str:
    """The From of an INVITE to a phone: its own URI, or the number or identity at our host."""
    if caller.startswith("sip:"):
        return caller
    return f"sip:{quote(caller.removeprefix('client:'), safe=_USER)}@{within_uri(own_host)}"


def _parameter(uri: str, name: str) -> str | None:
    for part in uri.partition("@")[2].split(";")[1:]:
        key, _, value = part.partition("=")
        if key.lower() == name:
            return value.lower()
    return None
