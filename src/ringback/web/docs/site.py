"""The ASGI application at ``/docs``: no credentials, no other host, no inline script or style.

Pages are made when they are first asked for, kept, and sent compressed with an ETag.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from ringback.web.docs import client_file, errors_page, guide_pages, handbook, twiml_page
from ringback.web.docs.api_page import coverage_page, product_page, resource_page
from ringback.web.docs.examples import Maker
from ringback.web.docs.handbook import Guide
from ringback.web.docs.home_page import home_page
from ringback.web.docs.layout import Entry, Frame, Page, Section
from ringback.web.docs.search import Index, entries
from ringback.web.docs.vocabulary import Sources
from ringback.web.routes import Route, Rule

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy: what is not ours or not in a file of its own is not run."""
_STATIC = Path(__file__).parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_QUERY = 100
"""Characters of a search."""
_SUGGESTED = 12
_HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Body:
    """Something that is sent, in both forms."""

    plain: bytes
    packed: bytes
    kind: str
    tag: bytes
    lasting: bool = False
    """Its address changes with its content."""

    @classmethod
    def of(cls, data: bytes, kind: str, lasting: bool = False) -> Body:
        """Compress it, and name its state."""
        tag = b'W/"' + hashlib.sha256(data).hexdigest()[:20].encode() + b'"'
        return cls(data, gzip.compress(data, 6, mtime=0), kind, tag, lasting)


class Docs:
    """Serves ``/docs`` and everything below it."""

    def __init__(
        self, sources: Callable[[], Sources], *, base_url: Callable[[], str], account_sid: str
    ) -> None:
        """``sources`` is asked once, when the first page is; ``account_sid`` is shown in the examples, empty where
        strangers may read them."""
        self._sources_of, self._base_url, self._account_sid = sources, base_url, account_sid
        self._made: dict[str, Body] = {}

    def routes(self) -> list[Route]:
        """What can be asked; the pages are open to anybody, whatever their names."""
        paths = ("", "/search", "/search.json", "/{page}", "/{folder}/{page}", "/{product}/{folder}/{page}")
        return [Route(method, f"/docs{path}", Rule.OPEN) for path in paths for method in ("GET", "HEAD")]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["method"] not in ("GET", "HEAD"):
            await _send(
                scope, send, 405, Body.of(b"method not allowed", "text/plain"), [(b"allow", b"GET, HEAD")]
            )
            return
        path = scope["path"].rstrip("/")
        query = (
            parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=16)
            .get("q", [""])[0]
            .strip()[:_QUERY]
        )
        if path == "/docs/search":
            number = re.fullmatch(r"\d{5}", query)
            if number and int(query) in self._sources.errors:
                await _send(
                    scope, send, 303, Body.of(b"", _HTML), [(b"location", f"/docs/errors/{query}".encode())]
                )
                return
            page = guide_pages.search_page(query, self._index.find(query))
            await _send(scope, send, 200, Body.of(self._frame.page(page, query).encode(), _HTML))
        elif path == "/docs/search.json":
            found = [hit._asdict() for hit in self._index.find(query, _SUGGESTED)]
            await _send(scope, send, 200, Body.of(json.dumps(found).encode(), "application/json"))
        else:
            body = self._body(path)
            if body is None:
                page = guide_pages.missing_page(path[:200])
                await _send(scope, send, 404, Body.of(self._frame.page(page).encode(), _HTML))
            else:
                await _send(scope, send, 200, body)

    def _body(self, path: str) -> Body | None:
        body = self._made.get(path)
        if body is None:
            body = self._make(path)
            if body is not None:
                self._made[path] = body
        return body

    def _make(self, path: str) -> Body | None:
        name = path.removeprefix("/docs/static/")
        if name != path:
            data = _static().get(name)
            return (
                None if data is None else Body.of(data, _TYPES[Path(name).suffix] + "; charset=utf-8", True)
            )
        maker = self._maker
        for file, write, kind in (
            (client_file.PYTHON_NAME, client_file.python, "text/x-python"),
            (client_file.NODE_NAME, client_file.node, "text/javascript"),
        ):
            if path == f"/docs/{file}":
                return Body.of(write(maker.base_url, maker.account_sid).encode(), f"{kind}; charset=utf-8")
        make = self._pages.get(path)
        return None if make is None else Body.of(self._frame.page(make()).encode(), _HTML)

    # --- made once -----------------------------------------------------------------------------------------

    @functools.cached_property
    def _sources(self) -> Sources:
        return self._sources_of()

    @functools.cached_property
    def _guides(self) -> Mapping[str, Guide]:
        return handbook.guides()

    @functools.cached_property
    def _index(self) -> Index:
        return Index(entries(self._sources, self._guides))

    @functools.cached_property
    def _maker(self) -> Maker:
        return Maker(
            base_url=self._base_url(), account_sid=self._account_sid, prefixes=self._sources.prefixes
        )

    @functools.cached_property
    def _frame(self) -> Frame:
        static = {
            name: f"/docs/static/{name}?{hashlib.sha256(data).hexdigest()[:12]}"
            for name, data in _static().items()
        }
        return Frame(sections=tuple(_sections(self._sources, self._guides)), static=static)

    @functools.cached_property
    def _pages(self) -> Mapping[str, Callable[[], Page]]:
        """Address → what makes the page."""
        sources, maker, guides = self._sources, self._maker, self._guides
        made: dict[str, Callable[[], Page]] = {
            "/docs": lambda: home_page(sources, maker, guides),
            "/docs/twiml": lambda: twiml_page.twiml_page(sources.verbs),
            "/docs/webhooks": twiml_page.webhooks_page,
            "/docs/errors": lambda: errors_page.errors_page(sources.errors),
            "/docs/features": lambda: guide_pages.features_page(sources),
            "/docs/guides": lambda: guide_pages.guides_page(guides),
            "/docs/coverage": lambda: coverage_page(sources.products, guides),
        }
        for product in sources.products:
            made[product.url] = functools.partial(product_page, product)
            for resource in product.resources:
                made[resource.url] = functools.partial(
                    resource_page, product, resource, maker, sources.errors
                )
        for verb in sources.verbs:
            made[f"/docs/twiml/{verb.tag.lower()}"] = functools.partial(
                twiml_page.verb_page, verb, sources.errors
            )
        for error in sources.errors.values():
            made[error.url] = functools.partial(errors_page.error_page, error)
        for guide in guides.values():
            made[guide.url] = functools.partial(guide_pages.guide_page, guide)
        return made

    @property
    def addresses(self) -> Iterable[str]:
        """Every page that there is."""
        return self._pages


