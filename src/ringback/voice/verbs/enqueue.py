"""``<Enqueue>``: the caller waits in a queue, with a task for it when a workflow is named (twiml.md §6)."""

from __future__ import annotations

import json

from ringback.effects.queues import MakeTask
from ringback.kernel.resource import snake
from ringback.kernel.sid import is_sid
from ringback.resources.api.queue import LARGEST_SIZE, NAME_LIMIT
from ringback.voice import params
from ringback.voice.call.task_leg import AskedTask
from ringback.voice.queue.stay import Stay, waiting
from ringback.voice.stage import Stage
from ringback.voice.steps import Goto, Next, Outcome, Source, Steps
from ringback.voice.twiml import Element
from ringback.voice.verb import Attribute, Attributes, Verb, choice, method, read_attributes, text, whole

TASK = {
    "priority": Attribute(whole(0, 99_999_999)),
    "timeout": Attribute(whole(1, 99_999_999)),
}
"""Attributes of ``<Task>``; the timeout is in seconds."""


def run(element: Element, attributes: Attributes, session: Stage) -> Steps[Outcome]:
    """Wait until somebody takes the caller, or the caller leaves; then the action, or the next verb."""
    stay = Stay(session, session.callback_url(attributes["action"], 14203), attributes["method"])
    name = _name(element, attributes, session)
    task = _task(element, attributes, session)
    if name is None or (task is None and attributes["workflowSid"]):
        return _refused(stay, "error")
    problem = stay.enter(name, attributes["maxQueueSize"], proved=task is None)
    if problem:
        return _refused(stay, problem)
    if task is not None:
        session.keep(AskedTask(task.request))
        stay.with_task = True
        session.do(task)
    return (yield from waiting(stay, _source(attributes, session)))


def _refused(stay: Stay, result: str) -> Outcome:
    """Never enqueued: the action is asked without the facts of a queue."""
    return Next() if stay.action is None else Goto(stay.source(result))


def _name(element: Element, attributes: Attributes, session: Stage) -> str | None:
    """The queue's name; None, with its entry in the log, when it is bad."""
    workflow = attributes["workflowSid"]
    if workflow is not None:
        if is_sid(workflow, "WW"):
            return str(workflow)
        session.warn(14220, f"{element.place}: workflowSid {workflow[:40]!r} is no SID of a workflow")
    elif not element.text:
        session.warn(14204, f"{element.place}: <Enqueue> has neither the name of a queue nor a workflowSid")
    elif len(element.text) > NAME_LIMIT:
        session.warn(14205, f"{element.place}: a queue's name has at most {NAME_LIMIT} characters")
    else:
        return element.text
    return None


def _task(element: Element, attributes: Attributes, session: Stage) -> MakeTask | None:
    """The task to be made; None: none is wanted, or its JSON is bad (14221)."""
    child = next((one for one in element.children if one.tag == "Task"), None)
    if attributes["workflowSid"] is None:
        if child is not None:
            session.warn(
                12200, f"{child.place}: <Task> stands in an <Enqueue> with workflowSid; it is ignored"
            )
        return None
    found = {name: attribute.default for name, attribute in TASK.items()}
    written = ""
    if child is not None:
        found = read_attributes(child, TASK, session.warn)
        written = child.text
        if written and not _is_object(written):
            session.warn(14221, f"{child.place}: the attributes in <Task> are no JSON object")
            return None
    return MakeTask(
        call_sid=session.call.sid,
        account_sid=session.call.account_sid,
        request=session.fresh("task"),
        workflow_sid=attributes["workflowSid"],
        attributes=written,
        facts={snake(name): value for name, value in params.standard(session.call)},
        priority=found["priority"],
        timeout=found["timeout"],
    )


def _is_object(written: str) -> bool:
    try:
        return isinstance(json.loads(written), dict)
    except (ValueError, RecursionError):
        return False


def _source(attributes: Attributes, session: Stage) -> Source | None:
    """Where the wait documents come from; None: the music that is built in; an empty URL: silence."""
    given = attributes["waitUrl"]
    if given is None:
        return None
    if not given.strip():
        return Source(url="")
    url = session.callback_url(given, 14202)
    return None if url is None else Source(url=url, method=attributes["waitUrlMethod"])


VERB = Verb(
    tag="Enqueue",
    run=run,
    attributes={
        "action": Attribute(text),
        "method": method(14201),
        "waitUrl": Attribute(text),
        "waitUrlMethod": Attribute(choice("GET", "POST"), "POST", 14206),
        "workflowSid": Attribute(text, None, 14220),
        "maxQueueSize": Attribute(whole(1, LARGEST_SIZE)),
    },
    children=frozenset({"Task"}),
    example=(
        '<Enqueue workflowSid="WW00000000000000000000000000000000" waitUrl="/wait">\n'
        '    <Task priority="5">{"language": "en"}</Task>\n'
        "  </Enqueue>"
    ),
    nouns={"Task": TASK},
)
