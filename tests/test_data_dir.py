"""Why a data directory cannot be used, and what to do: by what the system says."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

from ringback import data_dir


def test_a_good_one(tmp_path: Path) -> None:
    """It is made, and nothing stays in it."""
    assert data_dir.trouble(tmp_path / "a" / "b") is None
    assert list((tmp_path / "a" / "b").iterdir()) == []


@pytest.mark.parametrize(
    ("number", "says", "mend"),
    [
        (errno.ENOSPC, "the disk is full", "make room"),
        (errno.EDQUOT, "the disk is full", "make room"),
        (errno.EROFS, "it is read-only", "mount it for writing"),
        (errno.EACCES, "may not write there", "chown -R"),
        (errno.EPERM, "may not write there", "chown -R"),
        (errno.EIO, "it cannot be written: Input/output error", "set RINGBACK_DATA_DIR"),
    ],
)
def test_what_the_system_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, says: str, mend: str
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(tempfile, "TemporaryFile", fails)
    found = data_dir.trouble(tmp_path)
    assert found is not None
    assert says in found.text
    assert mend in found.mend
    assert "RINGBACK_DATA_DIR" in found.mend


def test_a_file_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = data_dir.trouble(tmp_path / "file")
    assert found is not None
    assert "a file in its place" in found.text


def test_something_in_it_is_of_another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a start as root."""
    (tmp_path / "ringback.db").write_text("")
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "ringback.db")
    found = data_dir.trouble(tmp_path)
    assert found is not None
    assert "may not write to ringback.db" in found.text
