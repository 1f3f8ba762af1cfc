"""The search finds products, operations, parameters, error codes and verbs, and shows what it was asked as text."""

from __future__ import annotations

import json

import pytest
from lxml import html

from ringback.web.docs.site import Docs
from ringback.web.rest import RestApplication
from tests.web.docs.kit import ask, docs_of, page
from tests.web.rest.test_fuzz import app as app


@pytest.fixture
def docs(app: RestApplication) -> Docs:
    """The documentation of all nouns."""
    return docs_of(app)


@pytest.mark.parametrize(
    ("query", "kind", "url"),
    [
        ("calls", "Operation", "/docs/api/api/call#list"),
        ("call", "Resource", "/docs/api/api/call"),
        ("taskrouter", "Product", "/docs/api/taskrouter"),
        ("create a task", "Operation", "/docs/api/taskrouter/task#create"),
        ("MachineDetection", "Parameter", "/docs/api/api/call#create.MachineDetection"),
        ("13223", "Error", "/docs/errors/13223"),
        ("busy", "Error", "/docs/errors/45303"),
        ("<gather>", "TwiML verb", "/docs/twiml/gather"),
        ("numdigits", "Attribute", "/docs/twiml/gather#attributes-gather.numDigits"),
        ("QueueResult", "Webhook parameter", "/docs/webhooks#enqueue-action.QueueResult"),
        ("virtual clock", "Guide", "/docs/guides/how-to#test-on-a-virtual-clock"),
    ],
)
async def test_it_finds(docs: Docs, query: str, kind: str, url: str) -> None:
    """Among the first of the list below the field."""
    _, _, body = await ask(docs, "/docs/search.json", f"q={query.replace(' ', '+')}")
    assert (kind, url) in [(hit["kind"], hit["url"]) for hit in json.loads(body)]


async def test_the_page_of_results_needs_no_script(docs: Docs) -> None:
    """A form leads there; a code leads to its page at once."""
    tree = html.fromstring(await page(docs, "/docs/search", "q=hold"))
    assert len(tree.xpath("//ul[contains(@class,'results')]//a")) > 3
    assert tree.xpath("//input[@id='q']/@value") == ["hold"]
    status, headers, _ = await ask(docs, "/docs/search", "q=21211")
    assert (status, headers["location"]) == (303, "/docs/errors/21211")


@pytest.mark.parametrize(
    "query", ["", "%20", "%3Cscript%3Ealert(1)%3C/script%3E", "%FF%00", "x" * 9000, "99999"]
)
async def test_any_query_is_answered(docs: Docs, query: str) -> None:
    """And never becomes part of the page."""
    for path in ("/docs/search", "/docs/search.json"):
        status, _, body = await ask(docs, path, f"q={query}")
        assert status == 200
        assert b"<script>alert" not in body
