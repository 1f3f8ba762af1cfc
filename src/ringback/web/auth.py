"""Who is asking: basic credentials and access tokens (rest-conventions.md §1, voice-sdk.md)."""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ringback.kernel.errors import Refused
from ringback.kernel.sid import is_sid
from ringback.resources.api.account import Account
from ringback.resources.api.key import Key
from ringback.store import Store

CONTENT_TYPE = "twilio-fpa;v=1"
"""The ``cty`` header of access tokens."""
LATEST = 253_402_300_799
"""The last second that a date can tell: the end of the year 9999."""
_CACHE_SECONDS = 5.0
_CACHE_SIZE = 1000


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller."""

    account: Account
    key: Key | None = None
    is_test: bool = False
    """Test credentials: nothing is dialled, most resources are closed (errors.md 20008)."""

    @property
    def may_manage(self) -> bool:
        """Whether accounts and keys are open to it: not to standard API keys."""
        return self.key is None or self.key.main


class Authenticator:
    """Checks ``Authorization`` headers; keeps good ones, and accounts, for some seconds, until ``forget``."""

    def __init__(
        self, store: Store, now: Callable[[], float], test_account_sid: str = "", test_auth_token: str = ""
    ) -> None:
        self._store = store
        self._now = now
        self._test = (test_account_sid, test_auth_token)
        self._cache: dict[str, tuple[float, Caller]] = {}
        self._accounts: dict[str, tuple[float, Account | None]] = {}

    def forget(self) -> None:
        """An account or key has changed."""
        self._cache.clear()
        self._accounts.clear()

    async def account(self, sid: str) -> Account | None:
        """An account by its SID, for what every call needs of it (its auth token signs webhooks)."""
        kept, now = self._accounts.get(sid), self._now()
        if kept is not None and 0 <= now - kept[0] < _CACHE_SECONDS:
            return kept[1]
        found = await self._store.get(Account, sid)
        if len(self._accounts) >= _CACHE_SIZE:
            self._accounts.clear()
        self._accounts[sid] = (now, found)
        return found

    async def subaccount(self, owner: Account, sid: str) -> Account | None:
        """An account that belongs to another; None when there is none, or when it belongs to a third."""
        found = await self._store.get(Account, sid) if is_sid(sid, "AC") else None
        return found if found is not None and found.account_sid == owner.sid else None

    async def active(self, account: Account) -> bool:
        """Whether it may do anything: it is active, and so is the account that it belongs to."""
        if account.status != "active" or account.account_sid == account.sid:
            return account.status == "active"
        owner = await self.account(account.account_sid)
        return owner is not None and owner.status == "active"

    async def nobody(self, sid: str, path: str) -> Caller:
        """Who comes without credentials sees what the path's account has; raises 20404 when it is not active."""
        found = await self._store.get(Account, sid[:2] + sid[2:].lower()) if is_sid(sid, "AC") else None
        if found is None or not await self.active(found):
            raise Refused(20404, f"The requested resource {path} was not found", 404)
        return Caller(found)

    async def token(self, token: str) -> dict[str, Any]:
        """The claims of an access token; raises ``Refused`` 401, 20101 to 20107."""
        return await read_token(self._store, token, self._now())

    async def signer(self, issuer: str, subject: str) -> None:
        """Raises ``Refused`` (401, 20103) when the key that signed an access token is there no more."""
        await _secret(self._store, issuer, subject)

    async def caller(self, header: str) -> Caller:
        """Tell who sent this header; raises ``Refused`` 401/20003."""
        kept = self._cache.get(header)
        now = self._now()
        if kept is not None and 0 <= now - kept[0] < _CACHE_SECONDS:
            return kept[1]
        caller = await self._check(header)
        if len(self._cache) >= _CACHE_SIZE:
            self._cache.clear()
        self._cache[header] = (now, caller)
        return caller

    async def _check(self, header: str) -> Caller:
        scheme, _, rest = header.partition(" ")
        if scheme.lower() != "basic" or len(rest) > 1000:
            raise _unknown()
        try:
            user, colon, password = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            raise _unknown() from None
        if not colon or not is_sid(user, "AC", "SK"):
            raise _unknown()
        user = user[:2] + user[2:].lower()
        if user == self._test[0] and self._test[1]:
            _same(password, self._test[1])
            account = await self._store.get(Account, user) or Account(
                sid=user, account_sid=user, friendly_name="Test credentials", auth_token=self._test[1]
            )
            return Caller(account, is_test=True)
        if user.startswith("AC"):
            found = await self._store.get(Account, user)
            _same(password, found.auth_token if found else "")
            assert found is not None
            return Caller(found)
        key = await self._store.get(Key, user)
        _same(password, key.secret if key else "")
        assert key is not None
        owner = await self._store.get(Account, key.account_sid)
        if owner is None:
            raise _unknown()
        return Caller(owner, key)


