"""Our registration at a trunk (RFC 3261 section 10.2): digest, refresh before expiry, back-off after failure."""

import secrets
from typing import Literal

from ringback.edges.sip.stack import Hop, Stack, Trouble
from ringback.sip.digest import answer_challenge
from ringback.sip.message import Headers, MalformedMessage, Request, Response
from ringback.sip.timer import Deadline
from ringback.sip.uri import host_port, is_address

RegistrationState = Literal["registering", "registered", "failed", "stopped"]
_FIRST_RETRY = 5.0
_LONGEST_RETRY = 600.0


class Registration:
    """One account at one registrar. `state` and `last_code` (0: none yet) can be read at any time."""

    def __init__(
        self, stack: Stack, hop: Hop, registrar: str, username: str, password: str, *, expires: int
    ) -> None:
        self.state: RegistrationState = "registering"
        self.last_code = 0
        self.username = username
        self._stack = stack
        self._hop = hop
        self._address = hop
        self._password = password
        self._expires = expires
        host = f"[{hop.host}]" if ":" in hop.host else hop.host
        self._domain = host_port(hop.host, hop.port) if is_address(hop.host) else host
        self._call_id = f"{secrets.token_hex(12)}@ringback"
        self._tag = secrets.token_hex(6)
        self._cseq = 0
        self._retry = _FIRST_RETRY
        self._next: Deadline | None = None

    def start(self) -> None:
        """Send the first REGISTER."""
        self._stack.resolve(self._hop, self._resolved)

    def stop(self) -> None:
        """Unregister once and never again."""
        if self.state == "stopped":
            return
        registered = self.state == "registered"
        self.state = "stopped"
        if self._next is not None:
            self._next.cancel()
        if registered:
            self._send(0)

    def _resolved(self, hop: Hop | None) -> None:
        if self.state == "stopped":
            return
        if hop is None:
            self._trouble("transport")
        else:
            self._address = hop
            self._send(self._expires)

    def _send(self, expires: int, authorization: tuple[str, str] | None = None) -> None:
        self._cseq += 1
        uri = f"sip:{self._domain}"
        aor = f"<sip:{self.username}@{self._domain}>"
        headers = Headers([("From", f"{aor};tag={self._tag}"), ("To", aor), ("Call-ID", self._call_id)])
        headers.set("CSeq", f"{self._cseq} REGISTER")
        headers.set("Expires", str(expires))
        try:
            contact = self._stack.contact(self._stack.flow(self._address))
        except ConnectionError:
            self._stack.defer(lambda: self._trouble("transport"))
            return
        headers.set("Contact", contact.replace("<sip:", f"<sip:{self.username}@"))
        if authorization is not None:
            headers.set(*authorization)

        def came(response: Response) -> None:
            self._came(response, uri, expires, retried=authorization is not None)

        self._stack.request(Request("REGISTER", uri, headers), self._address, came, self._trouble)

    def _came(self, response: Response, uri: str, expires: int, *, retried: bool) -> None:
        if response.code < 200:
            return
        if response.code in (401, 407) and not retried:
            proxy = response.code == 407
            value = answer_challenge(
                response.headers.all("proxy-authenticate" if proxy else "www-authenticate"),
                method="REGISTER",
                uri=uri,
                username=self.username,
                password=self._password,
                cnonce=secrets.token_hex(8),
            )
            if value is not None:
                self._send(expires, ("Proxy-Authorization" if proxy else "Authorization", value))
                return
        self.last_code = response.code
        if self.state == "stopped":
            return
        if response.code == 423 and (response.number("min-expires") or 0) > self._expires:
            self._expires = min(response.number("min-expires") or 3600, 86_400)
            self._send(self._expires)
        elif response.code < 300:
            self.state = "registered"
            self._retry = _FIRST_RETRY
            granted = _granted(response, self._expires)
            self._again(max(granted - 30, granted / 2))
        else:
            self._back_off()

    def _trouble(self, trouble: Trouble) -> None:
        self.last_code = 408 if trouble == "timeout" else 503
        if self.state != "stopped":
            self._back_off()

    def _back_off(self) -> None:
        self.state = "failed"
        wait = self._retry * (0.75 + secrets.randbelow(500) / 1000)
        self._retry = min(self._retry * 2, _LONGEST_RETRY)
        self._again(wait)

    def _again(self, seconds: float) -> None:
        if self._next is not None:
            self._next.cancel()
        self._next = self._stack.after(seconds, self.start)


def _granted(response: Response, asked: int) -> int:
    """Seconds that the registrar granted: the Contact's expires, else the header, else what we asked."""
    found: list[int] = []
    try:
        for contact in response.addresses("contact"):
            text = contact.params.get("expires") or ""
            if text.isascii() and text.isdigit() and len(text) < 9:
                found.append(int(text))
    except MalformedMessage:
        found = []
    seconds = min(found) if found else response.number("expires")
    return max(10, min(seconds if seconds else asked, 86_400))
