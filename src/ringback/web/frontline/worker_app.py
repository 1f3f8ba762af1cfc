"""``/frontline/v1/…``: a worker's customers, templates, conversations and calls.

Each request has the worker's access token, as ``Authorization: Bearer …`` or in the field ``Token``; what it asks is
about that worker alone. Parameters come as query, form or JSON; answers are JSON.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute
from starlette.routing import Route as StarletteRoute
from starlette.types import Receive, Scope, Send

from ringback.kernel.errors import Refused
from ringback.resources.conversations.user import User
from ringback.resources.frontline.frontline_service import FrontlineService
from ringback.store import Store
from ringback.web.features.request import read
from ringback.web.frontline import answers
from ringback.web.frontline.asking import Callbacks
from ringback.web.frontline.begun import Begun
from ringback.web.frontline.public import Public
from ringback.web.rest.params import read_bool
from ringback.web.routes import Route, Rule

log = logging.getLogger("ringback.frontline")

ROOT: Final = "/frontline/v1/"
PAGE_SIZE: Final = 30
"""Customers of a page, when the app does not say."""
CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET,POST,OPTIONS",
    "Access-Control-Allow-Headers": "Authorization,Content-Type",
}
Params = dict[str, str]


class Frontline:
    """The ASGI application."""

    def __init__(
        self,
        *,
        store: Store,
        admit: Callable[[str], Awaitable[User]],
        callbacks: Callbacks,
        public: Public,
        public_url: str,
    ) -> None:
        """``admit(token)`` gives the worker and raises ``Refused``."""
        self._store, self._admit, self._callbacks, self._public = store, admit, callbacks, public
        self._begun = Begun(store, public)
        self._public_url = public_url
        endpoints = (
            ("GET", "Worker", self.worker), ("POST", "Worker", self.switch), ("GET", "Customers", self.customers),
            ("GET", "Customer", self.customer), ("GET", "Templates", self.templates),
            ("POST", "Conversations", self.begin), ("POST", "Calls", self.call),
        )  # fmt: skip
        self._routes = [Route(method, ROOT + name, Rule.WORKER) for method, name, _ in endpoints]
        self._doors = [
            StarletteRoute(ROOT + name, self._guarded(endpoint), methods=[method])
            for method, name, endpoint in endpoints
        ]
        self._application = Starlette(routes=self._doors, exception_handlers={HTTPException: self._problem})
        self._application.router.redirect_slashes = False

    def routes(self) -> Sequence[Route]:
        """All of it is a worker's."""
        names = {route.path for route in self._routes}
        return [*self._routes, *(Route("OPTIONS", path, Rule.OPEN) for path in sorted(names))]

    @property
    def endpoints(self) -> Sequence[BaseRoute]:
        """The same with what answers it; its docstring says what it does."""
        return self._doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=CORS)(scope, receive, send)
        else:
            await self._application(scope, receive, send)

    # --- endpoints -------------------------------------------------------------------------------------

    async def worker(self, worker: User, params: Params) -> Any:
        """The worker themselves: ``sid``, ``identity``, ``friendly_name``, ``avatar``, ``state``, ``is_available``."""
        return _shown(worker)

    async def switch(self, worker: User, params: Params) -> Any:
        """``IsAvailable``: whether pool routing may give the worker new conversations from now on."""
        try:
            available = read_bool(_needed(params, "IsAvailable"))
        except ValueError as error:
            raise Refused(20001, f"Invalid IsAvailable: {error}", 400) from None
        fields = [("IsAvailable", "true" if available else "false")]
        return await self._public.post(worker.account_sid, f"/frontline-api/v1/Users/{worker.sid}", fields)

    async def customers(self, worker: User, params: Params) -> Any:
        """``GetCustomersList``: ``Query`` (part of a name), ``PageSize`` (30; at most 100), ``Anchor`` (that of the
        page before). Gives ``customers``, ``searchable`` and ``anchor``, which is null on the last page."""
        size = params.get("PageSize") or str(PAGE_SIZE)
        if not size.isascii() or not size.isdigit() or not 1 <= int(size[:9]) <= 100:
            raise Refused(20001, "Invalid PageSize: must be 1 to 100", 400)
        settings = await self._settings(worker)
        return await self._ask(
            worker, settings.crm_callback_url, "GetCustomersList",
            functools.partial(answers.customers, size=int(size)),
            PageSize=size, Anchor=params.get("Anchor", ""), Query=params.get("Query", ""),
        )  # fmt: skip

    async def customer(self, worker: User, params: Params) -> Any:
        """``GetCustomerDetailsByCustomerId``: ``CustomerId``. Gives the customer."""
        customer_id = _needed(params, "CustomerId")
        settings = await self._settings(worker)
        return await self._ask(
            worker, settings.crm_callback_url, "GetCustomerDetailsByCustomerId", answers.customer,
            CustomerId=customer_id,
        )  # fmt: skip

    async def templates(self, worker: User, params: Params) -> Any:
        """``GetTemplatesByCustomerId``: ``CustomerId``, and ``ConversationSid`` (one of the worker's own) when there
        is one. Gives ``categories``."""
        customer_id = _needed(params, "CustomerId")
        if sid := params.get("ConversationSid", ""):
            await self._begun.own(worker, sid)
        settings = await self._settings(worker)
        found = await self._ask(
            worker, settings.templates_callback_url, "GetTemplatesByCustomerId", answers.templates,
            CustomerId=customer_id, ConversationSid=sid,
        )  # fmt: skip
        return {"categories": found}

    async def begin(self, worker: User, params: Params) -> Any:
        """Begin a conversation: ``CustomerId``, ``ChannelType`` (``sms`` or ``whatsapp``) and ``ChannelValue`` (their
        address). ``GetProxyAddress`` is asked from which of our addresses. Gives the conversation, and ``created``:
        false when it is there already and the worker is in it."""
        customer_id = _needed(params, "CustomerId")
        kind, address = self._begun.address(
            _needed(params, "ChannelType"), _needed(params, "ChannelValue"), "ChannelValue"
        )
        settings = await self._settings(worker)
        proxy = await self._ask(
            worker, settings.outgoing_callback_url, "GetProxyAddress", answers.proxy_address,
            CustomerId=customer_id, ChannelType=kind, ChannelValue=params["ChannelValue"],
        )  # fmt: skip
        return await self._begun.conversation(worker, customer_id, kind, address, proxy)

    async def call(self, worker: User, params: Params) -> Any:
        """Call the customer of a conversation: ``ConversationSid``, one of the worker's own. The worker's phone rings;
        when they answer, the customer is called. Gives the call."""
        conversation = await self._begun.own(worker, _needed(params, "ConversationSid"))
        return await self._begun.call(worker, conversation, await self._settings(worker))

    # --- what they share -------------------------------------------------------------------------------

    async def _settings(self, worker: User) -> FrontlineService:
        found = await self._store.get(FrontlineService, worker.chat_service_sid, worker.account_sid)
        return found or FrontlineService(sid=worker.chat_service_sid, account_sid=worker.account_sid)

    async def _ask(
        self, worker: User, url: str, location: str, reader: Callable[[bytes], Any], **params: str
    ) -> Any:
        given = {name: value for name, value in params.items() if value}
        return await self._callbacks.ask(
            url, {"Location": location, "Worker": worker.identity, **given}, reader,
            account_sid=worker.account_sid, worker_sid=worker.sid,
        )  # fmt: skip

    def _guarded(
        self, endpoint: Callable[[User, Params], Awaitable[Any]]
    ) -> Callable[[Request], Awaitable[Response]]:
        @functools.wraps(endpoint)
        async def answer(request: Request) -> Response:
            try:
                asked = await read(request.scope, request.receive)
                scheme, _, token = asked.headers.get("authorization", "").partition(" ")
                given = token.strip() if scheme.lower() == "bearer" else asked.params.get("Token", "")
                if not given:
                    raise Refused(20003, "The worker's access token is missing", 401)
                return JSONResponse(await endpoint(await self._admit(given), asked.params), headers=CORS)
            except Refused as refusal:
                return self._refused(refusal)
            except Exception:
                log.exception("%s %s failed", request.method, request.url.path)
                return self._refused(Refused(20500, "An internal server error has occurred", 500))

        return answer

    def _refused(self, refusal: Refused) -> Response:
        body = {
            "code": refusal.code,
            "message": refusal.message,
            "more_info": f"{self._public_url}/docs/errors/{refusal.code}",
            "status": refusal.status,
        }
        return JSONResponse(body, refusal.status, CORS)

    async def _problem(self, request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        code = 20004 if status == 405 else 20404
        return self._refused(Refused(code, f"There is nothing for {request.method} here", status))


def _shown(worker: User) -> dict[str, Any]:
    names = ("sid", "identity", "friendly_name", "avatar", "state", "is_available")
    return {name: getattr(worker, name) for name in names}


def _needed(params: Params, name: str) -> str:
    """A parameter that must be given. Raises ``Refused``."""
    value = params.get(name, "").strip()
    if not value or len(value) > 1024:
        raise Refused(20001, f"Missing or too long: {name}", 400)
    return value
