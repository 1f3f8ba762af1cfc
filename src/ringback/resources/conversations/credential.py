"""Credential: what push notifications are sent with (conversations.md §1)."""

from __future__ import annotations

from ringback.kernel.resource import CRUD, Record, field, resource


@resource("/v1/Credentials", product="conversations", sid="CR", key="credentials", can=CRUD)
class Credential(Record):
    """Access to a service of push notifications. It is kept, and its secrets are never shown; nothing is pushed yet."""

    friendly_name: str | None = field(None, write=True, max_length=64)
    """A name for people."""
    type: str = field("", write="create", required=True, choices=("apn", "gcm", "fcm"))
    """``apn`` (Apple), ``fcm`` or ``gcm`` (Google)."""
    sandbox: bool | None = field(None, write=True, wire={True: "True", False: "False"})
    """Of apn: whether the certificate is one of development."""

    certificate: str | None = field(None, hidden=True, write=True, max_length=16_384)
    """Of apn: the certificate, PEM."""
    private_key: str | None = field(None, hidden=True, write=True, max_length=16_384)
    """Of apn: its private key, PEM."""
    api_key: str | None = field(None, hidden=True, write=True, max_length=4096)
    """Of gcm: the key of the API."""
    secret: str | None = field(None, hidden=True, write=True, max_length=16_384)
    """Of fcm: the server key, or the JSON of a service account."""
