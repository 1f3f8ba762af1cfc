"""A platform to play with: the real desk behind the REST paths of the feature, and notes that survive crashes."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from typing import Any
from urllib.parse import unquote

from ringback.callbacks.feature import Feature
from ringback.callbacks.options import read_options
from ringback.effects.features import Ask, Recall, Remember, Reply, Step, Wait, Warn
from ringback.events.taskrouter import TaskRequested
from ringback.kernel.errors import Refused
from ringback.taskrouter.expression import compile_expression
from tests.taskrouter.workspace_kit import ACCOUNT, WS, Kit

CALL = "CA" + "7" * 32
QUEUE = "QU" + "6" * 32
RECORDING = "RE" + "5" * 32
CUSTOMER, OURS = "+15551230001", "+15550100"


class Crash(Exception):
    """The process died."""


class Platform:
    """One workspace with a workflow, a call in its queue, and whatever faults a test orders."""

    def __init__(self, *, hosted: bool = False, **options: Any) -> None:
        """``hosted``: without our own OptOut, as the hosted service."""
        self.kit = Kit()
        self.hosted = hosted
        self.workflow = self.kit.workflow({"default_filter": {"queue": self.kit.queue("Q")}})
        self.feature = Feature(read_options(options, "http://own.test"))
        self.notes: dict[str, str] = {}
        self.calls: dict[str, str] = {CALL: "in-progress"}
        self.recordings: list[dict[str, str]] = []
        self.events: list[dict[str, Any]] = []
        """Of every task, newest first."""
        self.moved: list[str] = []
        """URLs that the live call was given."""
        self.fault: Callable[[Ask], Reply | None] = lambda ask: None
        """Answers in the platform's place."""
        self.asks: list[Ask] = []
        self.warnings: list[Warn] = []
        self.steps = 0
        self.crash_at: tuple[int, bool] | None = None
        """Number of the step, and whether it is carried out before the crash."""

    # --- what happens on the platform -----------------------------------------------------------------------------

    def enqueue(self, attributes: str = '{"tier":"gold"}') -> str:
        """The caller waits; gives the task's SID."""
        sid = self.kit.sid("WT")
        self.kit.event(
            TaskRequested(
                workspace_sid=WS, account_sid=ACCOUNT, caller_sid=CALL, request="task", task_sid=sid,
                workflow_sid=self.workflow, attributes=attributes, facts={"call_sid": CALL, "from": CUSTOMER},
            )
        )  # fmt: skip
        return sid

    def accept(self, task: str) -> None:
        """An agent takes it."""
        self.kit.worker(f"agent{self.kit.sid('WK')}")
        self.kit.reserve(self.kit.offer(task), "accepted")

    def lose_the_call(self) -> None:
        """The call is over; TaskRouter cancels what still waits for it."""
        self.calls[CALL] = "completed"
        for task in list(self.kit.workspace.tasks.values()):
            if task.record.call_sid == CALL and task.record.assignment_status in ("pending", "reserved"):
                self.kit.update(
                    "Task", task.record.sid, {"reason": "hangup"}, {"AssignmentStatus": "canceled"}
                )

    def live(self) -> list[Any]:
        """Work that somebody will do, or does."""
        tasks = self.kit.workspace.tasks.values()
        return [
            task.record for task in tasks if task.record.assignment_status not in ("canceled", "completed")
        ]

    def made(self, kind: str) -> list[dict[str, Any]]:
        """Attributes of the live tasks of a type."""
        found = [json.loads(record.attributes) for record in self.live()]
        return [one for one in found if one.get("taskType") == kind]

    # --- the outside of the feature -------------------------------------------------------------------------------

    def run(self, steps: Generator[Step, Any, Any]) -> Any:
        """Carry a generator out; :class:`Crash` at the step that a test chose."""
        answer: Any = None
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as stop:
                return stop.value
            self.steps += 1
            dies = self.crash_at is not None and self.crash_at[0] == self.steps
            if dies and not self.crash_at[1]:  # type: ignore[index]
                raise Crash
            answer = self._carry_out(step)
            if dies:
                raise Crash

    def _carry_out(self, step: Step) -> Any:
        if isinstance(step, Recall):
            found = self.notes.get(step.key)
            return json.loads(found) if found is not None else None
        if isinstance(step, Remember):
            if step.value is None:
                self.notes.pop(step.key, None)
            else:
                self.notes[step.key] = json.dumps(step.value)
            return None
        if isinstance(step, Wait):
            return None
        if isinstance(step, Warn):
            self.warnings.append(step)
            return None
        self.asks.append(step)
        return self.fault(step) or self.answer(step)

    def answer(self, ask: Ask) -> Reply:
        """As the REST API answers."""
        try:
            return self._answer(ask)
        except Refused as refusal:
            return Reply(refusal.status, code=refusal.code, message=refusal.message)

    def _answer(self, ask: Ask) -> Reply:
        parts, params = ask.path.split("/"), {name: value for name, value in ask.params.items() if value}
        if ask.product == "api":
            return self._voice(parts, params)
        if parts == ["Workspaces"]:
            return Reply(200, {"workspaces": [{"sid": WS}]})
        if parts[2] == "Workflows":
            return Reply(200, {"workflows": []})
        if parts[2] == "Events":
            return Reply(200, {"events": self.events})
        if len(parts) == 3:
            return self._list(params) if ask.method == "GET" else self._create("Task", params)
        if parts[-1] == "Reservations":
            found = [
                {"sid": each.sid, "worker_sid": each.worker_sid}
                for each in self.kit.workspace.reservations.values()
                if (each.task_sid, each.reservation_status) == (parts[3], params["ReservationStatus"])
            ]
            return Reply(200, {"reservations": found})
        if parts[-1] == "OptOut":
            return (
                Reply(404, code=20404)
                if self.hosted
                else self._create("OptOut", {**params, "TaskSid": parts[3]})
            )
        if ask.method == "GET":
            return self._shown(self.kit.workspace.task(parts[3]).record, 200)
        values = {"attributes": params.pop("Attributes", None), "reason": params.pop("Reason", None)}
        given = {name: value for name, value in values.items() if value is not None}
        return self._shown(
            self.kit.update("Task", parts[3], given, params, if_match=(ask.if_match or "*").strip('"')), 200
        )

    def _voice(self, parts: list[str], params: dict[str, Any]) -> Reply:
        if parts[0] == "Queues":
            return Reply(200, {"friendly_name": self.workflow})
        if parts[0] == "Recordings":
            return Reply(200, {"recordings": self.recordings})
        status = self.calls.get(parts[1])
        if status is None:
            return Reply(404, code=20404)
        if params.get("Url"):
            if status != "in-progress":
                return Reply(400, code=21220)
            self.moved.append(unquote(params["Url"]))
        return Reply(200, {"status": status})

    def _list(self, params: dict[str, Any]) -> Reply:
        tasks = list(self.kit.workspace.tasks.values())[::-1]
        if "EvaluateTaskAttributes" in params:
            wanted = compile_expression(params["EvaluateTaskAttributes"], "task")
            tasks = [task for task in tasks if wanted({}, task.attributes, {})]
        shown = [self._shown(task.record, 200).body for task in tasks]
        return Reply(200, {"tasks": shown[: int(params.get("PageSize", "50"))]})

    def _create(self, noun: str, params: dict[str, Any]) -> Reply:
        values: dict[str, Any] = {"attributes": params.pop("Attributes", "{}")}
        for name, key in (("WorkflowSid", "workflow_sid"), ("TaskQueueSid", "task_queue_sid")):
            if name in params:
                values[key] = params.pop(name)
        for name, key in (("Priority", "priority"), ("Timeout", "timeout")):
            if name in params:
                values[key] = int(params.pop(name))
        if "VirtualStartTime" in params:
            values["virtual_start_time"] = float(params.pop("VirtualStartTime"))
        return self._shown(self.kit.create(noun, self.kit.sid("WT"), values, params), 201)

    def _shown(self, record: Any, status: int) -> Reply:
        names = (
            "sid", "assignment_status", "attributes", "workflow_sid", "task_channel_unique_name", "timeout",
            "priority", "task_queue_sid",
        )  # fmt: skip
        body = {name: getattr(record, name) for name in names}
        body |= {name: str(getattr(record, name)) for name in ("date_created", "virtual_start_time")}
        return Reply(status, body, f'"{record.version}"')


def asked(task: str = "", **more: str) -> dict[str, str]:
    """Parameters of a wait-experience request."""
    given = {
        "CallSid": CALL, "QueueSid": QUEUE, "Caller": CUSTOMER, "Called": OURS, "enqueuedTaskSid": task,
        "workspaceSid": WS if task else "",
    }  # fmt: skip
    return {**given, **more}
