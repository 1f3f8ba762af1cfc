"""Workers found by what a task names: the same answer as looking at everybody."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ringback.taskrouter.expression import compile_expression
from ringback.taskrouter.waiting import look
from ringback.taskrouter.worker_index import WorkerIndex
from tests.taskrouter.workspace_kit import Kit

PATHS = ("name", "a.b", "tags[0]")
VALUES = st.one_of(
    st.none(), st.sampled_from(["x", "y", 1, 1.0, True, 0, False]), st.just({"b": "x"}), st.just(["x"])
)
ATTRIBUTES = st.dictionaries(st.sampled_from(["name", "a", "tags"]), VALUES)


@given(st.lists(st.tuples(st.sampled_from("pqrs"), st.one_of(st.none(), ATTRIBUTES)), max_size=30))
def test_it_follows_every_change(changes: list[tuple[str, dict[str, Any] | None]]) -> None:
    """``None``: the worker is deleted."""
    workers: dict[str, dict[str, Any]] = {}
    index = WorkerIndex()
    for sid, attributes in changes:
        if attributes is None:
            workers.pop(sid, None)
            index.remove(sid)
        else:
            workers[sid] = attributes
            index.update(sid, attributes)
        for path in PATHS:
            for value in ("x", "y", 1, 0):
                slow = {one for one, known in workers.items() if look(known, path) == value}
                assert index.of(path, value, workers.items) == slow
        for text in ("task.want IN worker.tags", "worker.name IN task.all", "task.want == worker.a.b"):
            (link,) = compile_expression(text, "target").links
            task = {"want": "x", "all": ["y", 1, None, ["x"]]}
            exact = {
                one for one, known in workers.items() if compile_expression(text, "target")(known, task, {})
            }
            assert exact <= set(index.named(link, task, workers.items))


def test_a_task_for_one_of_many_is_offered_to_them_alone() -> None:
    """Also after their address has changed, and to nobody once they are gone."""
    kit = Kit()
    queue = kit.queue("all")
    flow = kit.workflow(
        {
            "filters": [
                {
                    "expression": "1==1",
                    "targets": [{"queue": queue, "expression": "task.to == worker.contact_uri"}],
                }
            ]
        }
    )
    agents = {name: kit.worker(name, contact_uri=f"client:{name}") for name in ("ann", "bob", "cid")}
    assert kit.pending(kit.task(flow, {"to": "client:bob"})) == ["bob"]
    waiting = kit.task(flow, {"to": "client:new"})
    assert kit.pending(waiting) == []
    kit.update("Worker", agents["cid"], {"attributes": '{"contact_uri": "client:new"}'})
    assert kit.pending(waiting) == ["cid"]
    assert kit.pending(kit.task(flow, {})) == []
