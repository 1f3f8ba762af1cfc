"""The documentation of a REST application, without a server and a product around it."""

from __future__ import annotations

from typing import Any

from ringback.voice.verbs import collect
from ringback.web.docs import reference
from ringback.web.docs.site import Docs
from ringback.web.docs.vocabulary import Door, Sources, errors
from ringback.web.rest import RestApplication

ACCOUNT = "AC" + "0123456789abcdef" * 2


def sources_of(rest: RestApplication, doors: tuple[Door, ...] = ()) -> Sources:
    """What the documentation is made from."""
    products, verbs = reference.products(rest.rules), tuple(collect().values())
    return Sources(
        products=products,
        prefixes=reference.prefixes(rest.rules),
        verbs=verbs,
        doors=doors,
        errors=errors(products, verbs),
    )


def docs_of(rest: RestApplication, account_sid: str = ACCOUNT) -> Docs:
    """The application at ``/docs``."""
    return Docs(lambda: sources_of(rest), base_url=lambda: "http://127.0.0.1:8080", account_sid=account_sid)


async def ask(
    docs: Docs, path: str, query: str = "", method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """One request."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": given}
    await docs(scope, receive, send)
    kept = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], kept, sent[1]["body"]


async def page(docs: Docs, path: str, query: str = "") -> str:
    """A page that must be there."""
    status, _, body = await ask(docs, path, query)
    assert status == 200, path
    return body.decode()
