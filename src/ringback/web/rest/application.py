"""The ASGI application: route, authenticate, read, run, answer (errors.md §4 for the order of errors)."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from ringback.kernel.errors import Refused
from ringback.kernel.resource import Record, at
from ringback.kernel.sid import is_sid
from ringback.resources.api.account import Account
from ringback.resources.api.call import Call
from ringback.store import OwnershipLost, Store
from ringback.web.auth import Authenticator, Caller
from ringback.web.rest import generic, numbers, rules, special
from ringback.web.rest.answer import Answer, error_answer, json_answer, send_answer
from ringback.web.rest.context import (
    Context,
    LiveHandler,
    Params,
    RestSettings,
    Services,
    Source,
    check_handlers,
)
from ringback.web.rest.docs import docs_page
from ringback.web.rest.openapi import openapi
from ringback.web.rest.params import read_body, read_form
from ringback.web.rest.render import View
from ringback.web.rest.routing import Extra, Router, Target

log = logging.getLogger("ringback.rest")

_PREFIX = {"create": "Unable to create record: ", "update": "Unable to update record: "}
_SUFFIXES = (".json", ".wav", ".mp3", ".xml", ".csv", ".html")


def build_rest(
    store: Store,
    nouns: Iterable[type[Record]],
    live: Mapping[type[Record], LiveHandler],
    settings: RestSettings,
    fallback: Any = None,
    sources: Mapping[type[Record], Source] | None = None,
    extra: Iterable[Extra] = (),
    follow: Callable[[Record, bool], None] | None = None,
) -> RestApplication:
    """Make the application. ``fallback`` is the ASGI application for paths that are no product's.

    ``follow(record, gone)`` hears of committed writes of the nouns whose rules ask for it.
    """
    made = RestApplication(store, tuple(nouns), live, settings, fallback, sources or {}, extra)
    if follow is not None:
        made.services.follow = follow
    return made


class RestApplication:
    """Serves every declared resource, ``/openapi.json`` and ``/docs``."""

    def __init__(
        self,
        store: Store,
        nouns: tuple[type[Record], ...],
        live: Mapping[type[Record], LiveHandler],
        settings: RestSettings,
        fallback: Any,
        sources: Mapping[type[Record], Source],
        extra: Iterable[Extra] = (),
    ) -> None:
        check_handlers(nouns, live)
        auth = Authenticator(store, settings.now, settings.test_account_sid, settings.test_auth_token)
        self.services = Services(
            store=store, settings=settings, auth=auth, live=dict(live), sources=dict(sources)
        )
        self.router = Router()
        self.nouns = nouns
        self._parents = {f"{noun.__noun__.name}Sid": noun for noun in nouns}
        self._fallback = fallback
        for noun in nouns:
            self.router.add_noun(noun, settings.public_url)
        self._add_special()
        for each in extra:
            place = at(each.path, key="", can=(), product=each.product)
            view = View(each.noun.__noun__, place, settings.public_url)
            self.router.add(each.product, each.path, Target(view, False, each.methods, custom=each.handler))

    @functools.cached_property
    def _openapi(self) -> Answer:
        """Made when it is first asked for: it reads the sources of all declarations."""
        return json_answer(200, openapi(self.nouns, self.services.settings.public_url))

    @functools.cached_property
    def _page(self) -> Answer:
        return Answer(200, docs_page(self.nouns).encode(), b"text/html; charset=utf-8")

    def _add_special(self) -> None:
        account = "/2010-04-01/Accounts/{AccountSid}"
        for path, key, handler in (
            (f"{account}/Calls/{{CallSid}}/Events", "events", special.events),
            (
                f"{account}/AvailablePhoneNumbers/{{CountryCode}}/Local",
                "available_phone_numbers",
                numbers.available,
            ),
        ):
            place = at(path, key=key, can=("list",))
            view = View(Call.__noun__, place, self.services.settings.public_url)
            self.router.add("api", path, Target(view, False, {"GET": "list"}, custom=handler))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            if self._fallback is not None:
                await self._fallback(scope, receive, send)
            return
        headers = dict(scope["headers"])
        path = scope["path"]
        found = self.router.product_of(path, headers.get(b"host", b"").decode("latin-1").partition(":")[0])
        if found is None and path in ("/openapi.json", "/docs") and scope["method"] in ("GET", "HEAD"):
            answer = self._openapi if path == "/openapi.json" else self._page
            await send_answer(answer, self._request_id(), scope, receive, send)
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
            if route is not None and not header and self._is_open(route[0], suffix, method):
                caller = await self._listener(route[1], path)
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
            ctx.account = await self._account(caller, target, args, path)
            if not operation:
                raise Refused(20004, f"Method {method} not allowed", 405)
            self._rights(ctx, target, operation)
            if method in ("POST", "PUT"):
                ctx.params = await self._read(receive, headers, rules.of(target.view.noun.record).body_limit)
            else:
                ctx.params = read_form(scope["query_string"], self.services.settings.field_limit)
            if is_media:
                return await special.media(ctx, suffix)
            await generic.check_parents(ctx, self._parents, rules.of(target.view.noun.record))
            if target.custom is not None:
                answer: Answer = await target.custom(ctx)
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

    def _is_open(self, target: Target, suffix: str, method: str) -> bool:
        """Whether it is fetched without credentials: sound, where the settings say so (callback-voicemail.md §8)."""
        return not self.services.settings.recording_auth and _is_media(target, suffix, method)

    async def _listener(self, args: dict[str, str], path: str) -> Caller:
        """Who comes without credentials sees what the path's account has; raises 20404 when it is not active."""
        sid = args["AccountSid"]
        found = (
            await self.services.store.get(Account, sid[:2] + sid[2:].lower()) if is_sid(sid, "AC") else None
        )
        if found is None or found.status != "active":
            raise generic.not_found(path)
        return Caller(found)

    async def _account(self, caller: Caller, target: Target, args: dict[str, str], path: str) -> Account:
        """The account that the request is about; raises 20404, or 403/20005 when it is not active."""
        account = caller.account
        is_account = target.view.noun.name == "Account" and target.custom is None
        sid = args.get("AccountSid", account.sid)
        sid = sid[:2] + sid[2:].lower()
        if sid != account.sid:
            found = await self.services.store.get(Account, sid)
            if found is None or found.account_sid != account.sid:
                raise generic.not_found(path)
            args["AccountSid"] = sid
            if account.status != "active":
                raise Refused(20005, "Account not active", 403)
            account = found
        if account.status != "active" and not (is_account and target.instance):
            raise Refused(20005, "Account not active", 403)
        return account

    def _rights(self, ctx: Context, target: Target, operation: str) -> None:
        rule = rules.of(target.view.noun.record)
        if target.custom is None and rule.manages and not ctx.caller.may_manage:
            raise Refused(20003, "API keys cannot manage accounts and keys", 403)
        if ctx.caller.is_test and not (rule.tests and operation == "create"):
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
    """The account's ``Recordings/{Sid}`` without ``.json`` is the audio."""
    return (
        target.instance
        and target.view.noun.name == "Recording"
        and suffix in ("", ".wav", ".mp3")
        and method in ("GET", "HEAD")
    )


def _allowed(target: Target) -> str:
    methods = [*target.methods, "OPTIONS"]
    if "GET" in methods:
        methods.append("HEAD")
    return ", ".join(sorted(methods))
