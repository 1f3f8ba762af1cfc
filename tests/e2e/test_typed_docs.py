"""Every command of the README, the documentation and the examples is typed, and prints what the page shows."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from ringback.settings import load
from tests.e2e.site import ACCOUNT, TOKEN, free_port
from tests.e2e.typed import Block, Terminal, blocks, checkout, headless_phone, pages, shown_as

ALL = [block for page in pages() for block in blocks(page)]
TYPED = {"sh", "console"}
ELSEWHERE = {
    "javascript": "tests/e2e/test_sdk_hooks.py runs it as it stands",
    "mermaid": "a drawing",
    "": "docs/architecture.md: the map, compared by tests/test_architecture.py",
    **dict.fromkeys(("csharp", "go", "ruby", "php"), "the page says that it is not run by our tests"),
}
"""Languages that are not typed here, and why."""
NOT_HERE = {
    "docs/how-to/deploy.md": "tests/e2e/test_package.py builds, installs and backs up; the rest is another machine's",
    "docs/how-to/web-chat.md": "a page in a browser: tests/e2e/test_web_chat_page.py does what it says",
    "docs/how-to.md": "pip install 'ringback[testing]' is done by tests/e2e/test_package.py",
}
"""Pages whose `sh` blocks are not typed, and why; their `console` blocks are."""
OWN_SERVER = {"README.md"}
"""Pages that start the server themselves."""


def typed(page: str) -> list[Block]:
    """The blocks of a page that are commands."""
    found = [block for block in ALL if block.page == page and block.language in TYPED]
    return [block for block in found if block.language == "console" or page not in NOT_HERE]


class Desk:
    """A folder like a checkout, free ports, and what of a page is replaced by them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "checkout"
        self.folder.mkdir()
        checkout(self.folder)
        headless_phone(self.folder / "home")
        self.ports = {
            "8080": free_port(),
            "8081": free_port(),
            "5000": free_port(),
            "5080": free_port(),
            "5060": free_port(socket.SOCK_DGRAM),
        }
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("RINGBACK_", "PYTEST"))
        }
        self.environment = kept | {
            "HOME": str(self.folder / "home"),
            "PATH": f"{self.folder}/.venv/bin:{os.environ['PATH']}",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PORT": str(self.ports["5000"]),
            "CARRIER_PORT": str(self.ports["5080"]),
            "RINGBACK_HTTP": f"127.0.0.1:{self.ports['8080']}",
            "RINGBACK_SIP": f"udp:127.0.0.1:{self.ports['5060']},tcp:127.0.0.1:{self.ports['5060']}",
            "RINGBACK_URL": f"http://127.0.0.1:{self.ports['8080']}",
            "RINGBACK_ACCOUNT_SID": ACCOUNT,
            "RINGBACK_AUTH_TOKEN": TOKEN,
            "RINGBACK_SESSION_DRAIN": "0",
        }

    def replaced(self, text: str) -> str:
        """What a page says, for this desk."""
        for said, port in self.ports.items():
            text = re.sub(rf"(127\.0\.0\.1:){said}\b", rf"\g<1>{port}", text)
        # a person's own configuration lies in their home, with their sound card
        text = text.replace("baresip -e", f"baresip -f {self.folder}/home/.baresip -e")
        return text.replace("ACCOUNT_SID", ACCOUNT).replace("AUTH_TOKEN", TOKEN)

    def terminal(self) -> Terminal:
        """A shell."""
        return Terminal(self.folder, self.environment, self.replaced)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """See `Desk`."""
    return Desk(tmp_path)


def serve(terminal: Terminal) -> None:
    """Start the page's server."""
    terminal.type(
        Block("before the page", 0, "console", "$ .venv/bin/ringback serve\n…\nRingback is ready at …\n")
    )


def python_of(page: str, has: str) -> str:
    """The Python block of a page that has some text."""
    (found,) = [
        block.text for block in ALL if (block.page, block.language) == (page, "python") and has in block.text
    ]
    return found


PAGES = sorted({block.page for block in ALL if block.language in TYPED})


