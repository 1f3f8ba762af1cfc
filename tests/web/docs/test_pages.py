"""Every page of ``/docs``: it is there, its links lead somewhere, nothing of it is inline or from elsewhere."""

from __future__ import annotations

import asyncio
import gzip
import re
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from lxml import html

import ringback
from ringback.kernel.error_codes import titles
from ringback.resources.api.call import REFUSES
from ringback.voice.verbs import collect
from ringback.web.docs import handbook
from ringback.web.docs.site import Docs
from ringback.web.rest import RestApplication
from tests.web.docs.kit import ACCOUNT, ask, docs_of, page, sources_of
from tests.web.rest.test_fuzz import app as app

SOURCE = Path(ringback.__file__).parent


@pytest.fixture
def docs(app: RestApplication) -> Docs:
    """The documentation of all nouns."""
    return docs_of(app)


async def parsed(docs: Docs) -> dict[str, Any]:
    """Every page by its address."""
    return {url: html.fromstring(await page(docs, url)) for url in docs.addresses}


async def test_every_page_stands_by_itself(docs: Docs) -> None:
    """One heading, each fragment once, and links that lead to pages and fragments that there are."""
    pages = await parsed(docs)
    assert len(pages) > 300
    ids = {url: Counter(tree.xpath("//@id")) for url, tree in pages.items()}
    files = {"/openapi.json", "/docs/ringback_client.py", "/docs/ringback_client.mjs"}
    wrong = []
    for url, tree in pages.items():
        if len(tree.xpath("//h1")) != 1 or not (tree.findtext(".//title") or "").strip():
            wrong.append(f"{url}: headings or title")
        wrong += [f"{url}: #{name} twice" for name, count in ids[url].items() if count > 1]
        for target in tree.xpath("//a/@href"):
            if re.match(r"[a-z]+:", target) and url.startswith("/docs/guides/"):
                continue
            path, _, fragment = target.partition("#")
            known = ids.get(path or url)
            if path not in files and (known is None or (fragment and fragment not in known)):
                wrong.append(f"{url}: {target}")
    assert wrong == []


async def test_nothing_is_inline_or_from_elsewhere(docs: Docs) -> None:
    """The policy forbids it, and no page tries."""
    for url, tree in (await parsed(docs)).items():
        assert tree.xpath("//script[not(@src)] | //style | //@style | //@onclick | //img | //iframe") == [], (
            url
        )
        loaded = tree.xpath("//script/@src | //link/@href")
        assert [each for each in loaded if not each.startswith("/docs/static/")] == [], url
    _, headers, _ = await ask(docs, "/docs")
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    for name in ("docs.css", "docs.js", "theme.js", "mark.svg"):
        status, headers, body = await ask(docs, f"/docs/static/{name}")
        assert (status, "immutable" in headers["cache-control"]) == (200, True)
        assert re.findall(rb"(?:https?:)?//(?!www\.w3\.org/2000/svg)[a-z0-9-]+\.[a-z]", body) == []


