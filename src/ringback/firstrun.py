"""The first start: credentials, the first account, and a number to call."""

from __future__ import annotations

import json
import logging
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ringback.effects import Save
from ringback.resources.api.account import Account
from ringback.resources.api.incoming_phone_number import IncomingPhoneNumber
from ringback.settings import Settings
from ringback.store.store import Store
from ringback.store.writes import Conflict

log = logging.getLogger("ringback")

FOLDERS = frozenset({"recordings", "speech", "sounds", "spoken", "callbacks", "plugins"})
"""Of the data directory."""
FILES = ("ringback.db", "credentials.")
"""How the names of its files begin."""
OTHERS = 0o077
"""Everybody's rights but the owner's."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What clients sign in with; kept in ``credentials.json`` of the data directory, for its owner only."""

    account_sid: str
    auth_token: str
    test_account_sid: str
    test_auth_token: str

    def __repr__(self) -> str:
        return f"Credentials({self.account_sid}, …)"


def make_private(data_dir: Path) -> None:
    """Make the data directory, and see to it that its owner alone can read what is in it: 0700, 0600.

    That holds for what earlier versions left as well. A directory in which others keep something too stays as it is;
    our own folders and files in it are closed nevertheless. What cannot be changed is logged. Blocking.
    """
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    shared = False
    for entry in os.scandir(data_dir):
        if entry.name in FOLDERS and entry.is_dir(follow_symlinks=False):
            _close(Path(entry.path))
        elif entry.name.startswith(FILES):
            _restrict(Path(entry.path), 0o600)
        else:
            shared = shared or entry.name not in FOLDERS
    if not shared:
        _restrict(data_dir, 0o700)


def _close(folder: Path) -> None:
    """A folder and all below it; one that is closed already hides what is below."""
    if folder.stat().st_mode & OTHERS == 0:
        return
    for path, folders, files in os.walk(folder):
        for name in files:
            _restrict(Path(path, name), 0o600)
        for name in folders:
            _restrict(Path(path, name), 0o700)
    _restrict(folder, 0o700)


def _restrict(path: Path, mode: int) -> None:
    try:
        if not path.is_symlink() and path.stat().st_mode & OTHERS:
            path.chmod(mode)
    except OSError as error:
        log.warning("%s can be read by others, and that cannot be changed: %s", path, error.strerror)


def credentials(settings: Settings) -> Credentials:
    """Read the credentials, making those that nobody gave; settings win over the file."""
    make_private(settings.data_dir)
    path = settings.data_dir / "credentials.json"
    kept: dict[str, str] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    made = {
        "account_sid": kept.get("account_sid") or "AC" + secrets.token_hex(16),
        "auth_token": kept.get("auth_token") or secrets.token_hex(16),
        "test_account_sid": kept.get("test_account_sid") or "AC" + secrets.token_hex(16),
        "test_auth_token": kept.get("test_auth_token") or secrets.token_hex(16),
    }
    given = {name: value for name in made if (value := getattr(settings, name))}
    current = made | given
    if current != kept:
        _write(path, current)
    return Credentials(**current)


def _write(path: Path, values: dict[str, str]) -> None:
    """Write whole and private: a crash leaves the old file or the new one."""
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(values, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


async def provision(
    store: Store, known: Credentials, settings: Settings, now: float, new_sid: Callable[[str], str]
) -> None:
    """See to it that the account, the trunks' numbers and the number to try exist."""
    account = await store.get(Account, known.account_sid)
    if account is None:
        account = Account(
            sid=known.account_sid,
            account_sid=known.account_sid,
            date_created=now,
            date_updated=now,
            friendly_name="Ringback",
            auth_token=known.auth_token,
        )
        await store.commit([Save(account)])
    elif account.auth_token != known.auth_token:
        await store.commit([Save(replace(account, auth_token=known.auth_token, date_updated=now))])
    wanted = [number for trunk in settings.trunks for number in trunk.numbers]
    if settings.default_number:
        wanted.append(settings.default_number)
    for number in wanted:
        if await store.find(IncomingPhoneNumber, phone_number=number, limit=1):
            continue
        example = number == settings.default_number
        fresh = IncomingPhoneNumber(
            sid=new_sid("PN"),
            account_sid=known.account_sid,
            date_created=now,
            date_updated=now,
            phone_number=number,
            friendly_name=number,
            voice_url=f"{settings.base_url}/welcome" if example else None,
        )
        try:
            await store.commit([Save(fresh)])
        except Conflict:
            log.info("%s was added by another process at the same moment", number)
