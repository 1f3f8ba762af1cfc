"""Trying again later: a new task with one attempt more (callback-voicemail.md §7, Requeue)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ringback.callbacks import creation
from ringback.callbacks.attributes import inner
from ringback.callbacks.creation import Made
from ringback.callbacks.feature import Feature, Steps, get_task, snapshot
from ringback.callbacks.options import Options
from ringback.effects.features import Recall, Remember
from ringback.kernel.errors import Refused

TYPES = ("callback", "voicemail")
NOBODY = "The caller of task {} withheld their number: they cannot be called back"


def may_retry(attempts: int, most: int) -> bool:
    """Whether another attempt is left; ``attempts`` as the task says; most 0: always."""
    return most == 0 or attempts + 1 < most


def delay_of(attempt: int, options: Options) -> float:
    """Seconds that the attempt (1: the first repetition) is parked by the feature; 0: not."""
    if not options.delays or attempt < 1:
        return 0.0
    return options.delays[min(attempt, len(options.delays)) - 1]


def requeue(feature: Feature, workspace: str, task_sid: str, now: float) -> Steps[Made]:
    """A successor of a callback or voicemail task. The same task asked for again gives the same successor.

    Raises ``Refused``: 404/20404 no such task, 400/20001 not a callback, nobody to call, or no attempt left.
    """
    reply = yield from get_task(workspace, task_sid)
    if not reply.ok:
        raise Refused(
            reply.code or 20404, reply.message or f"Task {task_sid[:64]} was not found", reply.status
        )
    original = snapshot(reply.body)
    attributes = original["attributes"]
    if attributes.get("taskType") not in TYPES:
        raise Refused(20001, f"Task {task_sid} is no callback and no voicemail")
    data = inner(attributes, "callBackData")
    if data.get("callBackEnabled") is False:
        raise Refused(20001, NOBODY.format(task_sid))
    tried = data.get("attempts") if isinstance(data.get("attempts"), int) else 0
    options, source = feature.options, f"requeue-{task_sid}"
    if not may_retry(tried or 0, options.max_attempts):
        raise Refused(20001, f"Task {task_sid} has had {options.max_attempts} attempts: there are no more")
    params = {
        "numberToCall": str(data.get("numberToCall") or attributes.get("from") or ""),
        "numberToCallFrom": str(data.get("numberToCallFrom") or ""),
    }
    delay = delay_of((tried or 0) + 1, options)
    wanted = creation.order(
        source, params, now, workspace=workspace, original=original, due=now + delay if delay else 0.0,
        place_at=original["virtual_start_time"] if options.retain_place_on_retry else "",
    )  # fmt: skip
    made = yield from creation.fulfil(feature, wanted, now)
    if made.task_sid and data.get("recordingSid"):
        yield from _follow(str(data["recordingSid"]), made.task_sid)
    return made


def _follow(recording: str, task_sid: str) -> Steps[None]:
    """A transcript that comes late goes to the new task."""
    known = yield Recall(recording)
    if known is not None and known["state"] == "done":
        yield Remember(recording, {**known, "task": task_sid})


def retry_workflow(queue_sid: str, delays: Mapping[int, int] | None = None) -> str:
    """A workflow configuration that parks repetitions: attempt → seconds (default 1: 600, more: 3600; §7).

    The first target matches nobody, so the task waits there until its time is up.
    """
    given = dict(delays or {1: 600, 2: 3600})
    last = max(given)

    def filter_for(attempt: int) -> dict[str, Any]:
        sign = ">=" if attempt == last else "=="
        return {
            "filter_friendly_name": f"attempt {sign} {attempt}",
            "expression": f"callBackData.attempts {sign} {attempt}",
            "targets": [
                {"queue": queue_sid, "expression": "1==0", "timeout": given[attempt]},
                {"queue": queue_sid},
            ],
        }

    filters = [filter_for(attempt) for attempt in sorted(given)]
    return json.dumps({"task_routing": {"filters": filters, "default_filter": {"queue": queue_sid}}})
