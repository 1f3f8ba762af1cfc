"""Workflows (taskrouter.md §2.5): the configuration is read whole before anything is saved."""

from __future__ import annotations

from ringback.effects import Delete
from ringback.events.taskrouter import WorkspaceWriteRequested
from ringback.kernel.errors import Refused
from ringback.resources.taskrouter.workflow import Workflow
from ringback.taskrouter.configuration import Configuration, ConfigurationError, read_configuration
from ringback.taskrouter.journal import publish
from ringback.taskrouter.live import LiveWorkflow
from ringback.taskrouter.machine import TASK_OVER
from ringback.taskrouter.requests.values import assign, truth, within
from ringback.taskrouter.routing import enter_workflow, stand_again
from ringback.taskrouter.transfers import flying
from ringback.taskrouter.workspace import LiveWorkspace

NOUN = Workflow


def create(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> Workflow:
    """A new workflow."""
    configuration = checked(workspace, event.values["configuration"])
    within(event, "task_reservation_timeout", 1, 86_400)
    workflow = Workflow(
        sid=event.sid, account_sid=event.account_sid, date_created=workspace.now, workspace_sid=workspace.record.sid,
        **event.values,
    )  # fmt: skip
    workspace.plan(workflow, configuration)
    workspace.save(workflow)
    _tell(workspace, workflow, "created")
    return workflow


def update(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> Workflow:
    """Waiting tasks keep their place, unless ``ReEvaluateTasks`` sends them through the new rules."""
    workflow = _plan(workspace, event.sid)
    within(event, "task_reservation_timeout", 1, 86_400)
    if "configuration" in event.values:
        workspace.plan(workflow.record, checked(workspace, event.values["configuration"]))
        for task in list(workspace.tasks.values()):
            if task.record.workflow_sid == event.sid:
                stand_again(workspace, task)
    assign(workflow.record, event.values)
    workspace.save(workflow.record)
    if event.values.get("friendly_name"):
        for task in workspace.tasks.values():
            if task.record.workflow_sid == event.sid:
                task.record.workflow_friendly_name = workflow.record.friendly_name
                workspace.save(task.record)
    _tell(workspace, workflow.record, "updated")
    if truth(event.params.get("ReEvaluateTasks", "")):
        for task in list(workspace.tasks.values()):
            record = task.record
            waits = record.workflow_sid == event.sid and record.assignment_status in ("pending", "reserved")
            if flying(task) is not None:
                continue  # on its way to somebody, past the workflow
            if waits and record.routing_target is None and record.filter_index is not None:
                workspace.end_waiting(task)
                enter_workflow(workspace, task)
    return workflow.record


def delete(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> None:
    """Refused while tasks need it."""
    workflow = _plan(workspace, event.sid).record
    tasks = sum(
        task.record.workflow_sid == workflow.sid and task.record.assignment_status not in TASK_OVER
        for task in workspace.tasks.values()
    )
    if tasks:
        raise Refused(20001, f"Workflow {workflow.sid} cannot be deleted: it has {tasks} tasks")
    workspace.remove_workflow(workflow.sid)
    workspace.do(Delete(workflow))
    _tell(workspace, workflow, "deleted")


def checked(workspace: LiveWorkspace, text: str) -> Configuration:
    """Read a configuration whose queues exist; raises :class:`Refused` 20001 saying where it is wrong."""
    try:
        configuration = read_configuration(text)
    except ConfigurationError as error:
        raise Refused(20001, f"Invalid Configuration: {error}") from None
    missing = sorted(configuration.queues - workspace.queues.keys())
    if missing:
        raise Refused(
            20001, f"Invalid Configuration: task queue {missing[0]} does not exist in this workspace"
        )
    return configuration


def _plan(workspace: LiveWorkspace, sid: str) -> LiveWorkflow:
    workflow = workspace.workflows.get(sid)
    if workflow is None:
        raise Refused(20404, f"The requested workflow {sid[:64]} was not found", 404)
    return workflow


def _tell(workspace: LiveWorkspace, workflow: Workflow, what: str) -> None:
    facts = {"WorkflowSid": workflow.sid, "WorkflowName": workflow.friendly_name}
    publish(workspace, f"workflow.{what}", about=("workflow", workflow.sid), facts=facts)
