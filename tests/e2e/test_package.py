"""The built wheel in a fresh environment: it serves, calls, speaks, tests, and is copied while it runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.site import ACCOUNT, TOKEN, Site, until
from tests.e2e.typed import TOP, blocks

pytestmark = [pytest.mark.timeout(900)]  # it installs some hundred megabytes

WANTED = (
    "ringback/store/migrations/versions/",
    "ringback/callbacks/",
    "ringback/_handbook/docs/getting-started.md",
    "ringback/_handbook/docs/how-to/deploy.md",
    "ringback/_handbook/docs/reference/outcomes.md",
    "ringback/deploy/ringback.service",
    "ringback/deploy/Containerfile",
)
STATED = 600
"""Megabytes that an installation may have (issue 11, E23)."""


def run(*command: object, folder: Path, **more: str) -> str:
    """A command that must succeed; what it printed."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RINGBACK_", "PYTHON", "PYTEST"))
    }
    done = subprocess.run(
        [str(one) for one in command],
        cwd=folder,
        env=kept | more,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `make wheel` builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, folder=TOP)
    (made,) = folder.glob("ringback-*.whl")
    return made


@pytest.fixture(scope="module")
def fresh(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an environment that has nothing but the wheel and what it asks for, as the lock has it."""
    folder = tmp_path_factory.mktemp("fresh")
    run(sys.executable, "-m", "venv", folder / "env", folder=folder)
    pip = (folder / "env" / "bin" / "pip", "--disable-pip-version-check", "--no-input", "install", "-q")
    run(*pip, "--require-hashes", "-r", TOP / "requirements.lock", folder=folder)
    run(*pip, "--no-index", wheel, folder=folder)  # so what it asks for is in the lock
    return folder


def constraints(folder: Path) -> Path:
    """The versions of the development lock, without the hashes, which a wheel of ours cannot have."""
    text = (TOP / "requirements-dev.lock").read_text()
    found = re.findall(r"^[a-z0-9._-]+==[^\\\n]*", text, re.MULTILINE)
    (folder / "constraints.txt").write_text("\n".join(found) + "\n")
    return folder / "constraints.txt"


class Installed(Site):
    """A site that runs what is installed, in a folder that has nothing of the checkout."""

    def __init__(self, folder: Path, program: Path, **settings: str) -> None:
        super().__init__(folder, **settings)
        self.program = program
        for name in [name for name in self.environment if name.startswith("PYTHON")]:
            del self.environment[name]

    def run(self, *flags: str) -> None:
        """Start, and wait for nothing."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.program, "serve", *flags], env=self.environment, cwd=self.folder, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log,
            )  # fmt: skip

    def command(self, *arguments: object) -> str:
        """Another command of the installation, on the same settings."""
        done = subprocess.run(
            [str(self.program), *map(str, arguments)], env=self.environment, cwd=self.folder, text=True,
            capture_output=True, stdin=subprocess.DEVNULL, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def installed(fresh: Path, tmp_path: Path) -> Iterator[Installed]:
    """A running one."""
    site = Installed(tmp_path / "site", fresh / "env" / "bin" / "ringback")
    site.start()
    yield site
    site.close()


def test_the_wheel_has_everything_that_the_checkout_has(wheel: Path) -> None:
    """Every file below src/ringback, and the documentation."""
    names = set(zipfile.ZipFile(wheel).namelist())
    for wanted in WANTED:
        assert any(name.startswith(wanted) for name in names), wanted
    sources = {
        path.relative_to(TOP / "src").as_posix()
        for path in (TOP / "src" / "ringback").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert sources - names == set()
    documents = {f"ringback/_handbook/{path.relative_to(TOP)}" for path in (TOP / "docs").rglob("*.md")}
    assert documents - names == set()


def test_the_package_in_a_fresh_environment(installed: Installed, fresh: Path) -> None:
    """It serves, a call is answered and ends, the doctor finds no error, and it is not too large."""
    heard = installed.command("phone", "+15550100")
    assert "say       Hello from Ringback." in heard
    assert "the call is over: completed" in heard
    found = installed.command("doctor")
    assert "error" not in found
    assert re.search(r"^ok +voice +the default voice speaks$", found, re.MULTILINE), found
    assert re.search(
        r"^warning +transcription +what writes recordings down is not installed", found, re.MULTILINE
    )
    assert "pip install 'ringback[transcription]'" in found
    size = int(run("du", "-sm", fresh / "env", folder=fresh).split()[0])
    print(f"the environment has {size} MB")
    assert size < STATED


def test_tests_in_that_environment(fresh: Path, wheel: Path, tmp_path: Path) -> None:
    """Plain pytest is left alone by our plugin; with the extra `testing` the page's tests pass, unconfigured."""
    python = fresh / "env" / "bin" / "python"
    pip = (python, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "-q")
    (tmp_path / "test_other.py").write_text("def test_other():\n    assert True\n")
    run(*pip, "pytest", "-c", constraints(tmp_path), folder=tmp_path)
    assert "1 passed" in run(python, "-m", "pytest", "test_other.py", folder=tmp_path)
    (page,) = [one.text for one in blocks(TOP / "docs" / "how-to.md") if one.language == "python"]
    (tmp_path / "test_voicemail.py").write_text(page)
    done = subprocess.run(
        [python, "-m", "pytest", "test_voicemail.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "pip install 'ringback[testing]'" in done.stdout
    run(*pip, f"{wheel}[testing]", "-c", constraints(tmp_path), folder=tmp_path)
    assert "3 passed" in run(python, "-m", "pytest", folder=tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    assert "3 passed" in run(python, "-m", "pytest", folder=tmp_path)


def test_a_backup_while_it_runs(installed: Installed, tmp_path: Path) -> None:
    """The copy is a data directory: another server starts from it and knows the calls."""
    call = installed.client.calls.create(
        to="+15551230001", from_="+15550100", twiml="<Response><Say>Hello</Say></Response>"
    )
    installed.ended(str(call.sid))
    live = installed.client.calls.create(
        to="+15551230001", from_="+15550100", twiml="<Response><Pause length='60'/></Response>"
    )
    until(lambda: installed.status(str(live.sid)) == "in-progress", 10)
    said = installed.command("backup", tmp_path / "copy")
    assert said.endswith(f"backed up to {tmp_path / 'copy'}\n")
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o700
    copy = Installed(tmp_path / "second", installed.program, data_dir=str(tmp_path / "copy"))
    copy.may_warn = True
    copy.start()
    try:
        assert copy.status(str(call.sid)) == "completed"
        assert copy.ended(str(live.sid)) == "completed"
        assert installed.status(str(live.sid)) == "in-progress"
    finally:
        copy.close()
    installed.client.calls(str(live.sid)).update(status="completed")
    kept = json.loads((tmp_path / "copy" / "credentials.json").read_text())
    assert (kept["account_sid"], kept["auth_token"]) == (ACCOUNT, TOKEN)


def test_the_unit_and_the_container_name_what_there_is() -> None:
    """The unit is one for systemd; every file that the Containerfile copies is in the checkout."""
    unit = (TOP / "deploy" / "ringback.service").read_text()
    assert "RestartPreventExitStatus=2" in unit
    for line in (TOP / "deploy" / "Containerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            for name in line.split()[1:-1]:
                assert name == "${LOCK}" or (TOP / name).exists(), line
