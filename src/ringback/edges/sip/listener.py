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


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """What strangers may do with TCP and TLS: the settings ``RINGBACK_SIP_…``."""

    message_seconds: float = 15.0
    """For the TLS handshake, for the first message, and for each that has begun."""
    idle_seconds: float = 600.0
    """Without a message, where no call and no registration needs the connection."""
    connections: int = 4096
    connections_per_source: int = 1024