def _sections(sources: Sources, guides: Mapping[str, Guide]) -> Iterable[Section]:
    """The navigation."""
    yield Section("Start", (Entry("Overview", "/docs"), Entry("Guides", "/docs/guides")))
    yield Section(
        "REST API",
        tuple(
            Entry(each.title, each.url, tuple(Entry(one.name, one.url) for one in each.resources))
            for each in sources.products
        ),
    )
    verbs = tuple(Entry(f"<{each.tag}>", f"/docs/twiml/{each.tag.lower()}") for each in sources.verbs)
    yield Section(
        "Your application",
        (
            Entry("TwiML", "/docs/twiml", verbs),
            Entry("Webhooks", "/docs/webhooks"),
            Entry("Errors", "/docs/errors"),
            Entry("Features and simulator", "/docs/features"),
            Entry("Coverage", "/docs/coverage"),
        ),
    )
    chosen = tuple(Entry(one.title, one.url) for name, one in guides.items() if "/" not in name)
    if chosen:
        yield Section("Guides", chosen)


@functools.cache
def _static() -> Mapping[str, bytes]:
    """The style, the scripts and the mark."""
    return {path.name: path.read_bytes() for path in sorted(_STATIC.iterdir()) if path.suffix in _TYPES}


async def _send(
    scope: Any, send: Any, status: int, body: Body, more: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    asked = dict(scope["headers"])
    packs = b"gzip" in asked.get(b"accept-encoding", b"") and len(body.plain) > 1000
    data = body.packed if packs else body.plain
    if status == 200 and asked.get(b"if-none-match") == body.tag:
        status, data = 304, b""
    keep = b"public, max-age=31536000, immutable" if body.lasting else b"private, no-cache"
    headers = [
        (b"content-type", body.kind.encode()),
        (b"content-security-policy", POLICY.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"cache-control", keep),
        (b"vary", b"accept-encoding"),
        (b"etag", body.tag),
        *more,
    ]
    if status != 304:
        headers.append((b"content-length", str(len(data)).encode()))
        if packs:
            headers.append((b"content-encoding", b"gzip"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else data})
