"""The first start: credentials are made once, kept private, and follow the settings."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from pathlib import Path

from ringback.firstrun import credentials, make_private, provision
from ringback.resources.api.account import Account
from ringback.resources.api.incoming_phone_number import IncomingPhoneNumber
from ringback.settings import Settings, Trunk
from ringback.store import Store


def test_credentials_are_made_once_and_readable_by_their_owner_only(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "var")
    first = credentials(settings)
    assert credentials(settings) == first
    assert first.account_sid.startswith("AC")
    assert first.account_sid != first.test_account_sid
    mode = stat.S_IMODE((tmp_path / "var" / "credentials.json").stat().st_mode)
    assert mode == 0o600
    assert first.auth_token not in repr(first)


def test_given_credentials_are_used_as_they_are_and_kept(tmp_path: Path) -> None:
    given = Settings(data_dir=tmp_path, account_sid="AC" + "1" * 32, auth_token="given")
    assert credentials(given).auth_token == "given"
    kept = json.loads((tmp_path / "credentials.json").read_text())
    assert kept["account_sid"] == "AC" + "1" * 32


async def test_the_account_and_the_numbers_are_provisioned_once(tmp_path: Path, store: Store) -> None:
    trunk = Trunk(name="t", host="sip.example.test", numbers=("+4930123",))
    settings = Settings(data_dir=tmp_path, trunks=(trunk,))
    known = credentials(settings)
    sids = iter(f"PN{number:032x}" for number in range(100))
    for _ in range(2):
        await provision(store, known, settings, 1000.0, lambda prefix: next(sids))
    numbers = await store.find(IncomingPhoneNumber, account_sid=known.account_sid)
    assert {one.phone_number for one in numbers} == {"+4930123", "+15550100"}
    changed = replace(known, auth_token="rotated")
    await provision(store, changed, settings, 2000.0, lambda prefix: next(sids))
    account = await store.get(Account, known.account_sid)
    assert account is not None
    assert account.auth_token == "rotated"


def _modes(folder: Path) -> dict[str, int]:
    return {
        str(each.relative_to(folder)): stat.S_IMODE(each.lstat().st_mode) for each in folder.rglob("*")
    } | {"": stat.S_IMODE(folder.stat().st_mode)}


def test_what_is_kept_is_its_owners_alone(tmp_path: Path) -> None:
    """Whatever the umask is, and whatever an earlier version left."""
    old = tmp_path / "var"
    for name in ("recordings/RE1.wav", "speech/a/b.ulaw", "sounds/x", "ringback.db", "ringback.db-wal"):
        file = old / name
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        file.write_text("secret")
        file.chmod(0o644)
    for folder in (old, old / "recordings", old / "speech", old / "speech" / "a"):
        folder.chmod(0o755)
    mask = os.umask(0)
    try:
        make_private(old)
        make_private(tmp_path / "new")
    finally:
        os.umask(mask)
    assert {mode & 0o077 for mode in _modes(old).values()} == {0}
    assert _modes(tmp_path / "new") == {"": 0o700}


def test_a_folder_of_others_is_left_to_them(tmp_path: Path) -> None:
    """``RINGBACK_DATA_DIR=/tmp``: ours in it is closed, the rest is not ours."""
    (tmp_path / "theirs").write_text("x")
    (tmp_path / "recordings").mkdir()
    (tmp_path / "sounds").symlink_to(tmp_path / "theirs")
    for name in ("", "theirs", "recordings"):
        (tmp_path / name).chmod(0o755)
    make_private(tmp_path)
    found = _modes(tmp_path)
    assert (found[""], found["theirs"], found["recordings"]) == (0o755, 0o755, 0o700)
