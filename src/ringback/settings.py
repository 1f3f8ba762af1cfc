"""Every setting, in one place: environment ``RINGBACK_NAME``, or ``name`` in ``ringback.toml`` (surface.md).

The environment wins over the file. ``docs/settings.md`` lists the same names; a test compares them.
"""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

Transport = Literal["udp", "tcp", "tls"]
RtpSource = Literal["nat", "told", "any"]
"""Where a call's audio may come from: ``told``, only from the address that its SDP names; ``nat``, also, when its SIP
shows a NAT, from the address that the SIP comes from, within 10 seconds; ``any``, whoever sends first."""


class SettingsError(Exception):
    """A setting that cannot be used; the message names it and says what to write instead."""


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
    """``sip:`` URI under which workers and ``<Dial><Sip>`` reach it; default ``sip:NAME@ringback``."""
    rtp_source: RtpSource | None = None
    """Where the audio of its calls may come from (``nat``, ``told``, ``any``); default: ``RINGBACK_RTP_SOURCE``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One SIP listen address."""

    transport: Transport
    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings with their defaults; see :func:`load`."""

    http: str = "127.0.0.1:8080"
    """Listen address of the HTTP server, ``host:port``."""
    public_url: str = ""
    """Base of the URLs that we hand out and of signatures; default: from ``http``."""
    data_dir: Path = Path("./var")
    """Database, recordings, sound cache, credentials."""
    database_url: str = field(default="", repr=False)
    """``postgresql://…``; default: SQLite in the data directory."""
    bus_url: str = ""
    """Reserved for several nodes (``nats://…``); empty: in-process, the only one there is now."""
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
    sip_external_host: str = ""
    """Host that SIP peers see (Contact and SDP) when we are behind a NAT; default: the address that the
    operating system uses towards the peer."""
    rtp_ports: str = "20000-29999"
    """UDP ports for audio."""
    rtp_source: Literal["nat", "told", "any"] = "nat"
    """Where a call's audio may come from: ``told``, only from the address that its SDP names; ``nat``, also, when its
    SIP shows a NAT, from the address that the SIP comes from, within 10 seconds; ``any``, whoever sends first."""
    media_workers: int = 1
    """Worker processes for audio."""
    carrier: str = "simulated"
    """Carrier for numbers that no trunk's prefixes match: ``simulated``, or the name of a trunk."""
    sip_trusted: str = "127.0.0.0/8,::1/128"
    """Networks whose INVITEs need no authentication."""
    test_account_sid: str = ""
    """Test credentials; default: made at the first start."""
    test_auth_token: str = field(default="", repr=False)
    """As above."""
    calls_per_second: float = 0.0
    """Outbound calls started per second and account; 0 = unlimited."""
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
    plugins: str = ""
    """Reserved for the desktop's plugins; default ``plugins`` in the data directory."""
    clock: Literal["real", "virtual"] = "real"
    """``virtual``: time moves by ``/sim/v1/Clock`` and with simulated calls."""
    allow_private_webhooks: bool | None = None
    """Whether webhooks may go to private addresses; default: only when listening on loopback."""
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
    """A number that the first start provisions, so that there is something to call; empty for none."""
    agent_offline_after: float = 30.0
    """Seconds until an agent whose last desktop connection dropped goes to the workspace's timeout activity."""
    notifications: tuple[tuple[str, str], ...] = ()
    """The ``[notifications]`` table: key and text, where an agent's notification is to say something else."""
    callback: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The ``[callback]`` table; its keys are those of ``callbacks/options.py``."""
    trunks: tuple[Trunk, ...] = ()
    """``[trunk.NAME]`` tables."""
    phones: tuple[Phone, ...] = ()
    """``[phone.NAME]`` tables."""

    # --- what follows from them ---------------------------------------------------------------------

    @property
    def http_address(self) -> tuple[str, int]:
        """Host and port of ``http``."""
        host, _, port = self.http.rpartition(":")
        if not host or not port.isdigit() or int(port) > 65535:
            raise SettingsError(f"RINGBACK_HTTP={self.http!r}: write host:port, such as 127.0.0.1:8080")
        return host.strip("[]"), int(port)

    @property
    def base_url(self) -> str:
        """``public_url``, or what follows from ``http``; without a trailing slash."""
        if self.public_url:
            return self.public_url.rstrip("/")
        host, port = self.http_address
        shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
        return f"http://{shown}:{port}"

    @property
    def on_loopback(self) -> bool:
        """Whether the HTTP server listens on a loopback address only."""
        host = self.http_address[0]
        if host == "localhost":
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False

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
        found = []
        for part in self.sip.split(","):
            transport, _, address = part.strip().partition(":")
            host, _, port = address.rpartition(":")
            if transport not in get_args(Transport) or not host or not port.isdigit():
                raise SettingsError(
                    f"RINGBACK_SIP: {part.strip()!r} is not transport:host:port (udp:127.0.0.1:5060)"
                )
            found.append(Listener(transport=transport, host=host.strip("[]"), port=int(port)))  # type: ignore[arg-type]
        if any(one.transport == "tls" for one in found) and not (
            self.sip_tls_certificate and self.sip_tls_key
        ):
            raise SettingsError("a tls: listener needs RINGBACK_SIP_TLS_CERTIFICATE and RINGBACK_SIP_TLS_KEY")
        return found

    @property
    def rtp_range(self) -> range:
        """The RTP ports."""
        low, _, high = self.rtp_ports.partition("-")
        if not (low.isdigit() and high.isdigit() and 1024 <= int(low) < int(high) <= 65535):
            raise SettingsError(f"RINGBACK_RTP_PORTS={self.rtp_ports!r}: write low-high, such as 20000-29999")
        return range(int(low), int(high) + 1)

    @property
    def allowed_emergency_numbers(self) -> tuple[str, ...]:
        """``emergency_numbers`` as numbers."""
        found = tuple(part.strip() for part in self.emergency_numbers.split(",") if part.strip())
        for number in found:
            if not (number.isascii() and number.isdigit() and len(number) <= 6):
                raise SettingsError(f"RINGBACK_EMERGENCY_NUMBERS: {number!r} is no short number, such as 112")
        return found

    @property
    def trusted_networks(self) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        """``sip_trusted`` as networks."""
        try:
            return [
                ipaddress.ip_network(part.strip()) for part in self.sip_trusted.split(",") if part.strip()
            ]
        except ValueError as error:
            raise SettingsError(f"RINGBACK_SIP_TRUSTED: {error}") from None

    def check(self) -> Settings:
        """Return self when every derived value can be made; raise :class:`SettingsError` otherwise."""
        _ = (self.http_address, self.listeners, self.rtp_range, self.trusted_networks)
        _ = self.allowed_emergency_numbers
        if not re.fullmatch(r"[A-Z]{2}", self.home_country):
            raise SettingsError(f"RINGBACK_HOME_COUNTRY={self.home_country!r}: write an ISO code, such as US")
        if urlsplit(self.base_url).scheme not in ("http", "https"):
            raise SettingsError(f"RINGBACK_PUBLIC_URL={self.public_url!r}: write an http(s) URL")
        if self.transcription == "script" and self.carrier != "simulated":
            raise SettingsError(
                "RINGBACK_TRANSCRIPTION=script: only with RINGBACK_CARRIER=simulated; write whisper"
            )
        if self.transcription_workers < 0 or self.transcription_queue < 1:
            raise SettingsError(
                "RINGBACK_TRANSCRIPTION_WORKERS is 0 or more, RINGBACK_TRANSCRIPTION_QUEUE is 1 or more"
            )
        for name in ("speech_workers", "sound_workers", "webhook_connections", "api_requests"):
            if getattr(self, name) < 1:
                raise SettingsError(f"RINGBACK_{name.upper()}={getattr(self, name)}: write 1 or more")
        owners: tuple[Trunk | Phone, ...] = (*self.trunks, *self.phones)
        for one in owners:
            if one.rtp_source not in (None, *get_args(RtpSource)):
                raise SettingsError(f"rtp_source = {one.rtp_source!r} of {one.name}: write nat, told or any")
        names = {trunk.name for trunk in self.trunks}
        if self.carrier != "simulated" and self.carrier not in names:
            raise SettingsError(
                f"RINGBACK_CARRIER={self.carrier!r}: write 'simulated' or a trunk's name ({sorted(names)})"
            )
        return self


def load(
    environ: Mapping[str, str] | None = None, file: Path | None = None, flags: Mapping[str, Any] | None = None
) -> Settings:
    """Read the settings: flags over environment over ``ringback.toml`` (in the working directory by default).

    Raises :class:`SettingsError` with the name of the setting and what to write.
    """
    environ = os.environ if environ is None else environ
    path = file or Path(environ.get("RINGBACK_CONFIG", "ringback.toml"))
    table: dict[str, Any] = {}
    if path.exists():
        try:
            table = tomllib.loads(path.read_text("utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"{path}: {error}") from None
    values: dict[str, Any] = {
        "trunks": tuple(_part(Trunk, name, one) for name, one in table.pop("trunk", {}).items()),
        "phones": tuple(_part(Phone, name, one) for name, one in table.pop("phone", {}).items()),
        "notifications": _texts(table.pop("notifications", {})),
        "callback": _table("callback", (flags or {}).get("callback", table.pop("callback", {}))),
    }
    known = {
        one.name: one
        for one in fields(Settings)
        if one.name not in ("trunks", "phones", "notifications", "callback")
    }
    for name, value in table.items():
        if name not in known:
            raise SettingsError(f"{path}: there is no setting {name!r}")
        values[name] = _read(name, str(known[name].type), value)
    for name, spec in known.items():
        text = environ.get(f"RINGBACK_{name.upper()}")
        if text is not None and text != "":
            values[name] = _read(name, str(spec.type), text)
    for name, value in (flags or {}).items():
        if value is not None and name != "callback":
            values[name] = _read(name, str(known[name].type), value)
    return Settings(**values).check()


def _texts(table: Any) -> tuple[tuple[str, str], ...]:
    """The ``[notifications]`` table; which keys there are is known to ``outcomes/notifications.py``."""
    if not isinstance(table, dict) or not all(isinstance(text, str) for text in table.values()):
        raise SettingsError("[notifications]: expected a table of texts")
    return tuple(table.items())


def _table(name: str, table: Any) -> Mapping[str, Any]:
    """A table whose keys are known to the part that reads it."""
    if not isinstance(table, dict):
        raise SettingsError(f"[{name}]: expected a table")
    return table


def _part(kind: type[Any], name: str, table: Any) -> Any:
    allowed = {one.name for one in fields(kind)}
    if not isinstance(table, dict) or set(table) - allowed:
        raise SettingsError(
            f"[{kind.__name__.lower()}.{name}]: expected a table with keys of {sorted(allowed)}"
        )
    tidy = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    try:
        return kind(**{"name": name, **tidy})
    except TypeError as error:
        raise SettingsError(f"[{kind.__name__.lower()}.{name}]: {error}") from None


def _read(name: str, annotation: str, value: Any) -> Any:
    """Turn text (or a TOML value) into what the annotation of the setting says."""
    text = str(value).strip()
    if annotation.startswith("bool"):
        if isinstance(value, bool):
            return value
        if text.lower() in ("true", "1", "yes", "on"):
            return True
        if text.lower() in ("false", "0", "no", "off"):
            return False
        raise SettingsError(f"RINGBACK_{name.upper()}={text!r}: write true or false")
    if annotation in ("int", "float"):
        try:
            return int(text) if annotation == "int" else float(text)
        except ValueError:
            raise SettingsError(f"RINGBACK_{name.upper()}={text!r}: write a number") from None
    if annotation == "Path":
        return Path(text)
    if annotation.startswith("Literal"):
        choices = [part.strip(" \"'") for part in annotation[8:-1].split(",")]
        if text not in choices:
            raise SettingsError(f"RINGBACK_{name.upper()}={text!r}: write one of {', '.join(choices)}")
    return text
