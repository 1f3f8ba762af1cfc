"""A page deep in a list of messages costs what the first does: the index has the list's order."""

from __future__ import annotations

from pathlib import Path

from ringback.effects import Save
from ringback.resources.conversations.message import Message
from ringback.store import Condition, Query
from tests.conversations.thread_kit import threads


async def test_no_page_of_messages_is_sorted(tmp_path: Path) -> None:
    async with threads(tmp_path) as here:
        sid = await here.made()
        common = {"account_sid": here.account, "chat_service_sid": here.service, "conversation_sid": sid}
        records = [Message(sid=here.sid("IM"), index=number, **common) for number in range(10_000)]
        await here.store.commit([Save(each) for each in records])
        conditions = [Condition(name, "=", value) for name, value in common.items()]
        store = here.store
        for ascending in (True, False):
            last = records[5000]
            for place in (
                {},
                {"after": last.sid, "mark": last.index},
                {"before": last.sid, "mark": last.index},
            ):
                query = Query(conditions=conditions, order="index", ascending=ascending, **place)  # type: ignore[arg-type]
                sql, params = store._sql.page(Message, query)
                rows = await store._engine.rows(f"EXPLAIN QUERY PLAN {sql}", params)
                plan = " ".join(str(row[-1]) for row in rows)
                assert "ix_conversations_messages_index" in plan, plan
                assert "TEMP B-TREE" not in plan, plan
        page = await store.page(
            Message, Query(conditions=conditions, order="index", ascending=True, after=last.sid, mark=5000)
        )
        assert [each.index for each in page.records] == list(range(5001, 5051))
