"""Builds the SIP carrier with its endpoint, registrar and media pool from the settings."""

from __future__ import annotations

import asyncio
import dataclasses
import ipaddress
import socket
from collections.abc import Callable

from ringback import __version__
from ringback.edges.carriers.sip import SipCarrier
from ringback.edges.media.client import MediaPool
from ringback.edges.prompts import Prompts, Sounds, Voices
from ringback.edges.sip.endpoint import SipEndpoint
from ringback.edges.sip.listener import Listener, StreamLimits, TlsFiles
from ringback.edges.sip.phones import Kept
from ringback.edges.sip.registrar import Registrar
from ringback.edges.sip.route import Router
from ringback.events import Event
from ringback.kernel.recording_file import recordings_folder
from ringback.processes.descriptors import connections_within
from ringback.settings import Settings


def own_address(settings: Settings) -> Callable[[str], str]:
    """Gives, for a peer, the address at which it reaches our audio."""
    listeners = settings.listeners
    bound = listeners[0].host if listeners else "127.0.0.1"
    known: dict[str, str] = {}

    def address(peer: str) -> str:
        if settings.sip_external_host:
            return settings.sip_external_host
        if bound not in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
            return bound
        if peer not in known:
            if len(known) > 10_000:
                known.clear()
            known[peer] = _towards(peer)
        return known[peer]

    return address


def _towards(peer: str) -> str:
    """The address that the system would send from; loopback for a name, which needs no look-up here."""
    try:
        family = socket.AF_INET6 if ipaddress.ip_address(peer).version == 6 else socket.AF_INET
    except ValueError:
        peer, family = "192.0.2.1", socket.AF_INET  # any address on the outside shows the way out
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((peer, 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def _limits(settings: Settings) -> StreamLimits:
    given = {each.name: getattr(settings, f"sip_{each.name}") for each in dataclasses.fields(StreamLimits)}
    return StreamLimits(**given | {"connections": connections_within(settings.sip_connections, 0.25)})


def build_sip(
    settings: Settings,
    *,
    post: Callable[[Event], None],
    new_sid: Callable[[str], str],
    voices: Voices,
    sounds: Sounds,
    warm: Callable[[], None],
    registrations: Kept | None = None,
) -> SipCarrier:
    """The carrier, ready to be started; `registrations` keeps the phones over a restart.

    Call it in the running event loop.
    """
    loop = asyncio.get_running_loop()
    loopback = all(ipaddress.ip_address(one.host).is_loopback for one in settings.listeners)
    # audio has one address family: IPv6 where nobody listens for IPv4; a peer of the other one gets 488
    ipv6 = all(":" in one.host for one in settings.listeners)
    pool = MediaPool(
        workers=settings.media_workers,
        ports=settings.rtp_range,
        bind_host=settings.listeners[0].host if loopback else "::" if ipv6 else "0.0.0.0",  # noqa: S104
        on_report=lambda report: carrier.report(report),
        data_dir=settings.data_dir,
    )
    registrar = Registrar()
    prompts = Prompts(voices=voices, sounds=sounds, player=pool, post=post)
    carrier = SipCarrier(
        post=post,
        new_sid=new_sid,
        router=Router(settings, lambda user: registrar.lookup(user, loop.time())),
        pool=pool,
        prompts=prompts,
        recordings=recordings_folder(settings.data_dir),
        media_host=own_address(settings),
        warm=warm,
    )
    tls = None
    if settings.sip_tls_certificate and settings.sip_tls_key:
        tls = TlsFiles(settings.sip_tls_certificate, settings.sip_tls_key)
    carrier.endpoint = SipEndpoint(
        listeners=[
            Listener(one.transport, one.host, one.port, settings.sip_external_host or None)
            for one in settings.listeners
        ],
        user_agent=f"Ringback/{__version__}",
        handler=carrier,
        clock=loop.time,
        tls=tls,
        registrar=registrar,
        registrations=registrations,
        limits=_limits(settings),
        may_register={phone.name for phone in settings.phones}.__contains__,
    )
    return carrier
