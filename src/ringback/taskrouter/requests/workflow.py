"""Workflows (taskrouter.md §2.5): the configuration is read whole before anything is saved."""

from __future__ import annotations

from ringback.effects import Delete
from ringback.events.taskrouter import DeskRequested
from ringback.kernel.errors import Refused
from ringback.resources.taskrouter.workflow import Workflow
from ringback.taskrouter.configuration import Configuration, ConfigurationError, read_configuration
from ringback.taskrouter.floor import Floor, Plan
from ringback.taskrouter.journal import happened
from ringback.taskrouter.machine import TASK_OVER
from ringback.taskrouter.requests.values import assign, truth, within
from ringback.taskrouter.routing import enter_workflow, stand_again

NOUN = Workflow


def create(floor: Floor, event: DeskRequested) -> Workflow:
    """A new workflow."""
    configuration = checked(floor, event.values["configuration"])
    within(event, "task_reservation_timeout", 1, 86_400)
    workflow = Workflow(
        sid=event.sid, account_sid=event.account_sid, date_created=floor.now, workspace_sid=floor.workspace.sid,
        **event.values,
    )  # fmt: skip
    floor.workflows[workflow.sid] = Plan(workflow, configuration)
    floor.save(workflow)
    _tell(floor, workflow, "created")
    return workflow


def update(floor: Floor, event: DeskRequested) -> Workflow:
    """Waiting tasks keep their place, unless ``ReEvaluateTasks`` sends them through the new rules."""
    plan = _plan(floor, event.sid)
    within(event, "task_reservation_timeout", 1, 86_400)
    if "configuration" in event.values:
        plan.configuration = checked(floor, event.values["configuration"])
        for job in list(floor.tasks.values()):
            if job.record.workflow_sid == event.sid:
                stand_again(floor, job)
    assign(plan.record, event.values)
    floor.save(plan.record)
    if event.values.get("friendly_name"):
        for job in floor.tasks.values():
            if job.record.workflow_sid == event.sid:
                job.record.workflow_friendly_name = plan.record.friendly_name
                floor.save(job.record)
    _tell(floor, plan.record, "updated")
    if truth(event.params.get("ReEvaluateTasks", "")):
        for job in list(floor.tasks.values()):
            task = job.record
            waits = task.workflow_sid == event.sid and task.assignment_status in ("pending", "reserved")
            if waits and task.routing_target is None and task.filter_index is not None:
                floor.step_out(job)
                enter_workflow(floor, job)
    return plan.record


def delete(floor: Floor, event: DeskRequested) -> None:
    """Refused while tasks need it."""
    workflow = _plan(floor, event.sid).record
    tasks = sum(
        job.record.workflow_sid == workflow.sid and job.record.assignment_status not in TASK_OVER
        for job in floor.tasks.values()
    )
    if tasks:
        raise Refused(20001, f"Workflow {workflow.sid} cannot be deleted: it has {tasks} tasks")
    del floor.workflows[workflow.sid]
    floor.do(Delete(workflow))
    _tell(floor, workflow, "deleted")


def checked(floor: Floor, text: str) -> Configuration:
    """Read a configuration whose queues exist; raises :class:`Refused` 20001 saying where it is wrong."""
    try:
        configuration = read_configuration(text)
    except ConfigurationError as error:
        raise Refused(20001, f"Invalid Configuration: {error}") from None
    missing = sorted(configuration.queues - floor.queues.keys())
    if missing:
        raise Refused(
            20001, f"Invalid Configuration: task queue {missing[0]} does not exist in this workspace"
        )
    return configuration


def _plan(floor: Floor, sid: str) -> Plan:
    plan = floor.workflows.get(sid)
    if plan is None:
        raise Refused(20404, f"The requested workflow {sid[:64]} was not found", 404)
    return plan


def _tell(floor: Floor, workflow: Workflow, what: str) -> None:
    facts = {"WorkflowSid": workflow.sid, "WorkflowName": workflow.friendly_name}
    happened(floor, f"workflow.{what}", about=("workflow", workflow.sid), facts=facts)
