"""``/sim/v1``: the simulator's JSON API (surface.md, The simulator)."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute
from starlette.routing import Route as StarletteRoute
from starlette.types import Receive, Scope, Send

from ringback.edges.carriers.simulated import CarrierDown, SimulatedCarrier
from ringback.edges.simulator.book import ANSWERS, Behaviour
from ringback.edges.simulator.faults import Fault, Faults
from ringback.edges.simulator.party import Party
from ringback.edges.simulator.reading import Access, Endpoint, Tester, address, read_body
from ringback.edges.simulator.script import BadScript, Play, Step, read_script
from ringback.kernel.errors import Refused
from ringback.web.routes import Route, Rule

LONGEST_ADVANCE = 10 * 366 * 86400


class MovableClock(Protocol):
    """What the API shows of the product's clock."""

    @property
    def mode(self) -> str:
        """``real`` or ``virtual``."""

    @property
    def advance(self) -> Callable[[float], Awaitable[None]] | None:
        """Moves a virtual clock by some seconds; None on the real one."""

    def now(self) -> float:
        """Unix seconds."""


class Simulator:
    """The ASGI application: admits, then answers."""

    def __init__(self, endpoints: Sequence[tuple[Route, Endpoint]], access: Access | None) -> None:
        self._routes = [route for route, _ in endpoints]
        self._access = access
        starlette = [
            StarletteRoute(route.path, self._guarded(route.rule, endpoint), methods=[route.method])
            for route, endpoint in endpoints
        ]
        self._application = Starlette(routes=starlette, exception_handlers={HTTPException: _http_problem})
        # Its redirect to the path without a slash would read the Host header, whatever that holds.
        self._application.router.redirect_slashes = False

    def routes(self) -> Sequence[Route]:
        """Everything that can be asked."""
        return self._routes

    @property
    def endpoints(self) -> Sequence[BaseRoute]:
        """The same with what answers it; its docstring says what it does."""
        return self._application.routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        await self._application(scope, receive, send)

    def _guarded(self, rule: Rule, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        @functools.wraps(endpoint)
        async def answer(request: Request) -> Response:
            try:
                if self._access is None:
                    tester: Tester = Anybody()
                else:
                    tester = await self._access.admit(request.headers.get("authorization", ""), rule)
                return await endpoint(request, tester)
            except Refused as refused:
                response = _problem(refused.status, refused.code, refused.message)
                if refused.status == 401:
                    response.headers["WWW-Authenticate"] = 'Basic realm="Ringback"'
                return response
            except (BadScript, ValueError) as error:
                return _problem(400, 20001, str(error))

        return answer


class Anybody:
    """Whoever reaches a simulator that is left open."""

    account_sid = ""
    operates = True

    async def reaches(self, account_sid: str) -> bool:
        """Everything is theirs."""
        return True


def build_sim(
    carrier: SimulatedCarrier,
    clock: MovableClock,
    faults: Faults,
    access: Access | None = None,
    more: Sequence[tuple[Route, Endpoint]] = (),
) -> Simulator:
    """The ASGI application for the path prefix ``/sim``; without ``access`` it is open to whoever reaches it.

    Calls and what numbers do belong to accounts; the clock and the faults are everybody's, so an operator's. ``more``:
    further endpoints.
    """
    sim = _Sim(carrier, clock, faults, access)
    account, operator = Rule.ACCOUNT, Rule.OPERATOR
    return Simulator(
        [
            (Route(method, f"/sim/v1/{path}", rule), endpoint)
            for method, path, rule, endpoint in (
                ("POST", "Calls", account, sim.place),
                ("GET", "Calls/{sid}", account, sim.show),
                ("POST", "Calls/{sid}", account, sim.more),
                ("PUT", "Numbers/{number}", account, sim.set_number),
                ("DELETE", "Numbers/{number}", account, sim.reset_number),
                ("GET", "Clock", account, sim.show_clock),
                ("POST", "Clock", operator, sim.move_clock),
                ("GET", "Faults", operator, sim.show_faults),
                ("POST", "Faults", operator, sim.add_fault),
                ("DELETE", "Faults", operator, sim.clear_faults),
            )
        ]
        + list(more),
        access,
    )


class _Sim:
    """The endpoints."""

    def __init__(
        self, carrier: SimulatedCarrier, clock: MovableClock, faults: Faults, access: Access | None
    ) -> None:
        self._carrier = carrier
        self._clock = clock
        self._faults = faults
        self._access = access

    async def place(self, request: Request, tester: Tester) -> Response:
        """``{"from": "+15551230001", "to": "+15550100", "script": […]}``: a simulated customer calls a number of ours.
        201 with ``{"sid": "CA…"}``."""
        body = await read_body(request, {"from", "to", "script"})
        from_, to = address(body, "from"), address(body, "to")
        script = _script(body.get("script", []), tester)
        owner = await self._access.owner_of_number(to) if self._access is not None else ""
        if owner and not await tester.reaches(owner):
            raise Refused(20003, f"{to} is another account's number", 403)
        try:
            sid = self._carrier.place(from_, to, script, owner or tester.account_sid)
        except CarrierDown as down:
            raise Refused(20503, str(down), 503) from None
        return JSONResponse({"sid": sid}, 201)

    async def _party(self, request: Request, tester: Tester) -> Party:
        """The call of the path, if it is the tester's; what no account is known to have is an operator's."""
        party = self._carrier.call(request.path_params["sid"])
        if party is None:
            raise _missing(request)
        owner = party.account_sid
        if not owner and self._access is not None:
            owner = await self._access.owner_of_call(party.sid)
        if not (await tester.reaches(owner) if owner else tester.operates):
            raise _missing(request)
        return party

    async def show(self, request: Request, tester: Tester) -> Response:
        """How the call goes and what the customer has heard:
        ``{"sid", "status", "heard": [{"at", "kind", "text"}, …]}``."""
        party = await self._party(request, tester)
        seconds = round(self._clock.now() - party.started, 3)
        return JSONResponse(
            {**party.answer(), "seconds": seconds, "talking_to": self._carrier.talking_to(party)}
        )

    async def more(self, request: Request, tester: Tester) -> Response:
        """``{"script": […]}``: more steps for a live call."""
        body = await read_body(request, {"script"})
        if "script" not in body:
            raise Refused(20001, "script is missing")
        sid = (await self._party(request, tester)).sid
        script = _script(body["script"], tester)
        try:
            live = self._carrier.add_steps(sid, script)
        except KeyError:  # it ended long ago, meanwhile
            raise _missing(request) from None
        if not live:
            raise Refused(21220, "The call is over; it takes no more steps")
        return await self.show(request, tester)

    async def set_number(self, request: Request, tester: Tester) -> Response:
        """``{"answers": "busy", "after": 1.0, "script": […]}``: how a simulated callee behaves."""
        body = await read_body(request, {"answers", "after", "script"})
        number = address(request.path_params, "number")
        answers = body.get("answers", "answer")
        if answers not in ANSWERS:
            raise Refused(20001, f"answers must be one of {', '.join(ANSWERS)}")
        after = body.get("after", 1.0)
        if isinstance(after, bool) or not isinstance(after, int | float) or not 0 <= after <= 86400:
            raise Refused(20001, "after must be a number of seconds between 0 and 86400")
        script = _script(body.get("script", []), tester)
        behaviour = Behaviour(answers, float(after), tuple(script))
        self._carrier.book.set(number, behaviour, "" if tester.operates else tester.account_sid)
        return JSONResponse(
            {"number": number, "answers": answers, "after": after, "script": body.get("script", [])}
        )

    async def reset_number(self, request: Request, tester: Tester) -> Response:
        """The callee behaves as usual again."""
        owner = "" if tester.operates else tester.account_sid
        self._carrier.book.reset(request.path_params["number"], owner)
        return Response(status_code=204)

    async def show_clock(self, request: Request, tester: Tester) -> Response:
        """``{"mode", "now"}``: ``real`` or ``virtual``, and Unix seconds."""
        return JSONResponse({"mode": self._clock.mode, "now": self._clock.now()})

    async def move_clock(self, request: Request, tester: Tester) -> Response:
        """``{"advance": 86400}``: move a virtual clock by so many seconds."""
        body = await read_body(request, {"advance"})
        seconds = body.get("advance")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise Refused(20001, "advance must be a number of seconds")
        if not 0 <= seconds <= LONGEST_ADVANCE:
            raise Refused(20001, f"advance must be between 0 and {LONGEST_ADVANCE} seconds")
        if self._clock.advance is None:
            raise Refused(20001, "the clock is real; start Ringback with RINGBACK_CLOCK=virtual to move it")
        await self._clock.advance(seconds)
        return await self.show_clock(request, tester)

    async def show_faults(self, request: Request, tester: Tester) -> Response:
        """The faults that are still to come."""
        return JSONResponse({"faults": [_fault(fault) for fault in self._faults.open()]})

    async def add_fault(self, request: Request, tester: Tester) -> Response:
        """``{"kind": "drop_callback", "count": 1, "match": {…}}``: make something go wrong."""
        body = await read_body(request, {"kind", "count", "match", "seconds"})
        kind, count, match = body.get("kind"), body.get("count", 1), body.get("match", {})
        seconds = body.get("seconds", 5.0)
        if not isinstance(kind, str):
            raise Refused(20001, "kind is missing")
        if isinstance(count, bool) or not isinstance(count, int):
            raise Refused(20001, "count must be a whole number")
        if not isinstance(match, dict) or not all(isinstance(value, str) for value in match.values()):
            raise Refused(20001, "match must be an object of texts")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= 86400:
            raise Refused(20001, "seconds must be between 0 and 86400")
        fault = Fault(kind, count, match, float(seconds))
        self._faults.add(fault)
        return JSONResponse(_fault(fault), 201)

    async def clear_faults(self, request: Request, tester: Tester) -> Response:
        """No faults are to come any more."""
        self._faults.clear()
        return Response(status_code=204)


def _script(steps: Any, tester: Tester) -> list[Step]:
    """A script; raises ``Refused`` for one that would play a file of this machine to somebody else."""
    script = read_script(steps)
    for step in script:
        if (
            isinstance(step, Play)
            and not tester.operates
            and not step.source.startswith(("http://", "https://"))
        ):
            raise Refused(20003, "Only the first account may play files of the server; write a URL", 403)
    return script


def _fault(fault: Fault) -> dict[str, Any]:
    return {"kind": fault.kind, "count": fault.count, "match": dict(fault.match), "seconds": fault.seconds}


def _missing(request: Request) -> Refused:
    return Refused(20404, f"The requested resource {request.scope['path']} was not found", 404)


def _problem(status: int, code: int, message: str) -> Response:
    return JSONResponse({"code": code, "message": message, "more_info": "", "status": status}, status)


async def _http_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: 20404, 405: 20004}.get(error.status_code, 20001)
    return _problem(error.status_code, code, str(error.detail))
