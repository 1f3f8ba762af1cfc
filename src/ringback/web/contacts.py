"""The contacts of registered phones in the store: what the registrar is given to remember them by."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ringback.effects import Delete, Save
from ringback.resources.voice.registration import Registration
from ringback.store import Store
from ringback.web.followed import load

Contact = Mapping[str, Any]
"""The fields of one :class:`Registration` by name, without the four that every record has."""

_OWN = [each.name for each in Registration.__noun__.fields[4:]]


class Contacts:
    """See the module."""

    def __init__(self, store: Store, account_sid: str, now: Callable[[], float]) -> None:
        """``account_sid`` owns the records; ``now`` gives Unix seconds."""
        self._store = store
        self._account_sid = account_sid
        self._now = now
        self._created: dict[str, float] = {}

    async def load(self) -> list[Contact]:
        """Every stored contact, also those that have expired."""
        found: list[Registration] = []
        await load(self._store, (Registration,), found.append)
        self._created = {each.sid: each.date_created for each in found}
        return [{name: getattr(each, name) for name in _OWN} for each in found]

    async def keep(self, saved: Sequence[Contact], gone: Sequence[Contact]) -> None:
        """Write and delete in one transaction; returns when it is durable. Raises what the store raises."""
        new = [self._record(each) for each in saved]
        old = [self._record(each) for each in gone]
        await self._store.commit([*map(Save, new), *map(Delete, old)])
        for each in new:
            self._created[each.sid] = each.date_created
        for each in old:
            self._created.pop(each.sid, None)

    def _record(self, contact: Contact) -> Registration:
        """The SID follows from phone and contact, so that a contact has one record whoever writes it."""
        name = hashlib.sha256(f"{contact['phone']}\0{contact['contact']}".encode()).hexdigest()
        sid, now = f"{Registration.__noun__.prefix}{name[:32]}", self._now()
        return Registration(
            sid=sid,
            account_sid=self._account_sid,
            date_created=self._created.get(sid, now),
            date_updated=now,
            **contact,
        )
