"""The far end of one call: where requests within the dialog go, digest where it asks for it, ACKs."""

import secrets
from collections.abc import Callable, Sequence
from typing import Any

from ringback.edges.sip.stack import Hop, Stack, Trouble
from ringback.sip.dialog import Dialog
from ringback.sip.digest import answer_challenge, parse_digest
from ringback.sip.message import MalformedMessage, Request, Response
from ringback.sip.uri import BadAddress, is_address, is_public, is_reachable, parse_name_addr

Header = tuple[str, str]
_KNOWN = ("udp", "tcp", "tls")
ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY, REGISTER"
SUPPORTED = "100rel, timer"


class Peer:
    """See the module. `hop` is where the call really goes to or comes from, once that is known.

    `translated`: it names itself by another address than the one it was heard from or is called at, so that there is
    a NAT in between and its private addresses are none of ours.
    """

    def __init__(self, stack: Stack) -> None:
        self.hop: Hop | None = None
        self.translated = False
        self.credentials: tuple[str, str] | None = None
        self._stack = stack

    def hop_for(self, dialog: Dialog) -> Hop:
        """Where in-dialog requests go (RFC 3261 section 12.2.1.1): the route or target.

        An address that cannot be reached from where the peer is gives way to the one really used.
        """
        assert self.hop is not None
        uri = dialog.target
        if dialog.routes:
            try:
                uri = parse_name_addr(dialog.routes[0]).uri
            except BadAddress:
                return self.hop
        elif self.hop.transport != "udp" and getattr(self.hop.flow, "open", True):
            return self.hop  # a connection that has closed is replaced by one to the contact
        host, transport = uri.bare_host, uri.transport
        if not is_address(host) or self._hidden(host):
            return self.hop
        if transport not in _KNOWN or (":" in host) != (":" in self.hop.host):
            return self.hop  # no way for us: the one that has worked is the better guess
        flow = (
            self.hop.flow
            if transport == self.hop.transport and (transport == "udp" or host == self.hop.host)
            else None
        )
        return Hop(transport, host, uri.port or (5061 if transport == "tls" else 5060), flow)

    def names(self, host: str) -> None:
        """The address by which it names itself in its Via, or that it is registered with."""
        assert self.hop is not None
        self.translated = is_address(host) and host != self.hop.host

    def behind_nat(self, dialog: Dialog | None) -> bool:
        """Whether its signalling shows that its own addresses are not ours."""
        host = dialog.target.bare_host if dialog is not None else ""
        return self.translated or (is_address(host) and self._hidden(host))

    def _hidden(self, host: str) -> bool:
        assert self.hop is not None
        if host == self.hop.host:
            return False
        return not is_reachable(host, self.hop.host) or (self.translated and not is_public(host))

    def ask(
        self,
        dialog: Dialog,
        method: str,
        on_final: Callable[[Response], None],
        on_trouble: Callable[[Trouble], None],
        *,
        headers: Sequence[Header] = (),
        body: tuple[str, bytes] | None = None,
        authorization: Header | None = None,
    ) -> None:
        """Send a request within the dialog. A 2xx to INVITE gets its ACK here, and is told again when repeated."""
        request = dialog.request(method)
        for name, value in headers:
            request.headers.add(name, value)
        if authorization is not None:
            request.headers.set(*authorization)
        if body is not None:
            request.headers.set("Content-Type", body[0])
            request.body = body[1]

        def came(response: Response) -> None:
            if response.code < 200:
                return
            if response.code in (401, 407) and authorization is None:
                answer = self.credentials_for(response, method, request.target)
                if answer is not None:
                    self.ask(
                        dialog, method, on_final, on_trouble, headers=headers, body=body, authorization=answer
                    )
                    return
            if method == "INVITE" and response.code < 300:
                dialog.refresh_target(contact_of(response))
                self.ack(dialog, request)
            on_final(response)

        self._stack.request(request, self.hop_for(dialog), came, on_trouble)

    def ack(self, dialog: Dialog, invite: Request) -> Callable[[], None]:
        """Acknowledge a 2xx, with the INVITE's credentials (RFC 3261 section 22.1); the result sends it again."""
        ack = dialog.request("ACK", cseq=invite.cseq[0])
        for name in ("Authorization", "Proxy-Authorization"):
            if values := invite.headers.all(name.lower()):
                ack.headers.set_all(name, list(values))
        return self._stack.send_ack(ack, self.hop_for(dialog))

    def bye(self, dialog: Dialog) -> None:
        """Say BYE; whatever is answered, the call is over."""
        self.ask(dialog, "BYE", lambda response: None, lambda trouble: None)

    def credentials_for(self, response: Response, method: str, target: str) -> Header | None:
        """The (header, value) that answers a 401 or 407, or None."""
        if self.credentials is None:
            return None
        proxy = response.code == 407
        user, password = self.credentials
        value = answer_challenge(
            response.headers.all("proxy-authenticate" if proxy else "www-authenticate"),
            method=method,
            uri=target,
            username=user,
            password=password,
            cnonce=secrets.token_hex(8),
        )
        return ("Proxy-Authorization" if proxy else "Authorization", value) if value else None


def is_stale(response: Response) -> bool:
    """Whether a challenge only says that our nonce was too old."""
    for text in (*response.headers.all("www-authenticate"), *response.headers.all("proxy-authenticate")):
        asked = parse_digest(text)
        if asked is not None and asked["stale"].lower() == "true":
            return True
    return False


def contact_of(message: Request | Response) -> Any:
    """The Contact, or None when there is none that can be read."""
    try:
        return message.contact
    except MalformedMessage:
        return None
