"""``/health``, ``/ready``, ``/metrics`` (surface.md, HTTP), the way in at ``/``, the greeting of the number to try."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from ringback.kernel.errors import Refused
from ringback.web.features.request import read
from ringback.web.routes import Route, Rule

Figures = Callable[[], Awaitable[Mapping[str, float]]]

PATHS = {
    "GET /health": "200 while the process lives. Needs no credentials.",
    "GET /ready": "200 when calls can be taken, else 503 with the reason as ``status``; ``channels``: the carriers of "
    "texts, and what is the matter with each. Needs no credentials.",
    "GET /metrics": "Numbers for Prometheus.",
    "GET /reconcile": "The last report of the reconciler; with the first account's credentials.",
    "POST /reconcile": "A round of the reconciler now; ``since`` (ISO 8601) limits it.",
    "POST /reconcile/records": "The same with a trunk's call detail records as CSV.",
    "GET /openapi.json": "The REST API for machines: OpenAPI 3.1.",
}
"""What operators and machines ask, for ``/docs``."""

WELCOME = """<?xml version="1.0" encoding="UTF-8"?>
<Response>
  <Gather numDigits="1" timeout="5" action="/welcome">
    <Say>Hello from Ringback. Your server works. Press 1 to leave a message, or 2 to hear what to do next.</Say>
  </Gather>
  <Say>Goodbye.</Say>
</Response>"""

WELCOME_PRESSED = {
    "1": """<Response><Say>Please speak after the beep, then press the pound key.</Say>
  <Record maxLength="60" finishOnKey="#" action="/welcome?recorded=1"/></Response>""",
    "2": "<Response><Say>Point a number at your own application: the read me shows how. Goodbye.</Say></Response>",
}


class Status:
    """Three small pages for operators and load balancers."""

    def __init__(
        self, *, ready: Callable[[], str], figures: Figures, channels: Callable[[], Mapping[str, str]] = dict
    ) -> None:
        """``ready()`` gives an empty string, or why no call can be taken; ``figures()`` the metrics:
        names that end in ``_total`` are counters, the others gauges; ``channels()`` the carriers of texts by name,
        with why they carry none now (empty: they do)."""
        self._ready, self._channels = ready, channels
        self._figures = figures

    def routes(self) -> list[Route]:
        """They tell nothing of any account."""
        return [
            Route(method, path, Rule.OPEN)
            for path in ("/health", "/ready", "/metrics", "/welcome")
            for method in ("GET", "HEAD", "POST")
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        response: Response
        if request.method not in ("GET", "HEAD", "POST"):
            response = PlainTextResponse("method not allowed", 405)
        elif scope["path"] == "/":
            response = RedirectResponse("/docs")
        elif scope["path"] == "/health":
            response = JSONResponse({"status": "ok"})
        elif scope["path"] == "/ready":
            why = self._ready()
            told: dict[str, object] = {"status": why or "ready"}
            if channels := self._channels():
                told["channels"] = {name: trouble or "ready" for name, trouble in channels.items()}
            response = JSONResponse(told, 503 if why else 200)
        elif scope["path"] == "/metrics":
            registry = CollectorRegistry()
            registry.register(_Figures(await self._figures()))
            response = Response(
                generate_latest(registry), media_type="text/plain; version=0.0.4; charset=utf-8"
            )
        elif scope["path"] == "/welcome":
            response = await welcome(request)
        else:
            response = PlainTextResponse("not found", 404)
        await response(scope, receive, send)


async def welcome(request: Request) -> Response:
    """The application of the number that the first start provisions: a greeting, and a message to leave."""
    try:
        asked = await read(request.scope, request.receive)
    except Refused as refusal:
        return PlainTextResponse(refusal.message, refusal.status)
    if asked.params.get("recorded"):
        document = "<Response><Say>Thank you. Your message is kept. Goodbye.</Say></Response>"
    else:
        document = WELCOME_PRESSED.get(asked.params.get("Digits", ""), WELCOME)
    return Response(document, media_type="application/xml")


class _Figures(Collector):
    """The figures of one moment."""

    def __init__(self, figures: Mapping[str, float]) -> None:
        self._figures = figures

    def collect(self) -> list[GaugeMetricFamily | CounterMetricFamily]:
        """All figures as Prometheus families."""
        found: list[GaugeMetricFamily | CounterMetricFamily] = []
        for name, value in self._figures.items():
            kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
            family = kind(f"ringback_{name.removesuffix('_total')}", name.replace("_", " "))
            family.add_metric([], value)
            found.append(family)
        return found
