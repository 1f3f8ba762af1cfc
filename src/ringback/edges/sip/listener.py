"""Where the SIP side listens, and the files of its TLS."""

from dataclasses import dataclass
from typing import Literal

Transport = Literal["udp", "tcp", "tls"]


@dataclass(frozen=True, slots=True)
class Listener:
    """Where to listen; port 0 lets the system choose. `advertise` replaces the host in Via and Contact."""

    transport: Transport
    host: str = "127.0.0.1"
    port: int = 0
    advertise: str | None = None


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files of the TLS listener; `ca` is what outbound connections trust (None: the system's)."""

    certificate: str
    key: str
    ca: str | None = None
