"""What a waiting caller hears and may choose: a TwiML application, mode by mode (callback-voicemail.md §5).

Each mode is a generator: parameters of the request in, document out. State travels in the query string, so any
process may answer any request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ringback.callbacks import creation, voicemail
from ringback.callbacks.attributes import WITHHELD, normal_number, number_to_call
from ringback.callbacks.feature import (
    AGENT_WON,
    Feature,
    Steps,
    cancel,
    find_waiting,
    get_task,
    is_sid,
    snapshot,
)
from ringback.callbacks.texts import language_of, text
from ringback.callbacks.twiml import Page
from ringback.effects.features import Ask, Remember, Reply

Params = Mapping[str, str]
LOOP = "main-wait-loop"
STATE = ("CallSid", "enqueuedTaskSid", "workspaceSid", "language")
"""What every URL carries on."""
CALLBACK_REASON = "Opted to request a callback"
VOICEMAIL_REASON = "Opted to leave a voicemail"


def respond(feature: Feature, params: Params, now: float) -> Steps[str]:
    """The document for a request; ``mode`` absent means ``initialize``, an unknown one the error."""
    mode = params.get("mode") or "initialize"
    page = Page(feature.options, {name: params.get(name, "") for name in STATE})
    handler = MODES.get(mode)
    if handler is None:
        return page.say("processing_error").redirect(LOOP, skipGreeting="true").document
    return (yield from handler(feature, page, params, now))


def _initialize(feature: Feature, page: Page, params: Params, now: float) -> Steps[str]:
    task, workspace = yield from find_waiting(feature, params.get("QueueSid", ""), params.get("CallSid", ""))
    state = {"enqueuedTaskSid": task, "workspaceSid": workspace if task else ""}
    return page.redirect(LOOP, skipGreeting=params.get("skipGreeting", ""), **state).document


def _loop(feature: Feature, page: Page, params: Params, now: float) -> Steps[str]:
    greeting = params.get("skipGreeting") != "true"
    if not greeting and not is_sid(
        params.get("enqueuedTaskSid", ""), "WT"
    ):  # a later round: it may be there by now
        call, queue = params.get("CallSid", ""), params.get("QueueSid", "")
        task, workspace = yield from find_waiting(feature, queue, call, 1)
        if task:
            params = {**params, "enqueuedTaskSid": task}
            page = page.blank(enqueuedTaskSid=task, workspaceSid=workspace)
    if is_sid(params.get("enqueuedTaskSid", ""), "WT"):
        voicemail_too = feature.options.allow_voicemail
        prompt = "repeating_prompt" if voicemail_too else "repeating_prompt_no_voicemail"
        inside = page.blank()
        if greeting:  # who calls again presses the key while it is said
            inside.say("greeting")
        inside.say(prompt).music()
        page.gather(inside, input="dtmf", timeout="2", action=page.url("handle-initial-choice"))
    else:
        if greeting:
            page.say("greeting")
        page.say("not_available").music()
    return page.redirect(LOOP, skipGreeting="true").document


def _initial_choice(feature: Feature, page: Page, params: Params, now: float) -> Steps[str]:
    digits = params.get("Digits", "")
    if digits.startswith("*") and len(digits) > 1:  # pressed ahead of the menu
        return (yield from _choice(feature, page, {**params, "Digits": digits[1:2]}, now))
    if digits == "*":
        words = "choice" if feature.options.allow_voicemail else "choice_no_voicemail"
        action = page.url("handle-callback-or-voicemail-choice")
        page.gather(page.blank().say(words), input="dtmf", timeout="2", action=action)
    return _on(page)


def _choice(feature: Feature, page: Page, params: Params, now: float) -> Steps[str]:
    digits = params.get("Digits", "")
    if digits == "1" and not _caller(params):
        return _ask_other(feature, page, "number_withheld")
    if digits == "1" and feature.options.allow_alternate_number:
        action = page.url("handle-callback-choice")
        inside = page.blank().say("number_choice")
        page.gather(inside, input="dtmf", numDigits="1", timeout="5", action=action)
    elif digits == "1":
        return page.redirect("submit-callback", to=_caller(params)).document
    elif digits == "2" and feature.options.allow_voicemail:
        return (yield from _to_voicemail(feature, page, params, now))
    return _on(page)


def _callback_choice(feature: Feature, page: Page, params: Params, now: float) -> Steps[str]:
    digits = params.get("Digits", "")
    if digits == "1" and _caller(params):
        return page.redirect("submit-callback", to=_caller(params)).document
    if digits in ("1", "2"):
        return _ask_other(feature, page, "enter_number" if digits == "2" else "number_withheld")
    return _on(page)
    yield


MOST_DIGITS = "20"
"""The longest number with the longest prefix for calls abroad; fewer would cut it off."""


def _ask_other(feature: Feature, page: Page, *words: str) -> str:
    """Ask for another number, if there may be one; who enters none waits on in their place."""
    if feature.options.allow_alternate_number:
        inside = page.blank()
        for name in words:
            inside.say(name)
        page.gather(
            inside, input="dtmf", numDigits=MOST_DIGITS, finishOnKey="#", timeout="10", method="GET",
            action=page.url("handle-callback-for-other-number-confirmation-option"),
        )  # fmt: skip
    else:
        page.say("number_needed")
    return _on(page)


def _entered(feature: Feature, page: Page, params: Params, now: float) -> Steps[str]:
    number = _other(feature, params, params.get("Digits", ""))
    if not number:
        return _ask_other(feature, page, "invalid_input", "enter_number")
    action = page.url("handle-callback-for-other-number-confirmation", updatedPhoneNumber=number)
    words = page.blank()
    language = language_of(params.get("language", ""), feature.options)
    words.spoken(text("you_entered", language, feature.options), number).say("confirm_number")
    page.gather(
        words, input="dtmf", numDigits="1", timeout="15", finishOnKey="#", method="GET", action=action
    )
    return _on(page)
    yield


def _confirmed(feature: Feature, page: Page, params: Params, now: float) -> Steps[str]:
    number = _other(feature, params, params.get("updatedPhoneNumber", ""))
    if params.get("Digits") == "1" and number:
        return page.redirect("submit-callback", to=number).document
    return _ask_other(feature, page, "enter_number")
    yield


def _submit(feature: Feature, page: Page, params: Params, now: float) -> Steps[str]:
    options, call = feature.options, params.get("CallSid", "")
    to, ours = normal_number(params.get("to", "")), _called(params)
    if to != _caller(params):  # the network's own word is not doubted
        to = _other(feature, params, params.get("to", ""))
    if not to:
        return _ask_other(feature, page, "invalid_input", "enter_number")
    workspace, sid = params.get("workspaceSid", ""), params.get("enqueuedTaskSid", "")
    task = yield from get_task(workspace, sid)
    if task.body.get("assignment_status") in AGENT_WON:
        page.say("agent_coming")
        return _on(page)
    original = snapshot(task.body) if task.ok else None
    wanted = creation.order(
        call if is_sid(call, "CA") else "", {"numberToCall": to, "numberToCallFrom": ours}, now,
        workspace=workspace, queue_task=sid if is_sid(sid, "WT") else "",
        original=original if options.retain_routing else None,
        place_at=original["date_created"] if original and options.retain_place else "",
        reason=CALLBACK_REASON, keep=False,
    )  # fmt: skip
    made = yield from creation.fulfil(feature, wanted, now)
    if made.task_sid:
        kept = options.retain_place and original is not None and not made.moved
        return page.say("callback_submitted" if kept else "callback_submitted_no_place").hang_up().document
    if made.agent:
        page.say("agent_coming")
        return _on(page)
    if made.noted:
        return page.say("callback_delayed").hang_up().document
    page.say("processing_error")
    return _on(page)


def _to_voicemail(feature: Feature, page: Page, params: Params, now: float) -> Steps[str]:
    """Out of the queue: the task is canceled, then the live call gets the document that records."""
    call, workspace, sid = (params.get(name, "") for name in ("CallSid", "workspaceSid", "enqueuedTaskSid"))
    task = yield from get_task(workspace, sid)
    if task.body.get("assignment_status") in AGENT_WON:
        page.say("agent_coming")
        return _on(page)
    if not is_sid(call, "CA") or not (task.ok or task.gone):
        page.say("processing_error")
        return _on(page)
    note = voicemail.promise(
        feature.options, call, now, customer=_caller(params), ours=_called(params), workspace=workspace,
        original=snapshot(task.body) if task.ok else None, reason=VOICEMAIL_REASON,
    )  # fmt: skip
    yield Remember(voicemail.key(call), note)
    outcome = yield from cancel(workspace, sid, VOICEMAIL_REASON) if task.ok else _gone()
    if outcome in ("agent", "failed"):
        yield Remember(voicemail.key(call), None)
        page.say("agent_coming" if outcome == "agent" else "processing_error")
        return _on(page)
    url = page.url("record-voicemail", **_numbers(params))
    moved: Reply = yield Ask("POST", "api", f"Calls/{call}", {"Url": url, "Method": "POST"})
    if moved.ok:
        return ""
    made = yield from voicemail.call_instead(feature, note, now)
    yield Remember(voicemail.key(call), None)
    return page.say("voicemail_lost" if made.lost else "voicemail_failed").hang_up().document


def _record(feature: Feature, page: Page, params: Params, now: float) -> Steps[str]:
    call = params.get("CallSid", "")
    numbers = _numbers(params)
    if is_sid(call, "CA"):
        yield from voicemail.expect(feature.options, call, now, _caller(params), _called(params))
    attributes = {
        "action": page.url("voicemail-recorded", **numbers), "method": "GET", "playBeep": "true", "timeout": "10",
        "finishOnKey": "*", "recordingStatusCallback": page.url("voicemail-completed", **numbers) + DURABLE,
        "recordingStatusCallbackEvent": "completed absent",
    }  # fmt: skip
    if feature.options.transcribe:
        attributes |= {
            "transcribe": "true", "maxLength": "119",
            "transcribeCallback": page.url("submit-voicemail", **numbers) + DURABLE,
        }  # fmt: skip
    words = "record_voicemail" if _caller(params) else "record_voicemail_withheld"
    page.say(words).record(**attributes).say("voicemail_not_captured")
    return page.redirect("record-voicemail", **numbers).document


DURABLE = "#rc=5&rp=5xx,ct,rt"
"""The platform tries a voicemail's notifications again by itself (webhooks.md §5)."""


