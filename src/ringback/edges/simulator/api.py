"""``/sim/v1``: the simulator's JSON API (surface.md, The simulator)."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ringback.edges.carriers.simulated import CarrierDown, SimulatedCarrier
from ringback.edges.simulator.book import ANSWERS, Behaviour
from ringback.edges.simulator.faults import Fault, Faults
from ringback.edges.simulator.script import BadScript, read_script
from ringback.kernel.errors import Refused

BODY_LIMIT = 1024 * 1024
LONGEST_ADVANCE = 10 * 366 * 86400
_ADDRESS = re.compile(r"[^\s\x00-\x1f]{1,255}\Z")


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


Authenticate = Callable[[Request], Awaitable[bool]]


def build_sim(
    carrier: SimulatedCarrier,
    clock: MovableClock,
    faults: Faults,
    authenticate: Authenticate | None = None,
) -> Starlette:
    """The ASGI application for the path prefix ``/sim``. ``authenticate(request)`` tells whether the
    request's credentials are good; None leaves the simulator open to whoever reaches it."""
    sim = _Sim(carrier, clock, faults)

    def guarded(
        endpoint: Callable[[Request], Awaitable[Response]],
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            if authenticate is not None and not await authenticate(request):
                response = _problem(401, 20003, "Authenticate")
                response.headers["WWW-Authenticate"] = 'Basic realm="Ringback"'
                return response
            try:
                return await endpoint(request)
            except Refused as refused:
                return _problem(refused.status, refused.code, refused.message)
            except (BadScript, ValueError) as error:
                return _problem(400, 20001, str(error))

        return answer

    routes = [
        Route(f"/sim/v1/{path}", guarded(endpoint), methods=[method])
        for method, path, endpoint in (
            ("POST", "Calls", sim.place),
            ("GET", "Calls/{sid}", sim.show),
            ("POST", "Calls/{sid}", sim.more),
            ("PUT", "Numbers/{number}", sim.set_number),
            ("DELETE", "Numbers/{number}", sim.reset_number),
            ("GET", "Clock", sim.show_clock),
            ("POST", "Clock", sim.move_clock),
            ("GET", "Faults", sim.show_faults),
            ("POST", "Faults", sim.add_fault),
            ("DELETE", "Faults", sim.clear_faults),
            ("GET", "Messages", sim.no_messages),
            ("POST", "Messages", sim.no_messages),
        )
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _http_problem})


class _Sim:
    """The endpoints."""

    def __init__(self, carrier: SimulatedCarrier, clock: MovableClock, faults: Faults) -> None:
        self._carrier = carrier
        self._clock = clock
        self._faults = faults

    async def place(self, request: Request) -> Response:
        body = await _body(request, {"from", "to", "script"})
        from_, to = _address(body, "from"), _address(body, "to")
        try:
            sid = self._carrier.place(from_, to, read_script(body.get("script", [])))
        except CarrierDown as down:
            raise Refused(20503, str(down), 503) from None
        return JSONResponse({"sid": sid}, 201)

    async def show(self, request: Request) -> Response:
        party = self._carrier.call(request.path_params["sid"])
        if party is None:
            raise _missing(request)
        return JSONResponse(party.answer())

    async def more(self, request: Request) -> Response:
        body = await _body(request, {"script"})
        if "script" not in body:
            raise Refused(20001, "script is missing")
        sid = request.path_params["sid"]
        try:
            live = self._carrier.add_steps(sid, read_script(body["script"]))
        except KeyError:
            raise _missing(request) from None
        if not live:
            raise Refused(21220, "The call is over; it takes no more steps")
        return await self.show(request)

    async def set_number(self, request: Request) -> Response:
        body = await _body(request, {"answers", "after", "script"})
        number = _address(request.path_params, "number")
        answers = body.get("answers", "answer")
        if answers not in ANSWERS:
            raise Refused(20001, f"answers must be one of {', '.join(ANSWERS)}")
        after = body.get("after", 1.0)
        if isinstance(after, bool) or not isinstance(after, int | float) or not 0 <= after <= 86400:
            raise Refused(20001, "after must be a number of seconds between 0 and 86400")
        script = read_script(body.get("script", []))
        self._carrier.book.set(number, Behaviour(answers, float(after), tuple(script)))
        return JSONResponse(
            {"number": number, "answers": answers, "after": after, "script": body.get("script", [])}
        )

    async def reset_number(self, request: Request) -> Response:
        self._carrier.book.reset(request.path_params["number"])
        return Response(status_code=204)

    async def show_clock(self, request: Request) -> Response:
        return JSONResponse({"mode": self._clock.mode, "now": self._clock.now()})

    async def move_clock(self, request: Request) -> Response:
        body = await _body(request, {"advance"})
        seconds = body.get("advance")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise Refused(20001, "advance must be a number of seconds")
        if not 0 <= seconds <= LONGEST_ADVANCE:
            raise Refused(20001, f"advance must be between 0 and {LONGEST_ADVANCE} seconds")
        if self._clock.advance is None:
            raise Refused(20001, "the clock is real; start Ringback with RINGBACK_CLOCK=virtual to move it")
        await self._clock.advance(seconds)
        return await self.show_clock(request)

    async def show_faults(self, request: Request) -> Response:
        return JSONResponse({"faults": [_fault(fault) for fault in self._faults.open()]})

    async def add_fault(self, request: Request) -> Response:
        body = await _body(request, {"kind", "count", "match", "seconds"})
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

    async def clear_faults(self, request: Request) -> Response:
        self._faults.clear()
        return Response(status_code=204)

    async def no_messages(self, request: Request) -> Response:
        raise Refused(20501, "Simulated messages are not built yet", 501)


async def _body(request: Request, names: set[str]) -> dict[str, Any]:
    """The JSON object of a request; refuses anything else, unknown names and more than 1 MiB."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > BODY_LIMIT:
            raise Refused(20001, f"the body has more than {BODY_LIMIT} bytes", 413)
    try:
        body = json.loads(bytes(raw) or b"{}")
        json.dumps(body, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError):
        raise Refused(20001, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise Refused(20001, "the body must be a JSON object")
    unknown = set(body) - names
    if unknown:
        raise Refused(20001, f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(sorted(names))}")
    return body


def _address(body: Any, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not _ADDRESS.match(value):
        raise Refused(20001, f"{name} must be a phone number such as +15550100, or a sip: address")
    return value


def _fault(fault: Fault) -> dict[str, Any]:
    return {"kind": fault.kind, "count": fault.count, "match": dict(fault.match), "seconds": fault.seconds}


def _missing(request: Request) -> Refused:
    return Refused(20404, f"The requested resource {request.url.path} was not found", 404)


def _problem(status: int, code: int, message: str) -> Response:
    return JSONResponse({"code": code, "message": message, "more_info": "", "status": status}, status)


async def _http_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: 20404, 405: 20004}.get(error.status_code, 20001)
    return _problem(error.status_code, code, str(error.detail))
