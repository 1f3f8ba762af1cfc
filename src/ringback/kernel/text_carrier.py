"""Those who carry texts for us, as ``ringback.toml`` names them: ``[smpp.NAME]`` and ``[http_carrier.NAME]``."""

from __future__ import annotations

import re
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Final, Literal, get_args

from ringback.kernel import setting
from ringback.kernel.fields import http_url

Bind = Literal["transceiver", "pair"]
Alphabet = Literal["gsm", "latin-1", "ascii"]
Receipts = Literal["final", "failure", "off"]
IdForm = Literal["auto", "same", "hex", "decimal"]
Proof = Literal["signature", "bearer"]
_CHOICES: Final = {"Proof": Proof, "Bind": Bind, "Alphabet": Alphabet, "Receipts": Receipts, "IdForm": IdForm}


@dataclass(frozen=True, slots=True, kw_only=True)
class Smpp:
    """A carrier's SMSC that we are a client of (SMPP 3.4): ``[smpp.NAME]`` in ``ringback.toml``."""

    name: str
    host: str
    """Host name or address of the SMSC."""
    port: int = 2775
    """Its port; with TLS often 3550."""
    system_id: str
    """Who we are; at most 15 characters."""
    password: str = field(default="", repr=False)
    """At most 8 characters by the specification; more are sent as they are."""
    system_type: str = ""
    """What kind of client, when the SMSC asks for it."""
    bind: Bind = "transceiver"
    """``transceiver``: one connection both ways; ``pair``: a transmitter and a receiver."""
    tls: bool = False
    """The connection is encrypted, and the SMSC's certificate checked."""
    tls_ca: str = ""
    """PEM file with the authority of its certificate; default: those that the system trusts."""
    numbers: tuple[str, ...] = ()
    """Our addresses whose messages leave here (E.164, short codes, names); ``*``: all that nobody else has."""
    source_ton: int = -1
    """Type of number of our addresses; -1: by their form (international 1, short code 3, name 5)."""
    source_npi: int = -1
    """Numbering plan of our addresses; -1: 1 for numbers, 0 for names and short codes."""
    dest_ton: int = -1
    """Type of number of those we write to; -1: by their form."""
    dest_npi: int = -1
    """Numbering plan of those we write to; -1: by their form."""
    service_type: str = ""
    """Service of the messages, when the SMSC asks for it."""
    throughput: float = 10.0
    """Parts of messages (``submit_sm``) in a second; 0 = no limit."""
    window: int = 10
    """Requests that may wait for their response at a time."""
    enquire_link: float = 30.0
    """Seconds of silence after which the SMSC is asked whether it is there; 0 = never."""
    response_timeout: float = 30.0
    """Seconds for the response to a request; then whether a message was sent is unclear."""
    patience: float = 300.0
    """Seconds that a message waits for the connection, or while the SMSC takes no more, before it is failed."""
    registered_delivery: Receipts = "final"
    """Receipts that are asked for: ``final``, of every outcome; ``failure``, of failures only; ``off``, none."""
    receipt_ids: IdForm = "auto"
    """How receipts write the ids that responses give: ``same``; ``hex`` or ``decimal``, the receipts' are of that base
    and the responses' of the other; ``auto``: alike, and long ones in either base."""
    default_alphabet: Alphabet = "gsm"
    """What ``data_coding`` 0 means to the SMSC."""
    wide_references: bool = False
    """The parts of a long message are told by a reference of 16 bits; default: 8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCarrier:
    """A carrier that takes and delivers messages by HTTP: ``[http_carrier.NAME]`` in ``ringback.toml``."""

    name: str
    send_url: str
    """Where messages are posted."""
    token: str = field(repr=False)
    """Sent with each as ``Authorization: Bearer``."""
    webhook_secret: str = field(repr=False)
    """What the carrier proves itself by when it posts to us; 16 characters or more."""
    webhook_auth: Proof = "signature"
    """How: ``signature``, it signs each request with the secret; ``bearer``, it sends the secret itself as
    ``Authorization: Bearer``."""
    numbers: tuple[str, ...] = ()
    """Our addresses whose messages leave here: numbers, or with the channel before them (``whatsapp:+15550100``);
    ``whatsapp:*``: all of that channel."""
    throughput: float = 50.0
    """Messages in a second; 0 = no limit."""
    timeout: float = 15.0
    """Seconds for the carrier's answer; then whether a message was sent is unclear."""
    patience: float = 300.0
    """Seconds that a message waits while the carrier takes no more (429, 503) before it is failed."""


_BOUNDS: Final = {
    "port": (1, 65535),
    **dict.fromkeys(("source_ton", "dest_ton"), (-1, 7)),
    **dict.fromkeys(("source_npi", "dest_npi"), (-1, 18)),
    "window": (1, 1000),
    "throughput": (0, 10_000),
    "enquire_link": (0, 3600),
    **dict.fromkeys(("response_timeout", "timeout"), (0.1, 600)),
    "patience": (0, 86_400),
}
_WORD: Final = (r"[!-~]{1,%d}", "printable ASCII characters without blanks, at most %d")
_LENGTHS: Final = {"system_id": 15, "password": 64, "system_type": 12, "service_type": 5}
_NUMBER: Final = (
    r"\*|\+[1-9][0-9]{1,14}|[0-9]{3,8}|[A-Za-z0-9 ]{1,11}",
    '"+15550100", a short code, a name, or "*"',
)
_ADDRESS: Final = (
    r"([a-z][a-z0-9_]{1,19}:[^\s]{1,64})|\+[1-9][0-9]{1,14}|[0-9]{3,8}",
    '"whatsapp:+15550100", "whatsapp:*", or a number',
)
_NAME: Final = (r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}", "letters, digits, - and _, at most 40")


