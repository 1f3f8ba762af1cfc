"""Who may ask for what: every route and socket asks here, and nobody else decides (rest-conventions.md §1).

An account counts as active when it is, and the one that it belongs to is too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ringback.kernel.errors import Refused
from ringback.resources.api.account import Account
from ringback.resources.conversations.user import User
from ringback.web.auth import Authenticator, Caller
from ringback.web.grant import WEB_CHAT, Grant, TaskRouter, Visitor, read_chat_grant, read_grant
from ringback.web.routes import Rule


class Access:
    """Decides by credentials, rule and account."""

    def __init__(self, auth: Authenticator, operator_sid: str = "") -> None:
        """``operator_sid``: the first account; empty: there is none, and nobody operates."""
        self._auth, self._operator = auth, operator_sid

    async def admit(self, header: str, rule: Rule, sid: str = "", path: str = "") -> Caller:
        """Who sent this ``Authorization`` header, if they may ask what ``rule`` says of the account ``sid``.

        Empty: of their own. Raises ``Refused``: see :meth:`allow`, and 401/20003 for credentials that are not good.
        """
        caller = await self._auth.caller(header)
        await self.allow(caller, rule, sid, path)
        return caller

    async def allow(
        self, caller: Caller, rule: Rule, sid: str = "", path: str = "", *, itself: bool = False
    ) -> Account:
        """The account that a request is about: the caller's own, or one that belongs to it.

        Raises ``Refused``: 404/20404 for an account that is neither, 403 with 20005 when one is not active, 20008 for
        test credentials, 20003 for API keys and for whoever does not operate the installation. ``itself``: an account's
        own record is read, which a suspended one may.
        """
        if rule in (Rule.SIGNED, Rule.CARRIER, Rule.AGENT, Rule.TICKET, Rule.WORKER, Rule.VISITOR):
            raise TypeError(f"{rule} is no rule for accounts")
        own = account = caller.account
        if sid and sid != own.sid:
            found = await self._auth.subaccount(own, sid)
            if found is None:
                raise Refused(20404, f"The requested resource {path} was not found", 404)
            account = found
        idle = itself and account is own and own.status == "suspended"
        if not idle and not (await self._auth.active(own) and await self._auth.active(account)):
            raise Refused(20005, "Account not active", 403)
        if rule is Rule.OPEN:
            return account
        if rule is Rule.MANAGER and not caller.may_manage:
            raise Refused(20003, "API keys cannot manage accounts and keys", 403)
        if caller.is_test and rule is not Rule.TESTER:
            raise Refused(20008, "Resource not accessible with Test Account Credentials", 403)
        if rule is Rule.OPERATOR and not (caller.may_manage and own.sid == self._operator):
            raise Refused(20003, "Only the first account, by its auth token or a main key, may ask this", 403)
        return account

    async def nobody(self, sid: str, path: str) -> Caller:
        """Who comes without credentials sees what the path's account has; raises 20404 when it is not active."""
        return await self._auth.nobody(sid, path)

    async def agent(
        self, token: str, taskrouter: TaskRouter, account_sid: str = "", *, elsewhere: bool = False
    ) -> Grant:
        """What an access token allows.

        Its account must be active (and ``account_sid``, when given), its workspace that account's, its worker in it.
        ``elsewhere``: workspaces and workers are another platform's, which judges them itself.
        Raises ``Refused``: 401 with 20101 to 20107 for a token that is not good, 403 for what it does not allow.
        """
        claims = await self._auth.token(token)
        if account_sid and claims["sub"] != account_sid:
            raise Refused(20103, "Invalid Access Token issuer/subject: it is another account's", 403)
        await self._active(claims["sub"])
        return read_grant(claims, None if elsewhere else taskrouter)

    async def worker(self, token: str, find: Callable[[str, str, str], Awaitable[User | None]]) -> User:
        """The worker that an access token is for.

        ``find(account SID, service SID, identity)`` looks for the service's user. Raises ``Refused``: 401 with 20101 to
        20107 for a token that is not good; 403 when it has no grant for a service (``chat``), when there is no such
        user, or when they are deactivated.
        """
        claims = await self._auth.token(token)
        await self._active(claims["sub"])
        grants = claims["grants"]
        service, identity = read_chat_grant(grants)
        if WEB_CHAT in grants:
            raise Refused(20003, "The access token is a web visitor's", 403)
        user = await find(claims["sub"], service, identity)
        if user is None:
            raise Refused(20003, "The access token's worker was not found", 403)
        if user.state != "active":
            raise Refused(20003, "The worker is deactivated", 403)
        return user

    async def visitor(self, token: str) -> Visitor:
        """Whom an access token lets into web chat. What they may see is what their identity takes part in; a token of
        ``/flex-api/v2/WebChats`` is for one conversation alone.

        Raises ``Refused``: 401 with 20101 to 20107 for a token that is not good; 403 without a grant for a service
        (``chat``), and for an account that is not active.
        """
        claims = await self._auth.token(token)
        await self._active(claims["sub"])
        service, identity = read_chat_grant(claims["grants"])
        only = claims["grants"].get(WEB_CHAT, {})
        sid = only.get("conversation_sid") if isinstance(only, dict) else None
        if WEB_CHAT in claims["grants"] and not isinstance(sid, str):
            raise Refused(20003, "The access token's grant for web chat is not valid", 403)
        return Visitor(claims["sub"], service, identity, sid or "")

    async def still(self, grant: Grant, taskrouter: TaskRouter) -> None:
        """Whether a socket that was opened with a token may stay: raises ``Refused`` when its account is not active
        any more, its key was withdrawn, or its workspace or worker is gone. When it expires is not looked at."""
        await self._auth.signer(grant.issuer, grant.account_sid)
        await self._active(grant.account_sid)
        workspace = taskrouter.workspaces.get(grant.workspace_sid)
        if workspace is None or (grant.worker_sid and grant.worker_sid not in workspace.workers):
            raise Refused(20003, "The access token's worker was not found", 403)

    async def _active(self, sid: str) -> None:
        account = await self._auth.account(sid)
        if account is None or not await self._auth.active(account):
            raise Refused(20005, "Account not active", 403)