def _recorded(feature: Feature, page: Page, params: Params, now: float) -> Steps[str]:
    yield from voicemail.recorded(params)
    words = "voicemail_recorded" if _caller(params) else "voicemail_recorded_withheld"
    return page.say(words).hang_up().document


def _completed(feature: Feature, page: Page, params: Params, now: float) -> Steps[str]:
    yield from voicemail.completed(feature, params, now)
    return ""


def _transcribed(feature: Feature, page: Page, params: Params, now: float) -> Steps[str]:
    yield from voicemail.transcribed(feature, params, now)
    return ""


def _on(page: Page) -> str:
    return page.redirect(LOOP, skipGreeting="true").document


def _caller(params: Params) -> str:
    """The customer's number; explicit ones win: caller-name lookup may alter a callback's own."""
    return normal_number(params.get("callerNumber") or params.get("Caller") or params.get("From") or "")


def _called(params: Params) -> str:
    return normal_number(params.get("calledNumber") or params.get("Called") or params.get("To") or "")


def _numbers(params: Params) -> dict[str, str]:
    """Both numbers for the URLs of a recording; withheld is said, too, lest another ``Caller`` take its place."""
    return {"calledNumber": _called(params), "callerNumber": _caller(params) or WITHHELD}


def _other(feature: Feature, params: Params, given: str) -> str:
    """A number that the caller entered, read as in the country of the number that they had dialled; empty: none."""
    try:
        return number_to_call(given, feature.region(_called(params)))
    except ValueError:
        return ""


def _gone() -> Steps[str]:
    return "gone"
    yield


MODES: dict[str, Callable[[Feature, Page, Params, float], Steps[str]]] = {
    "initialize": _initialize,
    LOOP: _loop,
    "handle-initial-choice": _initial_choice,
    "handle-callback-or-voicemail-choice": _choice,
    "handle-callback-choice": _callback_choice,
    "handle-callback-for-other-number-confirmation-option": _entered,
    "handle-callback-for-other-number-confirmation": _confirmed,
    "submit-callback": _submit,
    "record-voicemail": _record,
    "voicemail-recorded": _recorded,
    "voicemail-completed": _completed,
    "submit-voicemail": _transcribed,
}
"""Mode → what answers it."""
OUT_OF_QUEUE = frozenset(
    {"record-voicemail", "voicemail-recorded", "voicemail-completed", "submit-voicemail"}
)
"""Their callers have left the queue: it would be untrue that they are still in it."""