async def test_pages_are_small(docs: Docs) -> None:
    """Nothing that is sent is larger than a picture; most are far smaller."""
    sizes = {}
    for url in docs.addresses:
        status, headers, body = await ask(docs, url, accept_encoding="gzip, br")
        assert status == 200
        sizes[url] = len(body)
        if headers.get("content-encoding") == "gzip":
            gzip.decompress(body)
    assert max(sizes.values()) < 40_000, sorted(sizes.items(), key=lambda one: -one[1])[:5]
    assert sorted(sizes.values())[len(sizes) // 2] < 6_000


async def test_the_secret_is_nowhere_and_the_account_only_near(app: RestApplication) -> None:
    """``secret`` is the auth token of the fixture's account; without an account the shell knows it."""
    near, far = docs_of(app), docs_of(app, "")
    for url in near.addresses:
        assert "0123456789abcdef" not in await page(far, url), url
    calls = "/docs/api/api/call"
    assert f'-u "{ACCOUNT}:$RINGBACK_AUTH_TOKEN"' in html.fromstring(await page(near, calls)).text_content()
    assert (
        '-u "$RINGBACK_ACCOUNT_SID:$RINGBACK_AUTH_TOKEN"'
        in html.fromstring(await page(far, calls)).text_content()
    )


async def test_every_operation_parameter_and_key_is_there(app: RestApplication) -> None:
    """What a declaration says is on its page; so a new noun has one."""
    docs = docs_of(app)
    for product in sources_of(app).products:
        for resource in product.resources:
            tree = html.fromstring(await page(docs, resource.url))
            ids, text = set(tree.xpath("//@id")), tree.text_content()
            for operation in resource.operations:
                assert operation.anchor in ids
                assert {f"{operation.anchor}.{each.name}" for each in operation.parameters} <= ids
                assert len(tree.xpath(f"//input[@name='lang-{operation.anchor}']")) == 3
            assert [field.key for field in resource.fields if field.key not in text] == []
            assert [field.key for field in resource.fields if not field.doc] == [], "document these fields"


async def test_every_code_that_is_used_has_a_page(docs: Docs) -> None:
    """Whatever the sources refuse with or warn of; ``more_info`` leads to a page for each."""
    used: dict[int, str] = {}
    for path in SOURCE.rglob("*.py"):
        text = path.read_text("utf-8")
        for code in re.findall(r"(?:Refused|[wW]arn|refuse|Trouble|explained)\(\s*(\d{5})\b", text):
            used.setdefault(int(code), path.name)
        for code in re.findall(r"\b(?:code|failure_code|missing_code)=(\d{5})\b", text):
            used.setdefault(int(code), path.name)
    assert len(used) > 100
    assert {code: name for code, name in used.items() if code not in titles()} == {}


async def test_what_creating_a_call_is_refused_with(docs: Docs) -> None:
    """The core's codes are on the operation and lead back to it."""
    core = (SOURCE / "voice" / "call" / "creation.py").read_text("utf-8")
    used = {int(code) for code in re.findall(r"\b2[01]\d{3}\b", core)}
    assert len(used) > 20
    assert used - {20001} <= set(REFUSES["create"])
    tree = html.fromstring(await page(docs, "/docs/api/api/call"))
    (create,) = tree.xpath("//section[h2/@id='create']")
    assert {f"/docs/errors/{code}" for code in used} <= set(create.xpath(".//a/@href"))
    assert 'href="/docs/api/api/call#create"' in await page(docs, "/docs/errors/21211")


async def test_every_route_is_an_operation(app: RestApplication) -> None:
    """What is answered is documented: the router's own tree, walked."""
    known = {
        (each.method, re.sub(r"\{[^}]*\}", "{}", each.path).removesuffix(".json"))
        for product in sources_of(app).products
        for resource in product.resources
        for each in resource.operations
    }

    def walk(node: Any, path: str) -> None:
        if node.target is not None:
            for method in node.target.methods:
                served.add((method, path))
        for name, below in node.fixed.items():
            walk(below, f"{path}/{name}")
        if node.any is not None:
            walk(node.any, f"{path}/{{}}")

    served: set[tuple[str, str]] = set()
    for product in app.router.products:
        walk(app.router._products[product], f"/{product}")
    assert served == known


async def test_verbs_and_errors_have_pages(docs: Docs) -> None:
    for tag, verb in collect().items():
        tree = html.fromstring(await page(docs, f"/docs/twiml/{tag.lower()}"))
        ids = set(tree.xpath("//@id"))
        assert {f"attributes-{tag.lower()}.{name}" for name in verb.attributes} <= ids
        for noun, attributes in verb.nouns.items():
            assert {f"attributes-{noun.lower()}.{name}" for name in attributes} <= ids
    for code, title in titles().items():
        tree = html.fromstring(await page(docs, f"/docs/errors/{code}"))
        assert tree.findtext(".//h1") == f"{code}: {title}"
        assert tree.xpath("//h2[@id='cause']/following-sibling::p[1]")[0].text_content().strip()
        assert tree.xpath("//h2[@id='remedy']/following-sibling::p[1]")[0].text_content().strip()


async def test_the_current_place_is_marked(docs: Docs) -> None:
    for url in ("/docs", "/docs/api/api/call", "/docs/twiml/dial", "/docs/errors", "/docs/guides"):
        tree = html.fromstring(await page(docs, url))
        assert tree.xpath("//nav[contains(@class,'side')]//a[@aria-current='page']/@href") == [url]


async def test_pages_are_made_beside_the_event_loop(docs: Docs, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one reads all sources, for a second or two: no call may wait for that."""
    where: list[threading.Thread] = []
    make = handbook.guides

    def noted() -> Any:
        where.append(threading.current_thread())
        return make()

    monkeypatch.setattr(handbook, "guides", noted)
    await asyncio.gather(*(page(docs, url) for url in ("/docs", "/docs/errors", "/docs/twiml/say")))
    assert where
    assert threading.main_thread() not in where


async def test_requests_that_are_not_for_pages(docs: Docs) -> None:
    assert (await ask(docs, "/docs/"))[0] == 200
    for path in ("/docs/nothing", "/docs/static/../application.py", "/docs/errors/1", "/docs/api/api/<b>"):
        status, _, body = await ask(docs, path)
        assert (status, b"<b>" in body) == (404, False)
    status, headers, _ = await ask(docs, "/docs", method="POST")
    assert (status, headers["allow"]) == (405, "GET, HEAD")
    status, headers, body = await ask(docs, "/docs", method="HEAD")
    assert (status, body, int(headers["content-length"]) > 1000) == (200, b"", True)
    assert (await ask(docs, "/docs", if_none_match=headers["etag"]))[0] == 304
