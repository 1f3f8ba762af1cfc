"""Calls that look for a conversation, or wait for its first worker (connect-conversation.md §4, §10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ringback.conversations.work import Work
from ringback.events.conversations import CallWaits, ConversationFound, ConversationOpened, WorkerJoined
from ringback.kernel.errors import Refused
from ringback.resources.conversations.participant import Participant

INVALID = 32505
"""Invalid data in the existing conversation."""
GENERAL = 32500


def opened(work: Work) -> None:
    """A worker's call names its conversation: is it theirs to call, and whom?"""
    event: ConversationOpened = work.event
    why = ""
    customer = worker = None
    thread = work.record
    if thread is None or thread.account_sid != event.account_sid:
        why = f"There is no conversation {event.conversation_sid[:34]}"
    elif thread.chat_service_sid != event.chat_service_sid:
        why = f"The conversation {thread.sid} is not of the service {event.chat_service_sid}"
    elif thread.state == "closed":
        why = f"The conversation {thread.sid} is closed"
    else:
        customer, worker = _customer(work), _worker(work)
        if customer is None:
            why = f"The conversation {thread.sid} has no participant with an address"
    if why or customer is None:
        answer = ConversationFound(
            call_sid=event.call_sid, request=event.request, result="invalid-conversation", error_code=INVALID,
            error_text=why, conversation_sid=thread.sid if thread is not None and customer else "",
        )  # fmt: skip
    else:
        answer = _found(work, event.call_sid, event.request, customer, worker, created=False)
    work.post(answer)


def wait(work: Work, call_sid: str, request: str, *, created: bool) -> None:
    """Let a call wait for the first worker; with a ``request`` it hears at once whom there is."""
    worker = _worker(work)
    if worker is None and call_sid not in work.conversation.waiting_calls:
        work.change().waiting_calls = [*work.conversation.waiting_calls, call_sid]
    if request:
        work.post(_found(work, call_sid, request, _customer(work), worker, created=created))
    elif worker is not None:
        work.post(
            WorkerJoined(
                call_sid=call_sid, conversation_sid=work.conversation.sid, worker=str(worker.identity)
            )
        )


def waits(work: Work) -> None:
    """Another call of the same customer waits too."""
    event: CallWaits = work.event
    if work.record is not None and work.record.state != "closed":
        wait(work, event.call_sid, event.request, created=event.created)
    elif event.request:
        work.post(
            ConversationFound(
                call_sid=event.call_sid, request=event.request, result="internal-error", error_code=INVALID,
                error_text=f"The conversation {event.conversation_sid} ended while the call looked for it",
            )
        )  # fmt: skip


def left(work: Work) -> None:
    """A call waits no more."""
    if work.record is not None and work.event.call_sid in work.record.waiting_calls:
        waiting = [each for each in work.record.waiting_calls if each != work.event.call_sid]
        work.change().waiting_calls = waiting


def worker_joined(work: Work, identity: str) -> None:
    """The first worker is there: the calls that wait hear it."""
    waiting = work.conversation.waiting_calls
    if not waiting:
        return
    work.change().waiting_calls = []
    for call_sid in waiting:
        work.post(WorkerJoined(call_sid=call_sid, conversation_sid=work.conversation.sid, worker=identity))


def nobody_comes(work: Work) -> None:
    """It is closed or deleted: its calls find out by their own timer that nobody comes."""
    if work.record is not None and work.record.waiting_calls:
        work.change().waiting_calls = []


def not_created(work: Work, waiting: Mapping[str, Any], refusal: Refused) -> None:
    """The conversation for a call could not be made."""
    work.post(
        ConversationFound(
            call_sid=str(waiting["call_sid"]), request=str(waiting.get("request", "")),
            result="failed-create-conversation", error_code=GENERAL,
            error_text=f"The conversation could not be created: {refusal.message} ({refusal.code})",
        )
    )  # fmt: skip


def _found(
    work: Work, call_sid: str, request: str, customer: Participant | None, worker: Participant | None, *,
    created: bool,
) -> ConversationFound:  # fmt: skip
    binding = (customer.messaging_binding or {}) if customer is not None else {}
    return ConversationFound(
        call_sid=call_sid,
        request=request,
        conversation_sid=work.conversation.sid,
        created=created,
        worker=str(worker.identity) if worker is not None else "",
        customer=binding.get("address") or "",
        proxy_address=binding.get("proxy_address") or "",
    )


def _customer(work: Work) -> Participant | None:
    """The first participant with an address and one of ours."""
    for each in work.participants:
        if each.address and (each.messaging_binding or {}).get("proxy_address"):
            return each
    return None


def _worker(work: Work) -> Participant | None:
    """The first participant with an identity."""
    return next((each for each in work.participants if each.identity), None)
