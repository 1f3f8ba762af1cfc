"""Unique values are the database's business: two requests at once, or another server on PostgreSQL, may write them."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from ringback.effects import Save
from ringback.resources.api.incoming_phone_number import IncomingPhoneNumber
from ringback.resources.api.outgoing_caller_id import OutgoingCallerId
from ringback.store import Conflict, Store, migrate


async def test_a_number_exists_once_in_all_accounts(store: Store) -> None:
    one = IncomingPhoneNumber(sid="PN" + "1" * 32, account_sid="AC1", phone_number="+15550100")
    two = IncomingPhoneNumber(sid="PN" + "2" * 32, account_sid="AC2", phone_number="+15550100")
    await store.commit([Save(one)])
    with pytest.raises(Conflict):
        await store.commit([Save(two)])
    one.friendly_name = "changed"
    await store.commit([Save(one)])
    assert [found.sid for found in await store.find(IncomingPhoneNumber)] == [one.sid]


async def test_a_caller_id_exists_once_in_each_account(store: Store) -> None:
    def caller_id(digit: str, account: str) -> OutgoingCallerId:
        return OutgoingCallerId(sid="PN" + digit * 32, account_sid=account, phone_number="+15550100")

    await store.commit([Save(caller_id("1", "AC1")), Save(caller_id("2", "AC2"))])
    with pytest.raises(Conflict):
        await store.commit([Save(caller_id("3", "AC1"))])


def test_the_upgrade_keeps_the_newest_of_two_equal_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        script = connection.connection.executescript  # type: ignore[attr-defined]
        monkeypatch.setattr(migrate, "HEAD", "0001")
        script(migrate.upgrade_sql(engine.dialect, ""))
        monkeypatch.undo()
        columns = [
            row[1:4] for row in connection.exec_driver_sql("PRAGMA table_info(incoming_phone_numbers)")
        ]
        for sid, number in (("PN1", "+1"), ("PN2", "+1"), ("PN3", "+2")):
            values = {name: 0 if kind != "TEXT" else "" for name, kind, not_null in columns if not_null}
            values |= {"sid": sid, "phone_number": number}
            names = ", ".join(values)
            marks = ", ".join(f":{name}" for name in values)
            connection.execute(
                sa.text(f"INSERT INTO incoming_phone_numbers ({names}) VALUES ({marks})"), values
            )
        connection.commit()
        script(migrate.upgrade_sql(engine.dialect, "0001"))
        left = connection.exec_driver_sql("SELECT sid FROM incoming_phone_numbers ORDER BY sid").all()
        assert [row[0] for row in left] == ["PN2", "PN3"]
    engine.dispose()