def carried(numbers: tuple[str, ...], address: str) -> bool:
    """Whether an address is one of those of an HTTP carrier (``whatsapp:*``: all of that channel)."""
    prefix, colon, _ = address.partition(":")
    return address in numbers or (bool(colon) and f"{prefix}:*" in numbers)


def read(smpps: dict[str, Any], https: dict[str, Any]) -> dict[str, tuple[Smpp | HttpCarrier, ...]]:
    """The carriers of the tables ``[smpp]`` and ``[http_carrier]``, by the names of their settings. Raises
    :class:`~ringback.kernel.setting.SettingsError`; also when two want the messages of one address."""
    found: dict[str, tuple[Smpp | HttpCarrier, ...]] = {
        "smpp": tuple(smpp(name, one) for name, one in smpps.items()),
        "http_carriers": tuple(http_carrier(name, one) for name, one in https.items()),
    }
    taken: dict[str, str] = {}
    for kind, carriers in (("smpp", found["smpp"]), ("http_carrier", found["http_carriers"])):
        for each in carriers:
            for address in each.numbers:
                first = taken.setdefault(address, f"[{kind}.{each.name}]")
                if first != f"[{kind}.{each.name}]":
                    raise setting.refusal(
                        f"[{kind}.{each.name}] numbers", address, f"it in one place only; {first} has it too"
                    )
    return found


def smpp(name: str, table: Any) -> Smpp:
    """Read ``[smpp.NAME]``. Raises :class:`~ringback.kernel.setting.SettingsError`."""
    where = f"[smpp.{name}]"
    found: Smpp = _read(Smpp, where, name, table)
    setting.formed(f"{where} host", found.host, (setting.HOST, "a host name or an address"))
    for key, most in _LENGTHS.items():
        form = (_WORD[0] % most, _WORD[1] % most)
        setting.formed(f"{where} {key}", getattr(found, key), form, secret=key == "password")
    for each in found.numbers:
        setting.formed(f"{where} numbers", each, _NUMBER)
    return found


def http_carrier(name: str, table: Any) -> HttpCarrier:
    """Read ``[http_carrier.NAME]``. Raises :class:`~ringback.kernel.setting.SettingsError`."""
    where = f"[http_carrier.{name}]"
    found: HttpCarrier = _read(HttpCarrier, where, name, table)
    try:
        http_url(found.send_url)
    except ValueError:
        raise setting.refusal(
            f"{where} send_url", found.send_url, "an http(s) URL: https://carrier.example/messages"
        ) from None
    setting.formed(
        f"{where} token", found.token, (r"[!-~]{1,1024}", "printable ASCII without blanks"), secret=True
    )
    least = (r"[!-~]{16,256}", "16 to 256 printable ASCII characters without blanks")
    setting.formed(f"{where} webhook_secret", found.webhook_secret, least, secret=True)
    if not found.numbers:
        raise setting.SettingsError(
            f'{where}: numbers is missing: write numbers = ["whatsapp:+15550100"] below it'
        )
    for each in found.numbers:
        setting.formed(f"{where} numbers", each, _ADDRESS)
    return found


def _read(kind: type[Any], where: str, name: str, table: Any) -> Any:
    if not re.fullmatch(_NAME[0], name):
        raise setting.SettingsError(f"{where}: write a name of {_NAME[1]}")
    known = {one.name: one for one in fields(kind) if one.name != "name"}
    if not isinstance(table, dict):
        raise setting.SettingsError(f"{where}: write a table with keys of {', '.join(known)}")
    for key in table:
        if key not in known:
            near = setting.meant(key, known) or f"; there are {', '.join(known)}"
            raise setting.SettingsError(f"{where} {key}: there is no such key{near}")
    for key, one in known.items():
        if one.default is MISSING and table.get(key, "") == "":
            raise setting.SettingsError(f'{where}: {key} is missing: write {key} = "…" below it')
    return kind(
        name=name, **{key: _entry(f"{where} {key}", key, known[key], value) for key, value in table.items()}
    )


def _entry(shown: str, key: str, one: Any, value: Any) -> Any:
    kind = str(one.type)
    if kind in _CHOICES:
        return setting.choice(shown, value, get_args(_CHOICES[kind]))
    if kind == "bool":
        return setting.truth(shown, value)
    if kind in ("int", "float"):
        return setting.number(shown, value, kind, _BOUNDS[key])
    if kind.startswith("tuple"):
        return setting.texts(shown, value)
    return setting.text(shown, value, secret=key in ("password", "token", "webhook_secret"))