@pytest.mark.parametrize("page", [page for page in PAGES if page != "examples/agents/README.md"])
def test_what_a_page_says_is_typed(page: str, desk: Desk) -> None:
    if page == "README.md":
        (desk.folder / "hello.py").write_text(desk.replaced(python_of(page, "ToRingback")))
    if page == "docs/how-to.md":
        (desk.folder / "test_voicemail.py").write_text(python_of(page, "test_voicemail"))
    if page == "docs/how-to/sms-carriers.md":
        (table,) = [block.text for block in ALL if block.page == page and "[http_carrier." in block.text]
        (desk.folder / "ringback.toml").write_text(desk.replaced(table))
    with desk.terminal() as terminal:
        if page not in OWN_SERVER:
            serve(terminal)
        for block in typed(page):
            terminal.type(block)


def test_the_agents_example(desk: Desk) -> None:
    """Its first part with the simulated agent, its second with a SIP phone and another start of the server."""
    found = typed("examples/agents/README.md")
    phone = next(index for index, block in enumerate(found) if "mkdir phone" in block.text)
    with desk.terminal() as terminal:
        serve(terminal)
        for block in found[:phone]:
            terminal.type(block)
    (table,) = [
        block for block in ALL if block.page == "examples/agents/README.md" and block.language == "toml"
    ]
    (desk.folder / "ringback.toml").write_text(table.text)
    with desk.terminal() as terminal:
        serve(terminal)
        for block in found[phone:]:
            terminal.type(block)


def test_the_python_of_confirming_outcomes(desk: Desk, tmp_path: Path) -> None:
    """The hook, then the snippet, whose output is the page's."""
    page = "docs/how-to/confirm-call-outcomes.md"
    (shown,) = [block.text for block in ALL if (block.page, block.language) == (page, "text")]
    code = python_of(page, "class Ringback") + python_of(page, "lookups.v2")
    with desk.terminal() as terminal:
        serve(terminal)
        done = subprocess.run(
            [sys.executable, "-c", desk.replaced(code)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert shown_as(shown, done.stdout), done.stdout


@pytest.mark.parametrize(
    "block", [each for each in ALL if each.language == "toml"], ids=lambda each: f"{each.page}:{each.line}"
)
def test_settings_in_the_pages_are_read(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "ringback.toml"
    file.write_text(block.text)
    load(environ={}, file=file)


@pytest.mark.parametrize(
    "block", [each for each in ALL if each.language == "xml"], ids=lambda each: f"{each.page}:{each.line}"
)
def test_documents_in_the_pages_are_twiml(block: Block) -> None:
    assert etree.fromstring(block.text).tag == "Response"


def test_no_block_is_forgotten() -> None:
    """A language that nobody types, reads or names; and an indented block, which would not be found."""
    known = TYPED | {"python", "toml", "xml", "text"} | set(ELSEWHERE)
    assert [
        f"{block.page}:{block.line}: {block.language}" for block in ALL if block.language not in known
    ] == []
    run = {"README.md", "docs/how-to.md", "docs/how-to/confirm-call-outcomes.md"}
    assert {block.page for block in ALL if block.language == "python"} == run
    assert {block.page for block in ALL if block.language == ""} <= {"docs/architecture.md"}
    for page in pages():
        for found in re.finditer(
            r"\n\n {4,}(?:\$|\.venv/|curl |make |baresip |ringback )", page.read_text("utf-8")
        ):
            start = page.read_text("utf-8")[: found.start()]
            assert start.count("```") % 2, f"{page.name}: an indented command after …{start[-60:]!r}"


def test_how_output_is_compared() -> None:
    assert shown_as("CA… queued\n", "CA12 queued\n")
    assert not shown_as("CA… queued\n", "CA12 busy\n")
    assert shown_as("…\nlast\n", "one\ntwo\nlast\n")
    assert shown_as("…\nlast\n", "last\n")
    assert not shown_as("first\n…\n", "another\nline\n")
    assert shown_as("", "")
    assert not shown_as("", "something\n")
