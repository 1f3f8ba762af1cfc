"""Typed parts of records: stored as JSON under the old keys; older rows are read, or brought up to date by 0007."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from ringback.effects import Save
from ringback.resources.taskrouter.reservation import Reservation
from ringback.resources.taskrouter.task import Task
from ringback.resources.telephony import CarriedOut, TaskConference, TaskLeg, TaskTransfer
from ringback.store import Store, migrate
from ringback.store.codec import decoder, encoder
from ringback.voice.call.plan import Plan, from_json

TRANSFER = TaskTransfer(
    sid="TT1", mode="WARM", type="WORKER", to="WK2", status="initiated", task_sid="WT1",
    initiating_worker_sid="WK1", initiating_reservation_sid="WR1", date_created=1.5,
)  # fmt: skip


async def test_they_come_back_as_they_were(store: Store) -> None:
    """On both databases."""
    known = TaskConference(customer="talking", worker_calls=("CA1", "CA2"), opted_out={"CA3": "WT2"})
    task = Task(sid="WT" + "1" * 32, account_sid="AC1", conference=known, transfer=TRANSFER)
    carried = CarriedOut(kind="conference", leg="answered", customer_timeout=9, early_media=False)
    reservation = Reservation(sid="WR" + "1" * 32, account_sid="AC1", instruction=carried)
    await store.commit([Save(task), Save(reservation)])
    assert await store.get(Task, task.sid) == task
    assert await store.get(Reservation, reservation.sid) == reservation


def test_an_older_instruction_is_read() -> None:
    """Its numbers and truth values are texts, and it does not know where the leg is."""
    old = {
        "kind": "conference", "post_work_activity_sid": None, "end_on_customer_exit": "true",
        "customer_beep": "false", "early_media": "true", "customer_twiml": "<Response/>",
        "customer_from": "+1", "customer_timeout": "45",
    }  # fmt: skip
    row = list(encoder(Reservation)(Reservation(sid="WR1", account_sid="AC1", instruction=None)))
    row[[each.name for each in Reservation.__noun__.fields].index("instruction")] = json.dumps(old)
    assert decoder(Reservation)(row).instruction == CarriedOut(
        kind="conference", leg="dialled", end_on_customer_exit=True, customer_beep=False, early_media=True,
        customer_twiml="<Response/>", customer_from="+1", customer_timeout=45,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"bridged": True}, TaskConference(customer="talking")),
        ({"worker_calls": ["CA1"], "customer_call": "CA2"},
         TaskConference(customer="dialled", customer_call="CA2", worker_calls=("CA1",))),
        ({"customer_call": "CA2", "customer_answered": True}, TaskConference(customer="talking", customer_call="CA2")),
        ({"customer_call": "CA2", "customer_ended": True}, TaskConference(customer="unreached", customer_call="CA2")),
        ({"opted_out": {"CA1": "WT2"}}, TaskConference(opted_out={"CA1": "WT2"})),
    ],
)  # fmt: skip
def test_the_upgrade_tells_where_customers_were(
    old: dict[str, object], new: TaskConference, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The flags of a task become the state of its customer's leg."""
    text = upgraded(monkeypatch, "taskrouter_tasks", "conference", old)
    row = list(encoder(Task)(Task(sid="WT1", account_sid="AC1", conference=None)))
    row[[each.name for each in Task.__noun__.fields].index("conference")] = text
    assert decoder(Task)(row).conference == new


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({}, None),
        ({"workspace": "WS1", "task": "WT1", "role": "customer"},
         TaskLeg(workspace="WS1", task="WT1", role="customer")),
    ],
)  # fmt: skip
def test_the_upgrade_keeps_what_calls_are_to_tasks(
    old: dict[str, str], new: TaskLeg | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under its new name; a text that looks like the key is left alone."""
    said = 'say "desk":{}'
    text = upgraded(monkeypatch, "calls", "plan", {"twiml": said, "desk": old, "timeout": 7})
    assert from_json(json.loads(text)) == Plan(twiml=said, timeout=7, task_leg=new)


def upgraded(monkeypatch: pytest.MonkeyPatch, table: str, column: str, value: object) -> str:
    """A JSON text that was written by revision 0004, after the upgrade."""
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        script = connection.connection.executescript  # type: ignore[attr-defined]
        with monkeypatch.context() as patch:
            patch.setattr(migrate, "HEAD", "0004")
            script(migrate.upgrade_sql(engine.dialect, ""))
        columns = [row[1:4] for row in connection.exec_driver_sql(f"PRAGMA table_info({table})")]
        values = {name: 0 if kind != "TEXT" else "" for name, kind, not_null in columns if not_null}
        values[column] = json.dumps(value, separators=(",", ":"))
        names, marks = ", ".join(f'"{each}"' for each in values), ", ".join(f":{each}" for each in values)
        connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), values)
        connection.commit()
        script(migrate.upgrade_sql(engine.dialect, "0004"))
        found = connection.exec_driver_sql(f"SELECT {column} FROM {table}").scalar_one()
    engine.dispose()
    return str(found)
