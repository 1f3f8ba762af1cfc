"""The ASGI application: route, authenticate, read, run, answer (errors.md §4 for the order of errors)."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from ringback.kernel.errors import Refused
from ringback.kernel.resource import Record
from ringback.sharing.seats import Full, Seats
from ringback.store import OwnershipLost, Store
from ringback.web.access import Access
from ringback.web.auth import Authenticator
from ringback.web.rest import generic
from ringback.web.rest.answer import Answer, error_answer, json_answer, send_answer
from ringback.web.rest.context import OWNER, Context, Params, RestSettings, Services
from ringback.web.rest.openapi import openapi
from ringback.web.rest.params import read_body, read_form
from ringback.web.rest.routing import Router, Target
from ringback.web.rest.rules import Rules, complete, normal
from ringback.web.routes import Route, Rule

log = logging.getLogger("ringback.rest")

LONGEST_LINE = 1000
"""Requests of one account that may wait for their turn; further ones are answered 429."""
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
        access = Access(auth, settings.operator_sid)
        self.services = Services(store=store, settings=settings, auth=auth, access=access)
        self._turns = Seats(settings.at_once, reserve=settings.at_once // 4, longest=LONGEST_LINE)
        self.router = Router()
        self.nouns = nouns
        self._fallback = fallback
        self.rules = complete(nouns, rules)
        for each in self.rules:
            self.router.add_noun(each, settings.public_url, self.rules)

    def figures(self) -> Mapping[str, float]:
        """For ``/metrics``."""
        return {"api_requests": float(self._turns.busy), "api_requests_waiting": float(self._turns.waiting)}

    @functools.cached_property
    def _openapi(self) -> Answer:
        """Made when it is first asked for: it reads the sources of all declarations."""
        return json_answer(200, openapi(self.nouns, self.services.settings.public_url))

    def routes(self) -> list[Route]:
        """Every path of every product, and the description of them."""
        found = [Route(method, "/openapi.json", Rule.OPEN) for method in ("GET", "HEAD")]
        for product, path, target in self.router.targets():
            full = path if product == "api" else f"/{product}{path}"
            found.append(Route("OPTIONS", full, Rule.OPEN))
            for method, operation in target.methods.items():
                methods = (method, "HEAD") if method == "GET" else (method,)
                found += [Route(each, full, _rule(target, operation)) for each in methods]
            if target.instance:
                rule = Rule.OPEN if target.rules.open_media else Rule.ACCOUNT
                media = [suffix for suffix in target.rules.media if suffix]
                found += [Route("GET", full + suffix, rule) for suffix in media]
        return found

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
                caller = await self.services.access.nobody(route[1].get(OWNER, ""), path)
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
            await self._choose_account(ctx, target, operation)
            if not operation:
                raise Refused(20004, f"Method {method} not allowed", 405)
            if method in ("POST", "PUT"):
                ctx.params = await self._read(receive, headers, target.rules.body_limit)
            else:
                ctx.params = read_form(scope["query_string"], self.services.settings.field_limit)
            async with self._turns.of(ctx.account.sid):
                answer: Answer
                if is_media:
                    answer = await target.rules.sound(ctx, suffix)
                    return answer
                await generic.check_parents(ctx, target)
                if target.custom is not None:
                    answer = await target.custom(ctx)
                    return answer
                return await generic.run(ctx, target, operation)
        except Full as full:
            return error_answer(Refused(20429, f"Too many requests at once: {full}", 429), public_url)
        except Refused as error:
            answer = error_answer(error, public_url)
            if error.status == 405 and route is not None:
                answer.headers.append((b"allow", _allowed(route[0]).encode()))
            return answer
        except OwnershipLost as error:
            return error_answer(Refused(20503, str(error), 503), public_url)
        except Exception:
            log.exception("%s: %s %s failed", request_id, scope["method"], scope["path"])
            return error_answer(Refused(20500, "An internal server error has occurred", 500), public_url)

    async def _choose_account(self, ctx: Context, target: Target, operation: str) -> None:
        """The account that the request is about, if the caller may ask this of it; see ``Access.allow``."""
        sid = normal(ctx.args.get(OWNER, ctx.account.sid))
        itself = target.rules.owns_itself and target.instance and operation == "fetch"
        ctx.account = await self.services.access.allow(
            ctx.caller, _rule(target, operation), sid, ctx.path, itself=itself
        )
        if OWNER in ctx.args:
            ctx.args[OWNER] = sid

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


def _rule(target: Target, operation: str) -> Rule:
    """Who may carry out an operation."""
    rules = target.rules
    if target.custom is None and rules.manages:
        return Rule.MANAGER
    return Rule.TESTER if rules.tests and operation == "create" else Rule.ACCOUNT


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
