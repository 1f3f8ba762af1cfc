"""The examples of ``/docs`` are typed as they stand: curl, Python and Node, against a running server.

Whatever can be called on a fresh server is called, creates before fetches, with the SIDs of what was made in place
of ``WSXXXX…``. What cannot is named, with the reason.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from lxml import html

from tests.e2e.site import ACCOUNT, TOKEN, Site

X = "X" * 32
LATER = {"update": 3, "run": 3, "query": 3, "validate": 3, "create": 1, "list": 2, "fetch": 2, "delete": 9}
NODE = Path(__file__).parent / "node"
UNMADE = {"CF", "RE", "TR", "WR", "NO", "EV", "WC", "QU"}
"""What only a call or an agent makes: conferences, recordings, transcriptions, offers, alerts, events."""


class Example(NamedTuple):
    """One operation's examples."""

    url: str
    operation: str
    curl: str
    python: str
    node: str


def examples(site: Site) -> Iterator[Example]:
    """All of them, read off the pages."""
    for product in pages(site, "/docs", "//ul[@class='cards']//a/@href", "/docs/api/"):
        for url in pages(site, product, "//h2/a/@href", "/docs/api/"):
            tree = read(site, url)
            for section in tree.xpath("//section[contains(@class,'operation')]"):
                name = section.xpath("./h2/@id")[0]
                codes = [
                    section.xpath(f".//div[contains(@class,'panel {language}')]//code")[0].text_content()
                    for language in ("curl", "python", "node")
                ]
                yield Example(url, name, *codes)


def read(site: Site, path: str) -> html.HtmlElement:
    """A page."""
    with urllib.request.urlopen(site.url + path, timeout=10) as answer:
        return html.fromstring(answer.read())


def pages(site: Site, path: str, links: str, begin: str) -> list[str]:
    """Where a page leads, each once."""
    return list(dict.fromkeys(each for each in read(site, path).xpath(links) if each.startswith(begin)))


def order(example: Example) -> tuple[int, int]:
    """Creates from the top of the tree down, deletes from below up."""
    depth = example.curl.split('"')[1].count("/")
    rank = LATER.get(example.operation.partition("-")[0], 3)
    return rank, -depth if rank == 9 else depth


class Shell:
    """Types curl commands."""

    def run(self, code: str, folder: Path, number: int) -> tuple[str, str]:
        """What was printed, and what went wrong (or nothing)."""
        command = code.replace("curl ", "curl -sS -w '\\n%{http_code}' ", 1)
        known = {**os.environ, "RINGBACK_AUTH_TOKEN": TOKEN}
        done = subprocess.run(
            ["sh", "-c", command], env=known, capture_output=True, text=True, timeout=30, check=False
        )
        body, _, status = done.stdout.rpartition("\n")
        return body, "" if status.startswith("2") else f"{status} {body[:300]}{done.stderr}"

    def close(self) -> None:
        """Nothing to end."""


class Python:
    """Runs programs in this process: a new one for each would take minutes."""

    def run(self, code: str, folder: Path, number: int) -> tuple[str, str]:
        """What was printed, and what went wrong (or nothing)."""
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                exec(compile(code, f"<example {number}>", "exec"), {"__name__": "__main__"})
        except Exception as error:  # noqa: BLE001 - an example may fail of anything, and the test says of what
            return "", f"{type(error).__name__}: {error}"
        return printed.getvalue(), ""

    def close(self) -> None:
        """Forget the client's file."""
        sys.modules.pop("ringback_client", None)


class Node:
    """Runs modules in one Node process."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            ["node", NODE / "docs_examples.mjs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "RINGBACK_AUTH_TOKEN": TOKEN},
        )  # fmt: skip

    def run(self, code: str, folder: Path, number: int) -> tuple[str, str]:
        """What was printed, and what went wrong (or nothing)."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        file = folder / f"example{number}.mjs"
        file.write_text(code)
        self.process.stdin.write(f"{file}\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        return answer["printed"], answer["error"]

    def close(self) -> None:
        """End the process."""
        self.process.communicate(timeout=10)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Site]:
    """A fresh server for each language: what one made is not in the other's way."""
    site = Site(tmp_path / "site")
    site.start()
    yield site
    site.close()


@pytest.mark.parametrize("language", ["curl", "python", "node"])
def test_the_examples_run(
    server: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    """Every operation that can be called on a fresh server; what cannot is counted."""
    for name in ("ringback_client.py", "ringback_client.mjs"):
        with urllib.request.urlopen(f"{server.url}/docs/{name}", timeout=10) as answer:
            (tmp_path / name).write_bytes(answer.read())
    (tmp_path / "node_modules").symlink_to(NODE / "node_modules")
    monkeypatch.setenv("RINGBACK_AUTH_TOKEN", TOKEN)
    monkeypatch.syspath_prepend(str(tmp_path))
    every = sorted(examples(server), key=order)
    assert len(every) > 100
    assert [each.url for each in every if "/2010-04-01/" in each.curl and ACCOUNT not in each.curl] == []
    runner = {"curl": Shell, "python": Python, "node": Node}[language]()
    sids: dict[str, str] = {}
    wrong, skipped, ran = [], {}, 0
    for number, each in enumerate(every):
        code = re.sub(rf"\b([A-Z]{{2}}){X}", lambda hit: sids.get(hit[1], hit[0]), getattr(each, language))
        missing = re.search(rf"\b([A-Z]{{2}}){X}", code)
        if missing is not None:
            skipped[f"{each.url}#{each.operation}"] = missing[1]
            continue
        printed, problem = runner.run(code, tmp_path, number)
        if problem:
            wrong.append(f"{each.url}#{each.operation}: {problem}\n{code}\n")
        elif each.operation == "create":
            for sid in re.findall(r"\b[A-Z]{2}[0-9a-f]{32}\b", printed)[:1]:
                sids.setdefault(sid[:2], sid)
        ran += 1
    runner.close()
    print(
        f"{language}: {ran} ran, {len(skipped)} need what no request alone can make: {Counter(skipped.values())}"
    )
    assert wrong == []
    assert set(skipped.values()) <= UNMADE
    assert ran > 90
