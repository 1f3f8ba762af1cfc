"""What Ringback asks and tells the customer's application: each request with its parameters (voice-calls.md §5, §6;
twiml.md; taskrouter.md §7).

There is no registry of them, since each is made where the thing happens; ``tests/web/docs/test_webhooks.py`` looks
through those sources, and a parameter that is sent and not listed here is a failing test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ringback.web.docs.markup import slug


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One kind of request."""

    name: str
    when: str
    answer: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    call: bool = True
    """Whether it has the facts of the call (``CALL``) besides."""

    @property
    def anchor(self) -> str:
        """Its fragment."""
        return slug(self.name)


CALL: Final = {
    "CallSid": "The call.",
    "AccountSid": "Its account.",
    "ApiVersion": "``2010-04-01``.",
    "Direction": "``inbound``, ``outbound-api`` or ``outbound-dial``.",
    "CallStatus": (
        "``queued``, ``ringing``, ``in-progress``, ``completed``, ``busy``, "
        "``no-answer``, ``failed``, ``canceled``."
    ),
    "From": "Who calls: E.164, a SIP address or ``client:…``.",
    "To": "Who is called.",
    "Caller": "The same as ``From``.",
    "Called": "The same as ``To``.",
    "ForwardedFrom": "Who forwarded the call, when the network said so.",
    "CallerName": "The caller's name, when it is known.",
    "ParentCallSid": "The call whose ``<Dial>`` made this one.",
}
"""Of every request about a call."""

_RECORDING: Final = {
    "RecordingSid": "The recording.",
    "RecordingUrl": "Its sound: add ``.wav`` or ``.mp3``.",
    "RecordingDuration": "Whole seconds.",
}
_ERROR: Final = {
    "ErrorCode": "Why it failed: a code of the error pages.",
    "ErrorMessage": "The same in words.",
}

_CONVERSATIONS: Final = {
    "AccountSid": "The account.",
    "EventType": "``onMessageAdded`` …",
    "Source": "``API``, ``SDK``, ``SMS`` …: by which door it came.",
    "ClientIdentity": "Who did it, when it is somebody with an identity.",
    "RetryCount": "``0``: a request that is sent again says so by its idempotency token.",
    "ChatServiceSid": "The service.",
    "ConversationSid": "The conversation.",
    "MessagingServiceSid": "The messaging service that its texts are sent by.",
    "FriendlyName": "Of a conversation or user.",
    "UniqueName": "Of a conversation.",
    "State": "Of a conversation.",
    "MessageBody": "Of a conversation that begins with a message.",
    "MessageSid": "The message.",
    "Index": "Its place in the conversation.",
    "Body": "Its text.",
    "Author": "Who wrote it.",
    "Media": "Its files, JSON.",
    "ParticipantSid": "The participant; of a message, its author.",
    "Identity": "Of a participant or user.",
    "RoleSid": "Their role.",
    "LastReadMessageIndex": "How far a participant has read.",
    "MessagingBinding.Address": "Where a participant is reached.",
    "MessagingBinding.ProxyAddress": "Our address, which they write to.",
    "MessagingBinding.ProjectedAddress": "Our address that stands for them in a group text.",
    "MessagingBinding.AuthorAddress": "Who wrote the message that a conversation begins with.",
    "MessagingBinding.Type": "``SMS``, ``CHAT``, ``WHATSAPP`` …",
    "Attributes": "JSON text.",
    "DateCreated": "ISO 8601.",
    "DateUpdated": "ISO 8601.",
    "DateRemoved": "ISO 8601, when it was removed.",
}

_MESSAGE: Final = {
    "MessageSid": "The message.",
    "SmsSid": "The same.",
    "SmsStatus": "Its status; ``received`` of one that came in.",
    "AccountSid": "Its account.",
    "From": "Who wrote.",
    "To": "To whom.",
    "ApiVersion": "``2010-04-01``.",
    "MessagingServiceSid": "The messaging service, where one is concerned.",
}

