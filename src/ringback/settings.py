"""Every setting, in one place: environment ``RINGBACK_NAME``, or ``name`` in ``ringback.toml`` (surface.md).

The environment wins over the file. ``docs/settings.md`` lists the same names; a test compares them.
"""

from __future__ import annotations

import functools
import ipaddress
import math
import os
import re
import socket
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from ringback.kernel import setting, text_carrier
from ringback.kernel.media_limits import MediaLimits
from ringback.kernel.origins import read_origins
from ringback.kernel.setting import SettingsError as SettingsError
from ringback.kernel.setting import refusal

Transport = Literal["udp", "tcp", "tls"]
RtpSource = Literal["nat", "told", "any"]
"""Where a call's audio may come from: ``told``, only from the address that its SDP names; ``nat``, also, when its SIP
shows a NAT, from the address that the SIP comes from, within 10 seconds; ``any``, whoever sends first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trunk:
    """A SIP trunk: ``[trunk.NAME]`` in ``ringback.toml``."""

    name: str
    host: str
    """Host name or address, with ``:port`` when it is not the usual one."""
    transport: Transport = "udp"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    register: bool = False
    """Keep a registration at the trunk, so that it finds us behind a NAT."""
    numbers: tuple[str, ...] = ()
    """Numbers that arrive here (E.164)."""
    prefixes: tuple[str, ...] = ()
    """Numbers that leave here: the longest prefix of all trunks wins. ``*`` matches every number."""
    max_calls: int = 0
    """Simultaneous calls; 0 = no limit."""
    rtp_source: RtpSource | None = None
    """Where the audio of its calls may come from (``nat``, ``told``, ``any``); default: ``RINGBACK_RTP_SOURCE``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """A SIP phone that may register with us: ``[phone.NAME]`` in ``ringback.toml``."""

    name: str
    password: str = field(repr=False)
    contact_uri: str = ""
    """``sip:`` URI, or ``client:IDENTITY``, that workers and ``<Dial>`` reach it by; default ``sip:NAME@ringback``."""
    rtp_source: RtpSource | None = None
    """Where the audio of its calls may come from (``nat``, ``told``, ``any``); default: ``RINGBACK_RTP_SOURCE``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One SIP listen address."""

    transport: Transport
    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(MediaLimits):
    """All settings with their defaults; see :func:`load`."""

    http: str = "127.0.0.1:8080"
    """Listen address of the HTTP server, ``host:port``."""
    public_url: str = ""
    """Base of the URLs that we hand out and of signatures; default: from ``http``."""
    http_head_bytes: int = 65_536
    """Bytes that the request line and the header fields of an HTTP request may have."""
    http_body_bytes: int = 134_217_728
    """Bytes that the body of any HTTP request may have; most paths take far less."""
    http_head_seconds: float = 10.0
    """Seconds for the head of an HTTP request, from the connection on; whoever takes longer is cut off."""
    http_body_seconds: float = 20.0
    """Seconds for the body of an HTTP request, beyond those that it takes at 1 KiB a second."""
    http_idle_seconds: float = 75.0
    """Seconds that an HTTP connection stays open without a request."""
    http_connections: int = 4096
    """HTTP connections and web sockets at once; then the one that has waited longest for a request is closed. 0 = as
    many as the limit on open files leaves, half of it."""
    http_connections_per_source: int = 1024
    """HTTP connections at once from one address (IPv6: one /64 network), web sockets not counted; 0 = no limit. Behind
    a proxy all clients come from its address."""
    data_dir: Path = Path("./var")
    """Database, recordings, sound cache, credentials."""
    database_url: str = field(default="", repr=False)
    """``postgresql://…``; default: SQLite in the data directory."""
    bus_url: str = ""
    """Reserved for several nodes (``nats://…``, without effect now); empty: in-process, the only one there is."""
    account_sid: str = ""
    """The first account; default: made at the first start and kept in the data directory."""
    auth_token: str = field(default="", repr=False)
    """Its auth token; default: as above."""
    sip: str = "udp:127.0.0.1:5060,tcp:127.0.0.1:5060"
    """SIP listeners, ``transport:host:port`` with commas between; ``off`` for none."""
    sip_tls_certificate: str = ""
    """PEM file with the certificate chain for ``tls:`` listeners."""
    sip_tls_key: str = ""
    """PEM file with its private key."""
    sip_message_seconds: float = 15.0
    """Seconds for the TLS handshake and for the first message on a SIP connection (TCP, TLS), and for each that has
    begun; whoever takes longer is cut off."""
    sip_idle_seconds: float = 600.0
    """Seconds that a SIP connection stays open without a message, unless a call or a registration needs it."""
    sip_connections: int = 4096
    """SIP connections (TCP, TLS) at once; then the one that has waited longest without a call or a registration is
    closed. 0 = as many as the limit on open files leaves, a quarter of it."""
    sip_connections_per_source: int = 1024
    """SIP connections at once from one address (IPv6: one /64 network); 0 = no limit."""
    sip_external_host: str = ""
    """Host that SIP peers see (Contact and SDP) when we are behind a NAT; default: the address that the
    operating system uses towards the peer."""
    rtp_ports: str = "20000-29999"
    """UDP ports for audio."""
    rtp_source: Literal["nat", "told", "any"] = "nat"
    """Where a call's audio may come from: ``told``, only from the address that its SDP names; ``nat``, also, when its
    SIP shows a NAT, from the address that the SIP comes from, within 10 seconds; ``any``, whoever sends first."""
    media_workers: int = 1
    """Worker processes for audio, 1 to 64; one carries some hundred calls."""
    carrier: str = "simulated"
    """Carrier for numbers that no trunk's prefixes match: ``simulated``, or the name of a trunk."""
    sip_trusted: str = "127.0.0.0/8,::1/128"
    """Networks whose INVITEs need no authentication. With loopback among them, and listeners on loopback alone, the
    machine's own other addresses count too: programs on this machine call from those."""
    turn_urls: str = ""
    """STUN and TURN servers that ``Tokens`` hands to browsers (``stun:host:3478,turn:host:3478``); default: none."""
    turn_secret: str = field(default="", repr=False)
    """The secret that the TURN server shares with us (coturn: ``static-auth-secret``)."""
    test_account_sid: str = ""
    """Test credentials; default: made at the first start."""
    test_auth_token: str = field(default="", repr=False)
    """As above."""
    calls_per_second: float = 0.0
    """Outbound calls started per second and account; 0 = unlimited."""
    messages_per_second: float = 0.0
    """Messages sent per second and account; 0 = unlimited."""
    home_country: str = "US"
    """ISO code of the country of this installation: whose emergency numbers count, and what ``home`` means."""
    dialing_default: Literal["all", "home"] = "all"
    """Countries whose ordinary numbers an account may call until it says otherwise (dialling permissions).
    Premium, shared-cost and satellite numbers are always closed until an account opens them."""
    emergency_numbers: str = ""
    """Emergency numbers that may be called, with commas between (``112,911``); default: none, they are refused."""
    queue_timeout: float = 14400.0
    """Seconds that a call may wait as ``queued`` before it fails with 15002."""
    reconcile_every: float = 60.0
    """Seconds between two rounds of the reconciler, which ends calls that would never end; 0 = only on demand."""
    reconcile_after: float = 0.0
    """Seconds after the dialling at which a call is ended whatever happens; 0 (or less than the call's own
    limits): its time limit, its ring timeout and a grace of 30 seconds."""
    probe_after: float = 300.0
    """Seconds without news of an answered SIP call without session timer until the far end is asked whether it
    still exists; 0 = never."""
    callback_again_after: float = 300.0
    """Seconds until a final status callback that nobody took is sent once more; 0 = never."""
    verify_caller_ids: Literal["call", "at_once"] = "call"
    """How a caller id is verified: ``call``, the number is called and must enter a code; ``at_once``, whoever has
    the account's credentials is trusted."""
    recording_auth: bool = True
    """Whether the sound of a recording needs credentials; ``false``: whoever knows its URL may fetch it, as the
    hosted service has it by default. What is told about a recording (``.json``) always needs them."""
    task_retention: float = 300.0
    """Seconds that completed and canceled tasks stay readable before they are removed."""
    keep_calls_days: float = 400.0
    """Days for which calls and conferences that are over stay readable; 0 = for ever."""
    keep_messages_days: float = 400.0
    """Days for which messages that are over stay readable; 0 = for ever."""
    keep_conversations_days: float = 400.0
    """Days for which closed conversations are kept, with all that was said; 0 = until somebody deletes them."""
    keep_recordings_days: float = 400.0
    """Days for which recordings are kept; then they are deleted as by the API. 0 = until somebody deletes them."""
    keep_transcriptions_days: float = 400.0
    """Days for which transcriptions are kept; 0 = for ever."""
    keep_alerts_days: float = 90.0
    """Days for which the entries of the debugger are kept; 0 = for ever."""
    keep_events_days: float = 30.0
    """Days for which TaskRouter's events and the audit log are kept; 0 = for ever."""
    keep_requests_days: float = 30.0
    """Days for which the requests to applications (``Calls/{Sid}/Events``) are kept; 0 = for ever."""
    requests_megabytes: float = 1024.0
    """Size above which the oldest of them go whatever their age; 0 = no limit."""
    account_recordings_megabytes: float = 0.0
    """Size of the recordings that one account may keep: above it its oldest are deleted; 0 = no limit."""
    account_records: int = 2_000_000
    """Calls, and as many alerts and TaskRouter events, that one account may keep: above it its oldest that are over go,
    so that no account fills the disk of all; 0 = no limit."""
    plugins: str = ""
    """Reserved for the desktop's plugins; default ``plugins`` in the data directory."""
    clock: Literal["real", "virtual"] = "real"
    """``virtual``: time moves by ``/sim/v1/Clock`` and with simulated calls."""
    allow_private_webhooks: bool | None = None
    """Whether webhooks may go to private addresses; default: only when listening on loopback."""
    documents_per_minute: int = 100
    """TwiML documents of one call that may lead from one to the next within a minute without taking time (saying,
    playing or waiting for something); then the call's fallback URL is asked, or the call is ended (11215)."""
    time_limit: int = 14400
    """Longest answered call in seconds, when the request says nothing."""
    session_drain: float = 10.0
    """Seconds that a stop waits for live calls to end by themselves."""
    speech_idle_minutes: float = 10.0
    """A speech process ends after that long without work; 0 = never."""
    speech_workers: int = 2
    """Processes that speak, started when needed: another one when sentences wait half a second for their turn. One
    account alone never takes the last of several."""
    sound_workers: int = 2
    """Processes that decode what ``<Play>`` fetches, shared in the same way; the second one starts when there are two
    sounds to decode at once."""
    webhook_connections: int = 2000
    """Requests to applications that are under way at a time; further ones wait, the accounts taking turns. One account
    alone never has the last quarter, and one host at most as many as a quarter of them."""
    api_requests: int = 32
    """Requests to the REST API that are carried out at a time, shared in the same way."""
    transcription: Literal["whisper", "script", "off"] = "whisper"
    """Who writes recordings down: ``whisper``, the engine in worker processes; ``script``, for tests with the
    simulated carrier: the words that the simulated party said; ``off``: every transcription fails at once."""
    transcription_engine: str = "ringback.edges.transcription.whisper:Whisper"
    """The engine of ``whisper``, ``package.module:Class``; see the class ``Engine`` for what yours must have."""
    transcription_workers: int = 1
    """Worker processes for transcription, started when needed; each keeps a core busy while it works. 0 = off."""
    transcription_queue: int = 1000
    """Recordings of one account that may wait for a worker; further ones fail at once. The accounts take turns."""
    transcription_idle_minutes: float = 10.0
    """A transcription process ends after that long without work; 0 = never."""
    sqlite_synchronous: Literal["NORMAL", "FULL"] = "NORMAL"
    """NORMAL: a power cut may lose the last commits, a crash of Ringback none. FULL: neither."""
    default_number: str = "+15550100"
    """A number that the first start provisions, so that there is something to call; ``off`` for none."""
    web_chat_origins: str = ""
    """Origins of the pages that may ask ``/webchat/v1``, comma-separated (``https://shop.example``); empty: none."""
    agent_offline_after: float = 30.0
    """Seconds until an agent whose last desktop connection dropped goes to the workspace's timeout activity."""
    log: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    """How much is told on standard error."""
    notifications: tuple[tuple[str, str], ...] = ()
    """The ``[notifications]`` table: key and text, where an agent's notification is to say something else."""
    callback: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The ``[callback]`` table; its keys are those of ``callbacks/options.py``."""
    trunks: tuple[Trunk, ...] = ()
    """``[trunk.NAME]`` tables."""
    phones: tuple[Phone, ...] = ()
    """``[phone.NAME]`` tables."""
    smpp: tuple[text_carrier.Smpp, ...] = ()
    """``[smpp.NAME]`` tables."""
    http_carriers: tuple[text_carrier.HttpCarrier, ...] = ()
    """``[http_carrier.NAME]`` tables."""

    # --- what follows from them ---------------------------------------------------------------------

    @property
    def http_address(self) -> tuple[str, int]:
        """Host and port of ``http``."""
        host, _, port = self.http.rpartition(":")
        if not host or not port.isdigit() or int(port) > 65535:
            raise refusal("RINGBACK_HTTP", self.http, "host:port, such as 127.0.0.1:8080")
        return host.strip("[]"), int(port)

    @property
    def base_url(self) -> str:
        """``public_url``, or what follows from ``http``; without a trailing slash."""
        if self.public_url:
            return self.public_url.rstrip("/")
        return f"http://{self.reachable_host}:{self.http_address[1]}"

    @property
    def listens_everywhere(self) -> bool:
        """Whether the HTTP server listens on every address of the machine."""
        return self.http_address[0] in ("0.0.0.0", "::")  # noqa: S104 - compared, not bound

    @property
    def reachable_host(self) -> str:
        """The host of ``http`` for a URL; a real address of this machine where it listens on all of them."""
        host = self.http_address[0]
        if self.listens_everywhere:
            host = own_address(host)
        return f"[{host}]" if ":" in host else host

    @property
    def base_url_here(self) -> str:
        """Where programs on this machine reach the server, whatever ``public_url`` says."""
        host, port = self.http_address
        shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host)  # noqa: S104 - compared, not bound
        return f"http://{shown or (f'[{host}]' if ':' in host else host)}:{port}"

    @property
    def on_loopback(self) -> bool:
        """Whether the HTTP server listens on a loopback address only."""
        return _is_loopback(self.http_address[0])

    @property
    def seen_from_here_only(self) -> bool:
        """Whether only this machine reaches the HTTP server: no proxy in front of it makes it public."""
        return self.on_loopback and _is_loopback(urlsplit(self.base_url).hostname or "")

    @property
    def private_webhooks(self) -> bool:
        """``allow_private_webhooks`` with its default applied."""
        if self.allow_private_webhooks is None:
            return self.on_loopback
        return self.allow_private_webhooks

    @property
    def store_url(self) -> str:
        """``database_url``, or the SQLite file in the data directory."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'ringback.db').resolve()}"

    @property
    def listeners(self) -> list[Listener]:
        """The SIP listen addresses."""
        if self.sip.strip().lower() in ("", "off"):
            return []
        write = "transport:host:port (udp:127.0.0.1:5060, the host as an address) with commas between, or off"
        found = []
        for part in self.sip.split(","):
            transport, _, address = part.strip().partition(":")
            host, _, port = address.rpartition(":")
            host = host.strip("[]")
            if transport not in get_args(Transport) or not port.isdigit() or int(port) > 65535:
                raise refusal("RINGBACK_SIP", part.strip(), write)
            try:
                ipaddress.ip_address(host)
            except ValueError:
                raise refusal("RINGBACK_SIP", part.strip(), write) from None
            found.append(Listener(transport=transport, host=host, port=int(port)))  # type: ignore[arg-type]
        if any(one.transport == "tls" for one in found) and not (
            self.sip_tls_certificate and self.sip_tls_key
        ):
            raise SettingsError(
                f"RINGBACK_SIP={self.sip!r}: a tls: listener needs RINGBACK_SIP_TLS_CERTIFICATE and"
                " RINGBACK_SIP_TLS_KEY: write the paths of two PEM files"
            )
        return found

    @property
    def rtp_range(self) -> range:
        """The RTP ports."""
        low, _, high = self.rtp_ports.partition("-")
        if not (low.isdigit() and high.isdigit() and 1024 <= int(low) < int(high) <= 65535):
            raise refusal("RINGBACK_RTP_PORTS", self.rtp_ports, "low-high, such as 20000-29999")
        return range(int(low), int(high) + 1)

    @property
    def allowed_emergency_numbers(self) -> tuple[str, ...]:
        """``emergency_numbers`` as numbers."""
        found = tuple(part.strip() for part in self.emergency_numbers.split(",") if part.strip())
        for number in found:
            if not (number.isascii() and number.isdigit() and len(number) <= 6):
                raise refusal("RINGBACK_EMERGENCY_NUMBERS", number, "short numbers, such as 112,911")
        return found

    @property
    def relays(self) -> tuple[str, ...]:
        """``turn_urls`` as URLs."""
        found = tuple(part.strip() for part in self.turn_urls.split(",") if part.strip())
        for url in found:
            if not re.fullmatch(r"(stun|turn)s?:[^\s,]+", url):
                raise refusal("RINGBACK_TURN_URLS", url, "URLs such as turn:turn.example.org:3478")
        if any(url.startswith("turn") for url in found) and not self.turn_secret:
            raise SettingsError(
                "RINGBACK_TURN_URLS names a TURN server: write its secret to RINGBACK_TURN_SECRET"
            )
        return found

    @property
    def trusted_networks(self) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        """``sip_trusted`` as networks."""
        found = []
        for part in self.sip_trusted.split(","):
            if not part.strip():
                continue
            try:
                found.append(ipaddress.ip_network(part.strip()))
            except ValueError as error:
                write = f"networks such as 127.0.0.0/8,10.0.0.0/24 ({setting.shown(str(error))})"
                raise refusal("RINGBACK_SIP_TRUSTED", part.strip(), write) from None
        return found

    @property
    def warnings(self) -> list[str]:
        """What can be used and is hardly meant so."""
        found = []
        if self.bus_url:
            found.append(
                f"RINGBACK_BUS_URL={setting.shown(self.bus_url)} has no effect: there is one process now"
            )
        if self.listens_everywhere and not self.public_url:
            found.append(
                f"RINGBACK_PUBLIC_URL is not set, and RINGBACK_HTTP={self.http} is every address: links, and the URLs "
                f"that are signed, begin with {self.base_url}; write the URL by which your application and browsers "
                "reach us"
            )
        return found

    def check(self) -> Settings:
        """Return self when every value has its form and every derived one can be made; raise :class:`SettingsError`."""
        for one in fields(self):
            if one.name in setting.FORMS:
                value, form = getattr(self, one.name), setting.FORMS[one.name]
                setting.formed(variable(one.name), value, form, secret=_is_secret(one.name))
        _ = (self.http_address, self.listeners, self.rtp_range, self.trusted_networks, self.relays)
        _ = (self.allowed_emergency_numbers, self.taken_types, read_origins(self.web_chat_origins))
        self._check_files()
        url = urlsplit(self.public_url)
        if self.public_url and not (url.scheme in ("http", "https") and url.hostname):
            raise refusal("RINGBACK_PUBLIC_URL", self.public_url, "an http(s) URL: https://voice.example.com")
        if self.transcription == "script" and self.carrier != "simulated":
            raise SettingsError(
                "RINGBACK_TRANSCRIPTION='script': only with RINGBACK_CARRIER=simulated; write whisper or off"
            )
        names = {trunk.name for trunk in self.trunks}
        if self.carrier != "simulated" and self.carrier not in names:
            write = f"simulated, or a trunk's name as in ringback.toml ({', '.join(sorted(names)) or 'there is none'})"
            raise refusal("RINGBACK_CARRIER", self.carrier, write)
        return self

    def _check_files(self) -> None:
        for name in ("sip_tls_certificate", "sip_tls_key"):
            path = getattr(self, name)
            if path and not os.path.isfile(path):  # noqa: PTH113 - it does not raise for what can be no path
                raise refusal(variable(name), path, "the path of a PEM file; there is none at this one")
        for name in ("data_dir", "plugins"):
            path = getattr(self, name)
            if path and os.path.exists(path) and not os.path.isdir(path):  # noqa: PTH110, PTH112 - as above
                raise refusal(variable(name), path, "the path of a folder; this is a file")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@functools.lru_cache(4)
