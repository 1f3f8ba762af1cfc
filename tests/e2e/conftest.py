"""Sites and web applications that end with their test; the log of a healthy site is checked then."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.sipp import crowd
from tests.e2e.site import Site
from tests.e2e.web import Web


def pytest_configure(config: pytest.Config) -> None:
    """The markers of this folder."""
    config.addinivalue_line(
        "markers", "alone: needs the whole machine; `make test` runs it with nothing beside it"
    )
    config.addinivalue_line(
        "markers", "waits: it is about seconds and works little; `make test` runs it beside its like alone"
    )


LONGEST = (
    "test_package.py",
    "test_typed_docs.py",
    "test_start.py",
    "test_docs_page.py",
    "test_voicemail_task.py",
)
"""Files that take longest, in this order."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They begin first (`--no-loadscope-reorder`): one that begins last is what the whole run waits for.

    xdist alone would begin with the files of many tests, and the longest of all has five.
    """
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


NEEDED = {"sipp": "sip-tester", "baresip": "baresip-core", "curl": "curl", "openssl": "openssl"}


@pytest.fixture(scope="session", autouse=True)
def programs() -> None:
    """The programs that are not ours."""
    missing = [package for program, package in NEEDED.items() if shutil.which(program) is None]
    assert not missing, f"these tests need programs from Debian: apt-get install {' '.join(missing)}"


@pytest.fixture
def start_site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Gives `start(**settings)`."""
    sites: list[Site] = []

    def start(**settings: str) -> Site:
        site = Site(tmp_path / f"site{len(sites)}", **settings)
        sites.append(site)
        site.start()
        return site

    yield start
    for site in sites:
        site.close()


@pytest.fixture
def site(start_site: Callable[..., Site]) -> Site:
    """A server with the usual settings."""
    return start_site()


@pytest.fixture
def web() -> Iterator[Web]:
    """A web application."""
    with Web() as application:
        yield application


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One healthy server for all tests of a file."""
    site = Site(tmp_path_factory.mktemp("shared"))
    site.start()
    yield site
    site.close()


@pytest.fixture
def start_crowd(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Gives `start(...)` with the arguments of `crowd`; whoever still calls at the end of the test is killed."""
    running: list[subprocess.Popen[bytes]] = []

    def start(**arguments: Any) -> subprocess.Popen[bytes]:
        running.append(crowd(tmp_path / f"crowd{len(running)}", **arguments))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()