WEBHOOKS: Final = (
    Webhook(
        name="Voice URL",
        when="A call arrives, is answered (``Url`` of a created call), or is redirected.",
        answer="TwiML",
        parameters={
            "SipDomain": "Of a call that came by SIP: the host that was called.",
            "SipUsername": "The user that was called.",
            "SipCallId": "The Call-ID.",
            "SipSourceIp": "Where the INVITE came from.",
            "AnsweredBy": "After machine detection; always ``unknown`` here.",
            "MachineDetectionDuration": "Milliseconds that it took.",
        },
    ),
    Webhook(
        name="Fallback URL",
        when="The voice URL failed, or its document did.",
        answer="TwiML",
        parameters={"ErrorCode": "Why: a code of the error pages.", "ErrorUrl": "The URL that failed."},
    ),
    Webhook(
        name="Call status",
        when="``StatusCallback`` of a call, for the events asked for; the end is told at least once.",
        answer="nothing that is read",
        parameters={
            "Timestamp": "When it happened, RFC 2822.",
            "CallbackSource": "``call-progress-events``.",
            "SequenceNumber": "Counts the events from 0.",
            "CallDuration": "At the end: seconds from the answer.",
            "Duration": "At the end of a completed call: minutes, begun ones count.",
            "SipResponseCode": "What the far end's SIP said.",
            "AnsweredBy": "After machine detection.",
            "MachineDetectionDuration": "Of asynchronous machine detection: milliseconds.",
            "VerificationStatus": "Of a call that verifies a caller id: ``success`` or ``failed``.",
            "OutgoingCallerIdSid": "Of a call that verified a caller id: its SID.",
            **_ERROR,
            **_RECORDING,
        },
    ),
    Webhook(
        name="Gather action",
        when="``<Gather>`` has its keys.",
        answer="TwiML",
        parameters={"Digits": "The keys.", "FinishedOnKey": "The key that ended it."},
    ),
    Webhook(
        name="Dial action",
        when="``<Dial>`` is over.",
        answer="TwiML",
        parameters={
            "DialCallStatus": "How the last attempt ended.",
            "DialCallSid": "The call that was made.",
            "DialCallDuration": "Seconds that they talked.",
            "DialBridged": "``true`` when the two were connected.",
            "DialSipCallId": "Of a SIP target: its Call-ID.",
            "DialSipResponseCode": "Of a SIP target: its final response.",
            "RecordingUrl": "With ``record``: the sound.",
            "QueueSid": "Of a ``<Queue>``: which.",
            "QueueTime": "Of a ``<Queue>``: seconds that the caller had waited.",
            "DequeingCallSid": "Of a ``<Queue>``: the call that took them.",
        },
    ),
    Webhook(
        name="Connect action",
        when="``<Connect><Conversation>`` is over; with the facts of the call that has the document.",
        answer="TwiML",
        parameters={
            "Result": "``session-success``, ``dialed-call-incomplete``, ``failed-create-conversation``, "
            "``no-other-participants``, ``invalid-conversation``, ``no-existing-conversation``, ``internal-error``.",
            "WorkerInitiated": "``true`` when a worker has called their customer.",
            "DialCallStatus": "When somebody was dialled: ``completed``, ``busy``, ``no-answer``, ``failed``, "
            "``canceled``.",
            "DialCallSid": "The call to them.",
            "DialCallDuration": "Seconds that it lasted.",
            "ConversationSid": "The conversation, when there is one.",
            **_RECORDING,
        },
    ),
    Webhook(
        name="Conversation call status",
        when="``statusCallback`` of ``<Conversation>``, for the events asked for.",
        answer="nothing that is read",
        call=False,
        parameters={
            "AccountSid": "The account.",
            "ConversationSid": "The conversation.",
            "DialCallSid": "The call to the other party.",
            "WorkerInitiated": "``true`` when a worker has called their customer.",
            "Status": "``call-initiated``, ``call-ringing``, ``call-answered``, ``call-completed``: of that call, "
            "not of the caller's.",
            "SequenceNumber": "Counts the requests of the session from 1.",
            "Timestamp": "When it happened, RFC 2822.",
            "CallbackSource": "``voice-conversation-service``.",
        },
    ),
    Webhook(
        name="Application that is dialled",
        when="A call reaches a ``<Dial><Application>``; its ``<Parameter>`` children come along.",
        answer="TwiML",
        parameters={"CustomerId": "``customerId`` of the noun, or the account of the call."},
    ),
    Webhook(
        name="Refer action",
        when="``<Refer>`` is over.",
        answer="TwiML",
        parameters={
            "ReferCallStatus": "``in-progress`` (transferred), ``busy``, ``failed`` or ``canceled``.",
            "ReferSipResponseCode": "What the far end answered to the REFER.",
            "NotifySipResponseCode": "What it told of the call that it placed.",
        },
    ),
    Webhook(
        name="Refer URL",
        when="The callee of a ``<Dial>`` with ``referUrl`` asks to have the caller transferred.",
        answer="TwiML",
        parameters={"ReferTransferTarget": "The ``sip:`` URI that it names."},
    ),
    Webhook(
        name="Record action",
        when="``<Record>`` is over and something was recorded.",
        answer="TwiML",
        parameters={**_RECORDING, "Digits": "The key that ended it, or ``hangup``."},
    ),
    Webhook(
        name="Wait URL",
        when="A caller waits in a queue: at once, and whenever the document is over.",
        answer="TwiML",
        parameters={
            "QueuePosition": "1: the next one.",
            "QueueSid": "The queue.",
            "QueueTime": "Seconds that the caller has waited.",
            "AvgQueueTime": "Seconds that callers waited on average.",
            "CurrentQueueSize": "How many wait.",
            "MaxQueueSize": "How many may.",
        },
    ),
    Webhook(
        name="Enqueue action",
        when="The stay in a queue is over and the caller is still there.",
        answer="TwiML",
        parameters={
            "QueueResult": (
                "``bridged``, ``bridging-in-process``, ``leave``, ``redirected``, "
                "``hangup``, ``queue-full``, ``error`` or ``system-error``."
            ),
            "QueueSid": "The queue.",
            "QueueTime": "Seconds that the caller waited.",
            "DequeingCallSid": "For the whisper of ``<Queue url>``: the call that takes the caller.",
        },
    ),
    Webhook(
        name="Recording status",
        when="``recordingStatusCallback``: a recording changes.",
        answer="nothing that is read",
        parameters={
            "AccountSid": "The account.",
            "CallSid": "The call; or",
            "ConferenceSid": "the conference.",
            **_RECORDING,
            "RecordingStatus": "``in-progress``, ``completed`` or ``absent``.",
            "RecordingChannels": "1 or 2.",
            "RecordingStartTime": "RFC 2822.",
            "RecordingSource": "What made it: ``RecordVerb``, ``DialVerb``, ``Conference`` …",
            "RecordingTrack": "``both``, ``inbound`` or ``outbound``.",
            "ErrorCode": "Why it is absent.",
        },
        call=False,
    ),
    Webhook(
        name="Transcription",
        when="``transcribeCallback``: the text of a recording is there, or never will be.",
        answer="nothing that is read",
        parameters={
            **_RECORDING,
            "TranscriptionSid": "The transcription.",
            "TranscriptionText": "What was said.",
            "TranscriptionStatus": "``completed`` or ``failed``.",
            "TranscriptionUrl": "Its address.",
        },
    ),
    Webhook(
        name="Conference status",
        when="``statusCallback`` of a conference, for the events asked for.",
        answer="nothing that is read",
        parameters={
            "ConferenceSid": "The conference.",
            "FriendlyName": "Its name.",
            "AccountSid": "The account.",
            "SequenceNumber": "Counts from 1.",
            "Timestamp": "RFC 2822.",
            "StatusCallbackEvent": "``conference-start``, ``participant-join`` …",
            "CallSid": "The participant.",
            "ParticipantLabel": "The participant's label.",
            "Muted": "Of the participant.",
            "Hold": "Of the participant.",
            "Coaching": "Of the participant.",
            "EndConferenceOnExit": "Of the participant.",
            "StartConferenceOnEnter": "Of the participant.",
            "ParticipantCallStatus": "How the participant's call stands.",
            "ReasonParticipantLeft": "Why they left.",
            "ReasonConferenceEnded": "Why the conference ended.",
            "Reason": "The same as a sentence.",
            "CallSidEndingConference": "Whose leaving ended it.",
            "ParticipantLabelEndingConference": "Their label.",
            "AnnounceUrl": "Of an announcement.",
            "ReasonAnnouncementFailed": "Why an announcement was not heard.",
        },
        call=False,
    ),
    Webhook(
        name="SMS URL",
        when="A message comes to a number (or to its messaging service) and no conversation has it; ``<Redirect>``.",
        answer="TwiML: ``<Message>``, ``<Redirect>``; plain text is a reply; nothing is none",
        parameters={
            **_MESSAGE,
            "SmsMessageSid": "The same as ``MessageSid``.",
            "Body": "The text.",
            "NumSegments": "Parts that it took on the air.",
            "NumMedia": "How many files came with it: ``MediaUrl0``, ``MediaContentType0`` and so on.",
            "OptOutType": "``STOP``, ``START`` or ``HELP``, when it is nothing but such a word.",
            **{
                f"{end}{part}": f"Of the {who}: {what}."
                for end, who in (("From", "sender"), ("To", "number"))
                for part, what in (
                    ("Country", "country, ISO-2"),
                    ("State", "always empty"),
                    ("City", "always empty"),
                    ("Zip", "always empty"),
                )
            },
            "ErrorCode": "To the fallback URL: why the SMS URL failed.",
            "ErrorUrl": "To the fallback URL: the URL that failed.",
        },
        call=False,
    ),
    Webhook(
        name="Message status",
        when="``StatusCallback`` of a message: each status after the first, in order, at least once.",
        answer="nothing that is read",
        parameters={
            **_MESSAGE,
            "MessageStatus": (
                "``queued``, ``sent``, ``delivered``, ``undelivered``, ``failed``, ``read`` or ``canceled``."
            ),
            **_ERROR,
            "RawDlrDoneDate": "When the carrier says that it was, YYMMDDhhmm, UTC.",
        },
        call=False,
    ),
    Webhook(
        name="Assignment callback",
        when="A workflow has chosen a worker for a task.",
        answer='JSON: ``{"instruction": …}`` with ``accept``, ``reject``, ``dequeue``, ``call``, ``redirect`` or '
        "``conference``; or nothing",
        parameters={
            "AccountSid": "The account.",
            "WorkspaceSid": "The workspace.",
            "WorkflowSid": "The workflow.",
            "TaskQueueSid": "The queue.",
            "WorkerSid": "The worker.",
            "WorkerAttributes": "Theirs, JSON.",
            "TaskSid": "The task.",
            "TaskAttributes": "Its attributes, JSON.",
            "TaskAge": "Seconds.",
            "TaskPriority": "Its priority.",
            "TaskChannelUniqueName": "Its channel.",
            "TaskChannelSid": "Its channel.",
            "ReservationSid": "The reservation.",
            "Timestamp": "When it was made.",
        },
        call=False,
    ),
    Webhook(
        name="Conversation pre-events",
        when=(
            "``PreWebhookUrl`` of an account or service, for the events in its filters: before something in a "
            "conversation is written. By REST only with ``X-Twilio-Webhook-Enabled: true``. 5 seconds."
        ),
        answer=(
            "JSON with what is to be changed (``friendly_name``, ``unique_name``, ``attributes``; of a message "
            "``body``, ``author``, ``attributes``), or nothing; a status from 400 on refuses"
        ),
        parameters=_CONVERSATIONS,
        call=False,
    ),
    Webhook(
        name="Conversation events",
        when=(
            "``PostWebhookUrl`` of an account or service, and webhooks of a conversation, for the events in their "
            "filters: after it happened, in order per conversation, at least once."
        ),
        answer="nothing that is read",
        parameters=_CONVERSATIONS
        | {
            "StateFrom": "Of ``onConversationStateUpdated``.",
            "StateTo": "The state now.",
            "StateUpdated": "When it changed.",
            "Reason": "``API``, ``TIMER`` or ``EVENT`` (a message).",
            "DeliveryReceiptSid": "Of ``onDeliveryUpdated``.",
            "ChannelMessageSid": "The carrier's message.",
            "Status": "``sent``, ``delivered``, ``read``, ``undelivered`` or ``failed``.",
            "ErrorCode": "Why not.",
            "UserSid": "Of ``onUserAdded`` and ``onUserUpdated``.",
            "IsOnline": "Of a user.",
            "IsNotifiable": "Of a user.",
        },
        call=False,
    ),
    Webhook(
        name="Workspace events",
        when=(
            "``EventCallbackUrl`` of a workspace: everything that happens in it, in order per "
            "task, at least once."
        ),
        answer="nothing that is read",
        parameters={
            "EventType": "``task.created``, ``reservation.accepted`` …",
            "AccountSid": "The account.",
            "WorkspaceSid": "The workspace.",
            "WorkspaceName": "Its name.",
            "EventDescription": "In words.",
            "ResourceType": "``task``, ``reservation``, ``worker`` …",
            "ResourceSid": "What it happened to.",
            "Timestamp": "ISO 8601.",
            "TimestampMs": "Unix milliseconds.",
            "Sid": "Of the event: one that comes again has the same.",
        },
        call=False,
    ),
    Webhook(
        name="Frontline routing",
        when=(
            "``RoutingUrl`` of a Frontline service with custom routing: a customer's call or message has made a "
            "conversation, and it needs a worker. It has 5 s, and all parameters of ``onConversationAdded``."
        ),
        answer="nothing that is read: add the worker as a participant, by REST",
        parameters={
            "ConversationSid": "The new conversation.",
            "ChatServiceSid": "Its service.",
            "EventType": "``onConversationAdded``.",
        },
        call=False,
    ),
    Webhook(
        name="Frontline callbacks",
        when=(
            "A worker's app asks ``/frontline/v1``: who the customers are (``CrmCallbackUrl``), from which address "
            "one may be written to (``OutgoingCallbackUrl``), what may be written (``TemplatesCallbackUrl``). 5 s."
        ),
        answer="JSON, as the ``Location`` says; 403: the worker may not; 422: not known",
        parameters={
            "Location": (
                "``GetCustomersList``, ``GetCustomerDetailsByCustomerId``, ``GetProxyAddress`` or "
                "``GetTemplatesByCustomerId``."
            ),
            "Worker": "Identity of the worker.",
            "PageSize": "Of a list: at most so many customers.",
            "Anchor": "Of a list: the ``customer_id`` after which it goes on.",
            "Query": "Of a list: what is searched for.",
            "CustomerId": "The customer.",
            "ChannelType": "``sms`` or ``whatsapp``.",
            "ChannelValue": "The customer's address.",
            "ConversationSid": "Of templates: the conversation, when there is one.",
        },
        call=False,
    ),
)
