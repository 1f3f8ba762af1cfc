"""What an application asked us to remember for the length of one call: cookies and credentials.

Webhooks sheet, sections 6 and 7. One jar per call (per pair of numbers for messaging), kept by its owner.
"""

from __future__ import annotations

from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

import aiohttp
from yarl import URL

from ringback.web.webhooks.auth import Challenge
from ringback.web.webhooks.target import Target

MAX_COOKIES = 50
MAX_COOKIE_BYTES = 4_096
MAX_LOGINS = 10


@dataclass(slots=True)
class Login:
    """Credentials for one origin, with the challenge they answered; never printed."""

    user: str
    password: str
    challenge: Challenge | None = None

    def __repr__(self) -> str:
        return "Login(…)"


class CookieJar:
    """Cookies (RFC 6265: domain, path, expiry, secure) and logins of one call; both bounded."""

    def __init__(self) -> None:
        self._cookies: aiohttp.CookieJar | None = None
        self._logins: dict[tuple[str, str, int], Login] = {}

    def cookie_header(self, target: Target) -> str:
        """The Cookie header for a request, or an empty string. Call it inside a running event loop."""
        if self._cookies is None:
            return ""
        found = self._cookies.filter_cookies(URL(target.url, encoded=True))
        return "; ".join(f"{name}={morsel.coded_value}" for name, morsel in sorted(found.items()))

    def remember_cookies(self, target: Target, set_cookie: list[str]) -> None:
        """Take the Set-Cookie headers of an answer; too large or too many ones are dropped."""
        if self._cookies is None:
            # unsafe=True: hosts that are IP addresses may set cookies too (host-only, RFC 6265 §5.1.3).
            self._cookies = aiohttp.CookieJar(unsafe=True, quote_cookie=False)
        for line in set_cookie[:MAX_COOKIES]:
            if len(line) > MAX_COOKIE_BYTES or len(self._cookies) >= MAX_COOKIES:
                continue
            try:
                cookie = SimpleCookie(line)
            except CookieError:
                # An unreadable cookie is ignored, as browsers do (RFC 6265 §5.2).
                continue
            self._cookies.update_cookies(cookie, URL(target.url, encoded=True))

    def login(self, target: Target) -> Login | None:
        """Credentials for a request: those written in its URL, else what the origin accepted before."""
        known = self._logins.get(target.origin)
        if target.user:
            if known is None or (known.user, known.password) != (target.user, target.password):
                known = Login(target.user, target.password)
                if len(self._logins) < MAX_LOGINS:
                    self._logins[target.origin] = known
            return known
        return known
