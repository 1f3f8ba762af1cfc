"""The ASGI application: route, authenticate, read, run, answer (errors.md §4 for the order of errors)."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from ringback.kernel.errors import Refused
from ringback.kernel.resource import Record
from ringback.store import OwnershipLost, Store
from ringback.web.auth import Authenticator
from ringback.web.rest import generic
from ringback.web.rest.answer import Answer, error_answer, json_answer, send_answer
from ringback.web.rest.context import OWNER, Context, Params, RestSettings, Services
from ringback.web.rest.openapi import openapi
from ringback.web.rest.params import read_body, read_form
from ringback.web.rest.routing import Router, Target
from ringback.web.rest.rules import Rules, complete, normal

log = logging.getLogger("ringback.rest")

_PREFIX = {"create": "Unable to create record: ", "update": "Unable to update record: "}
_SUFFIXES = (".json", ".wav", ".mp3", ".xml", ".csv", ".html")


def build_rest(
    store: Store,
    nouns: Iterable[type[Record]],
    rules: Mapping[type[Record], Rules],
    settings: RestSettings,
    fallback: Any = None,
) -> RestApplication:
    """Make the application. ``rules``: those of the nouns that have their own (``web.nouns.collect``); ``fallback`` is
    the ASGI application for paths that are no product's. Raises ``TypeError`` for rules that lack a live operation.
    """
    return RestApplication(store, tuple(nouns), rules, settings, fallback)


class RestApplication:
    """Serves every declared resource, and ``/openapi.json``."""

    def __init__(
        self,
        store: Store,
        nouns: tuple[type[Record], ...],
        rules: Mapping[type[Record], Rules],
        settings: RestSettings,
        fallback: Any,
    ) -> None:
        auth = Authenticator(store, settings.now, settings.test_account_sid, settings.test_auth_token)
        self.services = Services(store=store, settings=settings, auth=auth)
        self.router = Router()
        self.nouns = nouns
        self._fallback = fallback
        self.rules = complete(nouns, rules)
        for each in self.rules:
            self.router.add_noun(each, settings.public_url, self.rules)

    @functools.cached_property
    def _openapi(self) -> Answer:
        """Made when it is first asked for: it reads the sources of all declarations."""
        return json_answer(200, openapi(self.nouns, self.services.settings.public_url))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            if self._fallback is not None:
                await self._fallback(scope, receive, send)
            return
        headers = dict(scope["headers"])
        path = scope["path"]
        found = self.router.product_of(path, headers.get(b"host", b"").decode("latin-1").partition(":")[0])
        if found is None and path == "/openapi.json" and scope["method"] in ("GET", "HEAD"):
            await send_answer(self._openapi, self._request_id(), scope, receive, send)
            return
        if found is None and self._fallback is not None:
            await self._fallback(scope, receive, send)
            return
        request_id = self._request_id()
        answer = await self._answer(scope, receive, headers, found, request_id)
        await send_answer(answer, request_id, scope, receive, send)

    def _request_id(self) -> str:
        return self.services.settings.make_sid("RQ")

    async def _answer(
        self,
        scope: Any,
        receive: Any,
        headers: dict[bytes, bytes],
        found: tuple[str, str] | None,
        request_id: str,
    ) -> Answer:
        public_url = self.services.settings.public_url
        operation = ""
        try:
            header = headers.get(b"authorization", b"").decode("latin-1")
            method = scope["method"]
            if found is None:
                raise generic.not_found(scope["path"])
            product, path = found
            bare, suffix = _split(path)
            route = self.router.find(product, bare)
            if method == "OPTIONS" and route is not None:
                return Answer(200, headers=[(b"allow", _allowed(route[0]).encode())])
            if route is not None and not header and _is_open(route[0], suffix, method):
                caller = await self.services.auth.nobody(route[1].get(OWNER, ""), path)
            else:
                caller = await self.services.auth.caller(header)
            if route is None:
                raise generic.not_found(path)
            target, args = route
            operation = target.methods.get("GET" if method == "HEAD" else method, "")
            ctx = Context(
                services=self.services, caller=caller, account=caller.account, place=target.view.place,
                args=args, path=path, method=method, headers=headers, request_id=request_id, scope=scope,
            )  # fmt: skip
            is_media = _is_media(target, suffix, method)
            if suffix not in ("", ".json") and not is_media:
                raise generic.not_found(path)
            await self._choose_account(ctx, target)
            if not operation:
                raise Refused(20004, f"Method {method} not allowed", 405)
            self._rights(ctx, target, operation)
            if method in ("POST", "PUT"):
                ctx.params = await self._read(receive, headers, target.rules.body_limit)
            else:
                ctx.params = read_form(scope["query_string"], self.services.settings.field_limit)
            answer: Answer
            if is_media:
                answer = await target.rules.sound(ctx, suffix)
                return answer
            await generic.check_parents(ctx, target)
            if target.custom is not None:
                answer = await target.custom(ctx)
                return answer
            return await generic.run(ctx, target, operation)
        except Refused as error:
            prefix = _PREFIX.get(operation, "") if error.status == 400 else ""
            answer = error_answer(error, public_url, "" if error.message.startswith(prefix) else prefix)
            if error.status == 405 and route is not None:
                answer.headers.append((b"allow", _allowed(route[0]).encode()))
            return answer
        except OwnershipLost as error:
            return error_answer(Refused(20503, str(error), 503), public_url)
        except Exception:
            log.exception("%s: %s %s failed", request_id, scope["method"], scope["path"])
            return error_answer(Refused(20500, "An internal server error has occurred", 500), public_url)

    async def _choose_account(self, ctx: Context, target: Target) -> None:
        """The account that the request is about; raises 20404, or 403/20005 when it is not active."""
        own = ctx.account
        sid = normal(ctx.args.get(OWNER, own.sid))
        if sid != own.sid:
            found = await self.services.auth.subaccount(own, sid)
            if found is None:
                raise generic.not_found(ctx.path)
            ctx.args[OWNER] = sid
            if own.status != "active":
                raise Refused(20005, "Account not active", 403)
            ctx.account = found
        if ctx.account.status != "active" and not (target.rules.owns_itself and target.instance):
            raise Refused(20005, "Account not active", 403)

    def _rights(self, ctx: Context, target: Target, operation: str) -> None:
        rules = target.rules
        if target.custom is None and rules.manages and not ctx.caller.may_manage:
            raise Refused(20003, "API keys cannot manage accounts and keys", 403)
        if ctx.caller.is_test and not (rules.tests and operation == "create"):
            raise Refused(20008, "Resource not accessible with Test Account Credentials", 403)

    async def _read(self, receive: Any, headers: dict[bytes, bytes], larger: int | None) -> Params:
        settings = self.services.settings
        limit = max(settings.body_limit, larger or 0)
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length[:12]) > limit:
            raise Refused(20413, "Request entity too large", 413)
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Refused(20001, "The request ended early", 400)
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > limit:
                raise Refused(20413, "Request entity too large", 413)
            if not message.get("more_body"):
                break
        content_type = headers.get(b"content-type", b"").decode("latin-1")
        return read_body(b"".join(parts), content_type, settings.field_limit)


def _split(path: str) -> tuple[str, str]:
    """Take the suffix off the last part of a path."""
    if "%" in path:
        path = unquote(path)
    for suffix in _SUFFIXES:
        if path.endswith(suffix):
            return path[: -len(suffix)], suffix
    return path.rstrip("/") or "/", ""


def _is_media(target: Target, suffix: str, method: str) -> bool:
    """Whether the path of a record leads to its sound or the like; with ``.json`` it never does."""
    return target.instance and suffix in target.rules.media and method in ("GET", "HEAD")


def _is_open(target: Target, suffix: str, method: str) -> bool:
    """Whether it is given without credentials."""
    return target.rules.open_media and _is_media(target, suffix, method)


def _allowed(target: Target) -> str:
    methods = [*target.methods, "OPTIONS"]
    if "GET" in methods:
        methods.append("HEAD")
    return ", ".join(sorted(methods))