def _same(given: str, wanted: str) -> None:
    """Compare in constant time; an empty secret never matches."""
    if not hmac.compare_digest(given.encode(), wanted.encode()) or not wanted:
        raise _unknown()


def _unknown() -> Refused:
    return Refused(20003, "Authenticate", 401)


def make_token(
    *,
    account_sid: str,
    key_sid: str,
    secret: str,
    identity: str,
    grants: Mapping[str, Any],
    now: float,
    seconds: int = 3600,
) -> str:
    """Make an access token as the official library makes it (JWT, HS256)."""
    payload = {
        "jti": f"{key_sid}-{int(now)}",
        "iss": key_sid,
        "sub": account_sid,
        "iat": int(now),
        "exp": int(now) + seconds,
        "grants": {"identity": identity, **grants},
    }
    import jwt  # with its cryptography it weighs 9 MB, and only browsers' tokens need it

    return jwt.encode(payload, secret, algorithm="HS256", headers={"cty": CONTENT_TYPE})


def make_access_token(
    known: Mapping[str, str],
    *,
    identity: str,
    ttl: int = 3600,
    workspace: str | None = None,
    worker: str | None = None,
    now: float | None = None,
) -> str:
    """An access token for the first account, signed with its auth token (``ringback token``).

    ``known`` holds ``account_sid`` and ``auth_token``; ``ttl`` is in seconds; ``now`` (Unix seconds) is
    the system's time by default.
    """
    grants: dict[str, Any] = {"voice": {"incoming": {"allow": True}}}
    if workspace or worker:
        grants["task_router"] = {"workspace_sid": workspace, "worker_sid": worker, "role": "worker"}
    return make_token(
        account_sid=known["account_sid"],
        key_sid=known["account_sid"],
        secret=known["auth_token"],
        identity=identity,
        grants=grants,
        now=time.time() if now is None else now,
        seconds=ttl,
    )


async def read_token(store: Store, token: str, now: float) -> dict[str, Any]:
    """Verify an access token; return its payload. Raises ``Refused`` 401, 20101–20107 (errors.md §3.4)."""
    import jwt

    if len(token) > 16_000:
        raise Refused(20101, "Invalid Access Token", 401)
    try:
        header = jwt.get_unverified_header(token)
        claims = jwt.decode(token, options={"verify_signature": False})
    except (jwt.InvalidTokenError, RecursionError):  # its JSON may be nested as deeply as it is long
        raise Refused(20101, "Invalid Access Token", 401) from None
    if header.get("cty") != CONTENT_TYPE or header.get("alg") != "HS256":
        raise Refused(20102, "Invalid Access Token header", 401)
    issuer, subject = claims.get("iss"), claims.get("sub")
    if not (isinstance(issuer, str) and isinstance(subject, str) and is_sid(issuer, "SK", "AC")):
        raise Refused(20103, "Invalid Access Token issuer/subject", 401)
    secret = await _secret(store, issuer, subject)
    options: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
    try:
        jwt.decode(token, secret, algorithms=["HS256"], options=options)
    except jwt.InvalidTokenError:
        raise Refused(20107, "Invalid Access Token signature", 401) from None
    expires, begins = _moment(claims.get("exp")), _moment(claims.get("nbf", 0))
    if begins is None:
        raise Refused(20101, "Invalid Access Token", 401)
    if expires is None or expires <= now:
        raise Refused(20104, "Access Token expired or expiration date invalid", 401)
    if begins > now + 5:
        raise Refused(20105, "Access Token not yet valid", 401)
    if not isinstance(claims.get("grants"), dict):
        raise Refused(20106, "Invalid Access Token grants", 401)
    return claims


def _moment(value: Any) -> float | None:
    """A time in a token (Unix seconds, RFC 7519 §2); None for what is no time, such as NaN, which no time is after."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LATEST:
        return None
    return float(value)


async def _secret(store: Store, issuer: str, subject: str) -> str:
    if issuer.startswith("SK"):
        key = await store.get(Key, issuer)
        if key is not None and key.account_sid == subject and key.secret:
            return key.secret
    elif issuer == subject:
        account = await store.get(Account, issuer)
        if account is not None and account.auth_token:
            return account.auth_token
    raise Refused(20103, "Invalid Access Token issuer/subject", 401)