def own_address(wildcard: str) -> str:
    """The address that this machine sends from to the outside, IPv6 only when it has no other; loopback when it has
    none at all. Nothing is sent."""
    outside = [(socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")]
    for family, far in outside if wildcard == "::" else outside[:1]:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((far, 9))
                return str(probe.getsockname()[0])
        except OSError:
            continue  # no way there
    try:
        return socket.gethostbyname(socket.gethostname())
    except OSError:
        return "127.0.0.1"


def load(
    environ: Mapping[str, str] | None = None, file: Path | None = None, flags: Mapping[str, Any] | None = None
) -> Settings:
    """Read the settings: flags over environment over ``ringback.toml`` (in the working directory by default).

    Without ``file`` and ``RINGBACK_CONFIG`` that file may be missing. Raises :class:`SettingsError` with the name of
    the setting and what to write.
    """
    environ = os.environ if environ is None else environ
    table = _file(file, environ)
    values: dict[str, Any] = {
        "trunks": tuple(_part(Trunk, name, one) for name, one in _table("trunk", table).items()),
        "phones": tuple(_part(Phone, name, one) for name, one in _table("phone", table).items()),
        **text_carrier.read(_table("smpp", table), _table("http_carrier", table)),
        "notifications": tuple(
            (key, setting.text(f"[notifications] {key}", text))
            for key, text in _table("notifications", table).items()
        ),
        "callback": _table("callback", table),
    }
    values["callback"] = (flags or {}).get("callback", values["callback"])
    known = {one.name: str(one.type) for one in fields(Settings) if one.name not in values}
    for name, value in table.items():
        if name not in known:
            near = setting.meant(name, known)
            raise SettingsError(
                f"{name} in ringback.toml: there is no such setting{near}; docs/settings.md has all"
            )
        values[name] = _read(name, known[name], value)
    for name, kind in known.items():
        text = environ.get(variable(name))
        if text is not None and text != "":
            values[name] = _read(name, kind, text)
    for name, value in (flags or {}).items():
        if value is not None and name != "callback":
            values[name] = _read(name, known[name], value)
    return Settings(**values).check()


ELSEWHERE = ("RINGBACK_CONFIG", "RINGBACK_URL", "RINGBACK_TEST_DATABASES")
"""Variables that are no settings: where the file is; for the examples, where the server is; for our own tests."""


def unknown_variables(environ: Mapping[str, str] | None = None) -> list[str]:
    """A sentence for each variable of the environment that looks like a setting and is none."""
    known = [*(variable(one.name) for one in fields(Settings)), *ELSEWHERE]
    return setting.unknown_variables(os.environ if environ is None else environ, known)


def variable(name: str) -> str:
    """How a setting is called in the environment, and in messages."""
    return f"RINGBACK_{name.upper()}"


def _file(file: Path | None, environ: Mapping[str, str]) -> dict[str, Any]:
    """The settings file. One that was asked for must be there."""
    given = environ.get("RINGBACK_CONFIG")
    path = file or Path(given or "ringback.toml")
    named = f"--config {path}" if file else f"RINGBACK_CONFIG={given}" if given else str(path)
    if not (file or given) and not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(
            f"{named}: {error.strerror}: write the path of a settings file that can be read"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{named} is no TOML: {error}") from None


def _table(name: str, table: dict[str, Any]) -> dict[str, Any]:
    """Take a table out of the file; none is an empty one."""
    found = table.pop(name, {})
    if not isinstance(found, dict):
        raise refusal(name, found, f"a table: [{name}]")
    return found


def _part(kind: type[Any], name: str, table: Any) -> Any:
    """One ``[trunk.NAME]`` or ``[phone.NAME]``."""
    where = f"[{kind.__name__.lower()}.{name}]"
    known = {one.name: one for one in fields(kind) if one.name != "name"}
    if not isinstance(table, dict):
        raise SettingsError(f"{where}: write a table with keys of {', '.join(known)}")
    for key in table:
        if key not in known:
            near = setting.meant(key, known) or f"; there are {', '.join(known)}"
            raise SettingsError(f"{where} {key}: there is no such key{near}")
    for key, one in known.items():
        if one.default is MISSING and table.get(key, "") == "":
            raise SettingsError(f'{where}: {key} is missing: write {key} = "…" below it')
    return kind(
        name=name,
        **{key: _entry(f"{where} {key}", str(known[key].type), value) for key, value in table.items()},
    )


def _entry(name: str, annotation: str, value: Any) -> Any:
    """One value of a part, as the annotation of its field says."""
    kind = annotation.removesuffix(" | None")
    choices = {"Transport": get_args(Transport), "RtpSource": get_args(RtpSource)}
    if kind in choices:
        return setting.choice(name, value, choices[kind])
    if kind == "bool":
        return setting.truth(name, value)
    if kind == "int":
        return setting.number(name, value, kind)
    if kind.startswith("tuple"):
        return setting.texts(name, value)
    return setting.text(name, value, secret=_is_secret(name))


def _is_secret(name: str) -> bool:
    """Whether messages must not repeat the value; a URL is shown without its password."""
    return name.endswith(("token", "password", "secret"))


def _read(name: str, annotation: str, value: Any) -> Any:
    """Turn text (or a TOML value) into what the annotation of the setting says."""
    shown = variable(name)
    if annotation.startswith("bool"):
        return setting.truth(shown, value)
    if annotation in ("int", "float"):
        return setting.number(shown, value, annotation, setting.BOUNDS.get(name, (0, math.inf)))
    if annotation.startswith("Literal"):
        return setting.choice(shown, value, [part.strip(" \"'") for part in annotation[8:-1].split(",")])
    plain = str(value).strip() if isinstance(value, int | float | Path) else value
    text = setting.text(shown, plain, secret=_is_secret(name)).strip()
    if annotation == "Path":
        return Path(text)
    return "" if name == "default_number" and text == "off" else text
