"""The documentation says what is: links, commands, settings, dependencies, generated pages."""

from __future__ import annotations

import ast
import itertools
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from ringback.settings import load

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def named(path: Path) -> str:
    """How a test of one page is called."""
    return path.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """The fragment identifiers of a page's headings."""
    heads = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_resolve(page: Path) -> None:
    """Relative links lead to files of the checkout, and fragments to headings."""
    broken = []
    for target in LINK.findall(page.read_text("utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, fragment = target.partition("#")
        file = page.parent / name if name else page
        if not file.exists() or (fragment and fragment not in anchors(file)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_pages_name_nothing_of_one_machine(page: Path) -> None:
    """No directory of somebody's machine, and no package registry's host."""
    assert (
        re.findall(r"/(?:work|home|root|Users)/(?!\{)\S*|pypi\.\w+|npmjs\.\w+", page.read_text("utf-8")) == []
    )


LOCKS = ("requirements.lock", "requirements-transcription.lock", "requirements-dev.lock")


@pytest.mark.parametrize("name", LOCKS)
def test_locks_have_hashes_and_name_no_registry(name: str) -> None:
    """Each requirement is one version with its hashes, from wherever pip is told to look."""
    text = (ROOT / name).read_text("utf-8")
    assert re.findall(r"https?://|--index|--find-links", text) == []
    entries = re.findall(r"^([a-z0-9][^\s;]*)[^\n]*\n((?:    --hash=\S+.*\n)*)", text, re.MULTILINE)
    assert len(entries) > 40
    assert [entry for entry, hashes in entries if "==" not in entry or not hashes] == []


def test_locks_are_of_this_pyproject() -> None:
    """Every dependency is in its lock; ``make lock`` after changing pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    groups, extras = project["dependency-groups"], project["project"]["optional-dependencies"]
    plain = [*project["project"]["dependencies"], *groups["build"]]
    written = [*plain, *extras["transcription"]]
    wanted_of = (plain, written, [*written, *groups["dev"], *extras["testing"]])
    for name, wanted in zip(LOCKS, wanted_of, strict=True):
        locked = set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / name).read_text("utf-8"), re.MULTILINE))
        assert {package(one) for one in wanted} - locked == set(), f"{name} lacks these"


def test_each_lock_holds_the_one_before_it() -> None:
    """In the same versions: what was tested with the tools of development is what runs without them."""
    found = [
        dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (ROOT / name).read_text("utf-8"), re.MULTILINE))
        for name in LOCKS
    ]
    for less, more in itertools.pairwise(found):
        assert less.items() <= more.items()
    assert not {"faster-whisper", "ctranslate2", "scipy"} & set(found[0])


def package(requirement: str) -> str:
    """``uvicorn>=0.38`` → ``uvicorn``."""
    return re.split(r"[<>=!~\[; ]", requirement, maxsplit=1)[0].lower()


def test_every_dependency_is_explained() -> None:
    """docs/dependencies.md has exactly those of pyproject.toml, each with a use and an alternative."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = [*project["project"]["dependencies"]]
    for extra in project["project"]["optional-dependencies"].values():
        wanted += extra
    for group in project["dependency-groups"].values():
        wanted += [one for one in group if isinstance(one, str)]
    rows = re.findall(
        r"^\| ([a-z0-9._-]+) \| (.+) \| (.+) \|$",
        (ROOT / "docs/dependencies.md").read_text("utf-8"),
        re.MULTILINE,
    )
    explained = {name for name, purpose, instead in rows if name != "package" and purpose and instead}
    assert explained == {package(one) for one in wanted}


def test_generated_pages_are_current() -> None:
    """``make docs`` would change nothing: so the settings, resources and verbs shown are those there are."""
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "docs", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}run make docs"


def test_settings_named_anywhere_exist() -> None:
    """Every RINGBACK_… of the pages and examples is a setting, or one of the few that are read elsewhere."""
    known = set(re.findall(r"`(RINGBACK_\w+)`", (ROOT / "docs/settings.md").read_text("utf-8")))
    known |= {
        "RINGBACK_URL",
        "RINGBACK_TEST_DATABASES",
    }  # where the client programs find the server; tests/conftest.py
    used = set()
    for path in [*PAGES, *(ROOT / "examples").rglob("*.*")]:
        if path.is_file() and path.suffix in {".md", ".py", ".mjs", ".toml"}:
            used |= set(re.findall(r"RINGBACK_[A-Z_]+[A-Z]", path.read_text("utf-8")))
    assert used - known == set()


def documented_commands() -> set[tuple[str, str]]:
    """(``make``, target) and (``ringback``, subcommand) as the pages show them in code."""
    found = set()
    for page in PAGES:
        text = page.read_text("utf-8")
        code = re.findall(r"`([^`\n]+)`", text) + re.findall(r"^ {4,}(\S.*)$", text, re.MULTILINE)
        for block in re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            code += block.splitlines()
        for line in code:
            found |= set(re.findall(r"(?:^|/)(make|ringback) ([a-z]+)\b", line.strip()))
    return found


def test_commands_exist() -> None:
    """Targets are in the Makefile and subcommands in the command line."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    done = subprocess.run(
        [sys.executable, "-c", "from ringback.cli import main; main()", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1", "PATH": "/usr/bin:/bin"},
    )
    commands = documented_commands()
    assert ("make", "run") in commands
    assert ("ringback", "serve") in commands
    subcommands = set(re.findall(r"^\W*([a-z]+)\s{2,}", done.stdout, re.MULTILINE))
    assert {name for tool, name in commands if tool == "make"} - targets == set()
    assert {name for tool, name in commands if tool == "ringback"} - subcommands == set()


def test_every_make_target_explains_itself() -> None:
    """``make help`` lists all of them."""
    text = (ROOT / "Makefile").read_text("utf-8")
    phony = set(re.search(r"^\.PHONY: (.+)$", text, re.MULTILINE).group(1).split())  # type: ignore[union-attr]
    assert set(re.findall(r"^([a-z]+):.*##", text, re.MULTILINE)) == phony


def test_the_readme_shows_the_hook_that_the_example_has() -> None:
    """The five lines of the README replace host names as the tested example does."""
    pattern = r"^https://([\w-]+)\.([\w-]+\.)*twilio\.com"
    for name in ("README.md", "examples/client_hook.py"):
        assert pattern in (ROOT / name).read_text("utf-8")


def test_python_in_the_pages_is_python() -> None:
    """Every ```python block parses."""
    for page in PAGES:
        for block in re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL):
            ast.parse(block)


def test_the_example_trunk_file_is_read(tmp_path: Path) -> None:
    """It has only settings that there are, with usable values."""
    settings = load({}, ROOT / "examples" / "trunk.toml")
    assert settings.carrier == "provider"
    assert settings.trunks[0].numbers == ("+15550100",)
    assert settings.phones[0].name == "alice"


def test_adrs_are_numbered() -> None:
    """0001, 0002 … without a gap, each with what makes it one."""
    files = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [file.name[:4] for file in files] == [f"{number:04d}" for number in range(1, len(files) + 1)]
    for file in files:
        text = file.read_text("utf-8")
        assert {"**Context.**", "**Decision.**", "**Consequences.**"} <= set(
            re.findall(r"\*\*\w+\.\*\*", text)
        )
        assert len(text.splitlines()) < 60, f"{file.name}: at most a page"


def test_ci_runs_the_whole_suite() -> None:
    """``.ci/run`` is ``make test``, nothing weaker."""
    lines = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    assert "set -euo pipefail" in lines
    assert lines[-1] == "exec make test"
    assert json.dumps(lines).count("pytest") == 0
