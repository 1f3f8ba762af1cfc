"""From what went wrong on the wire to a number of the errors sheet (section 3.1) and a retry class."""

from __future__ import annotations

import errno
import ssl
from dataclasses import dataclass

import aiohttp

from ringback.web.webhooks.guard import Forbidden


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an exchange failed. `retry` is its class (`ct`, `rt`, `4xx`, `5xx`), empty for never."""

    code: int
    text: str
    retry: str = ""


class Interrupted(aiohttp.ClientError):
    """The exchange broke after the connection stood; says how far it had come."""

    def __init__(self, cause: BaseException, *, partial: bool, reused: bool) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.partial = partial
        """Some bytes of an answer had come: never tried again (webhooks sheet, section 4)."""
        self.reused = reused
        """The connection had served before: the far end may just have closed an idle connection."""


def explain(error: BaseException, *, partial: bool = False) -> Failure:
    """Classify an exception of the HTTP client. A partial answer has no retry class."""
    if isinstance(error, Interrupted):
        return explain(error.cause, partial=error.partial)
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return Failure(11201, "The connection was not made in time.", "ct")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        cause = error.os_error
        if isinstance(cause, Forbidden):
            return Failure(11210, str(cause))
        return Failure(11210, f"The host name {error.host[:100]} has no address.")
    if isinstance(error, Forbidden):
        return Failure(11210, str(error))
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return _certificate(error.certificate_error)
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return Failure(11220, "The TLS handshake failed.", "ct")
    if isinstance(error, aiohttp.ClientConnectorError):
        if error.os_error.errno == errno.ECONNREFUSED or isinstance(error.os_error, ConnectionRefusedError):
            return Failure(11202, "The connection was refused.", "ct")
        return Failure(11205, f"The connection failed: {error.os_error.strerror or 'no route'}.", "ct")
    if isinstance(error, aiohttp.ClientResponseError):
        return Failure(11206, "The answer is not HTTP.")
    again = "" if partial else "rt"
    if isinstance(error, TimeoutError):
        return Failure(11205, "The answer did not come in time.", again)
    if isinstance(error, aiohttp.ClientPayloadError):
        return Failure(11205, "The connection ended in the middle of the answer.")
    return Failure(11205, "The connection ended before the answer was complete.", again)


def _certificate(error: Exception) -> Failure:
    # X509_V_ERR_HOSTNAME_MISMATCH = 62, X509_V_ERR_IP_ADDRESS_MISMATCH = 64, X509_V_ERR_CERT_HAS_EXPIRED = 10
    code = getattr(error, "verify_code", 0)
    if code in (62, 64):
        return Failure(11235, "The certificate is for another host name.", "ct")
    if code == 10:
        return Failure(11236, "The certificate has expired.", "ct")
    return Failure(11237, "The certificate is not signed by an authority that is trusted.", "ct")
