"""`scripts/install`: which lock it takes, the size that it prints, no colours in a file. Its pip does nothing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FAKE = """#!/bin/sh
case "$*" in
  "-m pip --version") echo "pip 1" ;;
  *) echo "Collecting nothing"; echo "Installing collected packages: nothing" ;;
esac
"""
LOCKS = ("requirements.lock", "requirements-transcription.lock", "requirements-dev.lock")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose environment has a Python that does as it is told."""
    for name in ("pyproject.toml", "scripts", *LOCKS):
        (tmp_path / name).symlink_to(ROOT / name)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(FAKE)
    python.chmod(0o755)
    return tmp_path


def install(checkout: Path, what: str = "run", **environment: str) -> str:
    """What it printed; it must succeed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGBACK_")}
    done = subprocess.run(
        ["bash", checkout / "scripts" / "install", what], env=kept | environment, cwd=checkout, text=True,
        capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def taken(checkout: Path) -> str:
    """The lock that is installed."""
    return (checkout / ".venv" / ".installed").read_text().split()[0]


def test_the_size_is_printed_without_colours(checkout: Path) -> None:
    said = install(checkout)
    assert "MB in .venv" in said
    assert "make transcription" in said
    assert "\x1b" not in said
    assert taken(checkout) == "requirements.lock"
    assert install(checkout) == "", "the second time there is nothing to do"


def test_transcription_is_installed_when_it_is_asked_for(checkout: Path) -> None:
    """By its own word, by the setting, by the file; and it stays."""
    install(checkout, "transcription")
    assert taken(checkout) == "requirements-transcription.lock"
    assert install(checkout) == ""
    (checkout / ".venv" / ".installed").unlink()
    install(checkout, RINGBACK_TRANSCRIPTION="whisper")
    assert taken(checkout) == "requirements-transcription.lock"
    (checkout / ".venv" / ".installed").unlink()
    (checkout / "ringback.toml").write_text('transcription = "whisper"\n')
    install(checkout)
    assert taken(checkout) == "requirements-transcription.lock"


def test_what_is_installed_is_kept_up_to_date(checkout: Path) -> None:
    """`make run` after `make test`, when a lock has changed, does not leave half of it old."""
    (checkout / ".venv" / ".installed").write_text("requirements-dev.lock of another day\n")
    said = install(checkout)
    assert "installing requirements-dev.lock" in said
    assert taken(checkout) == "requirements-dev.lock"
