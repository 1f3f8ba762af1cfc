"""Somebody's conversations are found by an index, in its order: a page costs the same among a million participants."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from ringback.resources import all_nouns
from ringback.resources.conversations.message import Message
from ringback.resources.conversations.participant import Participant
from ringback.store import Condition, Query, Store
from ringback.web.conversations.memberships import of_address, of_identity


@pytest.mark.parametrize("mark", ["", "after", "before"])
@pytest.mark.parametrize("key", ["identity", "address"])
async def test_by_an_index_without_sorting(tmp_path: Path, key: str, mark: str) -> None:
    store = await Store.open(f"sqlite:///{tmp_path / 'db'}", all_nouns())
    asked: list[tuple[str, tuple[object, ...]]] = []
    page = store._sql.page
    store._sql.page = lambda record, query, **more: (
        asked.append(page(record, query)) or page(record, query, **more)
    )  # type: ignore[method-assign,func-returns-value]
    query = Query(limit=50, **({mark: "CH" + "8" * 32} if mark else {}))
    if key == "identity":
        await of_identity(store, "IS" + "1" * 32, "bob", query)
    else:
        await of_address(store, "AC" + "1" * 32, "IS" + "1" * 32, "+15551230001", query)
    await store.close()
    sql, params = asked[0]
    with sqlite3.connect(tmp_path / "db") as connection:
        plan = " ".join(str(row[3]) for row in connection.execute("EXPLAIN QUERY PLAN " + sql, params))
    index = {
        "identity": "uq_conversations_participants_identity",
        "address": "ix_conversations_participants_address",
    }
    assert index[key] in plan
    assert "B-TREE" not in plan
    assert "SCAN" not in plan


async def test_unread_messages_are_counted_in_one_conversation(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path / 'db'}", all_nouns())
    conditions = [Condition("conversation_sid", "=", "CH"), Condition("index", ">", 3)]
    sql, params = store._sql.page(Message, Query(conditions=conditions), count=True)
    await store.close()
    with sqlite3.connect(tmp_path / "db") as connection:
        plan = " ".join(str(row[3]) for row in connection.execute("EXPLAIN QUERY PLAN " + sql, params))
    assert "SEARCH conversations_messages USING" in plan
    assert Participant.__noun__.table not in plan
