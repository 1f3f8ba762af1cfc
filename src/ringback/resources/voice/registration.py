"""Registration: a contact that a SIP phone registered (RFC 3261 §10)."""

from __future__ import annotations

from ringback.kernel.resource import Record, field, resource


@resource(
    "/v1/Registrations",
    sid="RP",
    key="registrations",
    product="voice",
    can=(),
    tag="Registrations of SIP phones",
)
class Registration(Record):
    """Where a registered phone can be reached, kept so that a restart forgets no phone. Not served by REST.

    Only contacts over UDP are kept: a TCP or TLS connection dies with the server, and the phone, which sees that,
    registers again.
    """

    phone: str = field("")
    """Name of the phone: the user part of the address that it registered."""
    contact: str = field("")
    """The contact's URI, as the phone gave it."""
    next_hop: str = field("")
    """``host:port`` that the registration really came from: calls go there."""
    transport: str = field("udp")
    """How it is reached."""
    quality: float = field(1.0)
    """The contact's ``q``: the highest is rung."""
    expires: float = field(0.0)
    """Unix seconds until which it may be used. Never sooner than the phone was promised, and so much later that
    most refreshes need not be written."""
    sip_call_id: str = field("")
    """Call-ID of the REGISTER that was written last."""
    cseq: int = field(0)
    """CSeq of that REGISTER."""
