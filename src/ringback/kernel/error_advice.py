"""What is behind an error code and what to do about it: the text of its page, ``/docs/errors/21211`` (errors.md §3).

``advice`` is total over ``error_codes.titles``: a code without a line here, and of no family, fails a test.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from ringback.kernel.error_codes import titles


class Advice(NamedTuple):
    """Two short texts; double backticks are code."""

    cause: str
    remedy: str


_LOG: Final = (
    "The debugger's entry (``Monitor`` alerts, or the call's notifications) has the request and the answer."
)
_NUMBER: Final = "Write numbers in E.164, plus sign and country code first: ``+14155550101``. In a URL the plus is ``%2B``."
_GEO: Final = "Open the country under ``/voice/v1/DialingPermissions``, or set ``RINGBACK_DIALING_DEFAULT``."
_SIGNED: Final = "Make a new one with ``ringback token``; it must be signed with a key of this account."
_AGENT: Final = "Nothing is wrong with the request; offer the agent to redial."
_PENDING: Final = (
    "Look at the reservation's status first; only one instruction can be carried out for a reservation."
)

ADVICE: Final[dict[int, Advice]] = {
    10003: Advice("A call came in for a number of an account that is suspended or closed.", "Set the account's ``Status`` to ``active``."),
    11100: Advice("A URL in a document or request is not an absolute ``http`` or ``https`` URL, or cannot be resolved against the document's own.", "Write the whole URL, with scheme and host; escape ``&`` as ``&amp;`` in XML."),
    11200: Advice("Your application answered a request with an error status, or could not be asked for a reason that no other code names.", f"Ask the URL yourself with ``curl -i``. {_LOG}"),
    11201: Advice("No connection to your application within the time for connecting (5 s unless ``#ct=`` says otherwise).", "Check host, port and firewall between Ringback and the application."),
    11202: Advice("Nothing listens at the address of your URL.", "Start the application, or correct the port in the URL."),
    11203: Advice("Your application did not finish its answer within 15 s, all attempts together.", "Answer at once and do slow work afterwards."),
    11205: Advice("The connection to your application broke before the answer was complete.", f"Look for a crash or a proxy's time limit on your side. {_LOG}"),
    11206: Advice("What your application answered is not HTTP.", "Check that the URL's scheme and port belong together: ``https`` for a TLS port."),
    11210: Advice("The host name of the URL cannot be resolved.", "Correct the name, or make it known to the machine that Ringback runs on."),
    11215: Advice("More than ten redirects followed each other.", "Give the final URL; look for two addresses that redirect to each other."),
    11216: Advice("A redirect leads to no usable URL.", "Correct the ``Location`` header of your application's answer."),
    11220: Advice("TLS could not be agreed on with your application.", "Check protocol versions and the certificate chain with ``openssl s_client``."),
    11235: Advice("The certificate names another host than the URL.", "Use the name in the certificate, or get a certificate for the name."),
    11236: Advice("The certificate of your application has expired.", "Renew it."),
    11237: Advice("Nobody whom Ringback trusts has signed the certificate.", "Send the whole chain; for an authority of your own set ``SSL_CERT_FILE`` when starting Ringback."),
    11243: Advice("The part of the URL after ``#`` has a connection override with a bad key or value; the default is used.", "Use ``ct``, ``rt``, ``tt`` (milliseconds), ``rc`` (0 to 5) and ``rp``."),
    11322: Advice("A webhook's method is neither GET nor POST; POST is used.", "Write ``GET`` or ``POST``."),
    11750: Advice("The TwiML document is larger than 64 KB.", "Split it: ``<Redirect>`` leads to the next part."),
    11770: Advice("Your application answered with success and an empty body where TwiML is needed.", "Answer ``<Response/>`` to do nothing."),
    12100: Advice("The document is not well-formed XML.", "Escape ``&`` and ``<`` in text and URLs; put nothing before ``<?xml``. The entry in the debugger has line and column."),
    12101: Advice("The XML declaration names a version that does not exist.", "Write ``<?xml version=\"1.0\" encoding=\"UTF-8\"?>``."),
    12102: Advice("The document's outermost element is not ``<Response>``.", "Wrap the verbs in ``<Response>``."),
    12200: Advice("An element or attribute is unknown, or stands where it may not; it is ignored and the call goes on.", "The entry has the line and the name. Names are case-sensitive: see the verbs."),
    12300: Advice("The content type of the answer is neither XML, text nor a sound.", "Answer TwiML as ``text/xml``."),
    12400: Advice("Ringback failed while it handled the document.", "This is our fault: report it with the call's SID; ``ringback trace`` shows what happened."),
    13000: Advice("``<Dial>`` mixes nouns that stand alone (``<Conference>``, ``<Queue>``) with others; nobody is dialled.", "Use one ``<Dial>`` for each."),
    13201: Advice("``<Dial>`` was used in a document for the callee (a whisper), where it is not possible.", "Use ``<Say>``, ``<Play>``, ``<Gather>`` there."),
    13215: Advice("An element within ``<Dial>`` is not allowed there, or there are more than ten; it is ignored.", "``<Number>``, ``<Sip>`` and ``<Client>`` stand together, ``<Conference>`` and ``<Queue>`` alone."),
    13338: Advice("``actionOnEmptyResult`` of ``<Gather>`` is neither ``true`` nor ``false``; ``false`` is used.", "Correct the value."),
    13223: Advice("What is to be called is no phone number.", _NUMBER),
    13224: Advice("No carrier can reach the number, or it cannot exist.", "Check the number; with trunks, check that one of them has a prefix for it."),
    13225: Advice("The number is blocked, or a premium number.", "Remove it from the blocked numbers, or open special numbers of its country."),
    13227: Advice("The number is in a country that the account may not call.", _GEO),
    13238: Advice("A document for waiting, hold or announcements has a verb that is not possible there.", "Use the verbs that are listed with ``waitUrl``."),
    13240: Advice("``coach`` names no call of the conference.", "Give the SID of a live participant's call."),
    13247: Advice("The caller id of ``<Dial>`` is neither a number of the account nor verified.", "Use one of your numbers, or verify it as an OutgoingCallerId."),
    13248: Advice("The caller id is too long.", "Use a phone number or a short ``client:`` name."),
    13249: Advice("User name or password of ``<Sip>`` cannot be used; the call goes on without.", "Give both, at most 256 characters each."),
    13250: Advice("``<Sip>`` has more than ten URIs; the rest is ignored.", "Remove some."),
    13251: Advice("More than 32 custom headers; the rest is left out.", "Send fewer."),
    13252: Advice("A custom SIP header has a name that is not allowed.", "Names begin with ``x-``; letters, digits and hyphens."),
    13253: Advice("A custom SIP header is too long.", "Shorten its value."),
    13254: Advice("The host of a SIP URI cannot be found.", "Check the name; ``ringback doctor`` resolves those of trunks."),
    13256: Advice("``recordingStatusCallback`` is no usable URL; nobody will be told of the recording.", "Write an absolute URL, or one relative to the document."),
    13257: Advice("``transcribeCallback`` is no usable URL.", "Write an absolute URL, or one relative to the document."),
    13320: Advice("An element within ``<Gather>`` is not allowed there; it is ignored.", "Only ``<Say>``, ``<Play>`` and ``<Pause>`` stand in ``<Gather>``."),
    13335: Advice("``speechTimeout=\"auto\"`` needs a speech model that is not the default.", "Name a model, or give seconds."),
    13340: Advice("``<Gather>`` asked for speech, which is not available here; only keys are taken.", "Offer keys as well: ``input=\"dtmf speech\"``."),
    13420: Advice("A sound could not be fetched or is in no format that can be played.", f"MP3, WAV, AIFF, GSM and µ-law are played. {_LOG}"),
    13520: Advice("``<Say>`` has no text.", "Put text into it, or remove it."),
    13521: Advice("``<Say>`` has more than 4096 characters; only the first are spoken.", "Use several ``<Say>``."),
    13615: Advice("A recording is too long to be transcribed.", "Set ``maxLength`` to 120 or less."),
    13617: Advice("The recording is shorter than 2 or longer than 120 seconds: it is not transcribed.", "Record longer; or leave ``transcribe`` out."),
    13620: Advice("Transcription is switched off or its worker is not there.", "See ``/ready`` and the settings for transcription."),
    13621: Advice("``recordingStatusCallbackEvent`` names an event that does not exist.", "Use ``in-progress``, ``completed`` and ``absent``, with blanks between."),
    13622: Advice("``recordingTrack`` is none of those allowed.", "Use ``both``, ``inbound`` or ``outbound``."),
    13699: Advice("``trim`` is none of those allowed.", "Use ``trim-silence`` or ``do-not-trim``."),
    13801: Advice("``<Refer>`` was used in a call that came or went without SIP: there is nobody to send REFER to.", "Use ``<Dial>``, or ``<Refer>`` in calls of phones and trunks."),
    13802: Advice("A phone asked for its call to be transferred (REFER), and ``<Dial>`` has no ``referUrl``; it was told no.", "Give ``<Dial>`` a ``referUrl`` that answers with what is to happen."),
    13805: Advice("A call of a trial account reached ten minutes.", "Make the account a full one."),
    13806: Advice("The URL for client notifications cannot be used.", "Write an absolute URL."),
    14202: Advice("``waitUrl`` of ``<Enqueue>`` is no usable URL.", "Write an absolute URL, or leave it out for the built-in music."),
    14203: Advice("``action`` of ``<Enqueue>`` is no usable URL.", "Write an absolute URL, or one relative to the document."),
    14204: Advice("``<Enqueue>`` has neither a name nor a ``workflowSid``.", "Put the queue's name into it."),
    14205: Advice("The name of a queue has at most 64 characters.", "Shorten it."),
    14207: Advice("The queue is full: the caller goes on with the ``action``, ``QueueResult=queue-full``.", "Raise ``maxQueueSize`` or the queue's ``MaxSize``."),
    14211: Advice("``url`` of ``<Queue>`` is no usable URL.", "Write an absolute URL, or one relative to the document."),
    14212: Advice("``<Queue>`` names no queue.", "Put the queue's name into it, or give ``reservationSid``."),
    14213: Advice("The name of a queue has at most 64 characters.", "Shorten it."),
    14215: Advice("``reservationSid`` is no reservation of this account.", "Use the SID that the assignment callback or the event had."),
    14217: Advice("The reservation is over, or somebody else has it: nobody is connected.", _PENDING),
    14218: Advice("``postWorkActivitySid`` names no activity of the workspace.", "Use the SID of one of its activities."),
    14220: Advice("``workflowSid`` is no SID of a workflow.", "Use the ``WW…`` SID of a workflow of this account."),
    14221: Advice("The text of ``<Task>`` is no JSON object; the caller is not enqueued.", "Write one object: ``{\"language\": \"en\"}``; escape ``&`` and ``<``."),
    14222: Advice("TaskRouter refused to make the task, or a caller's request could not be kept.", "The entry says why: no such workflow, a full workspace, attributes too long."),
    14223: Advice("The task of a caller who left could not be canceled.", "Cancel it by REST."),
    15000: Advice("The call was lost: the server that carried it ended, or its signalling broke.", "The outcome says so truthfully; place the call again if it is still wanted."),
    15002: Advice("The call waited longer as ``queued`` than ``RINGBACK_QUEUE_TIMEOUT`` allows.", "Place fewer calls at a time, or raise ``RINGBACK_CALLS_PER_SECOND``."),
    15003: Advice("Your application did not take a status callback; the call is not affected.", f"Look the outcome up by REST. {_LOG}"),
    15004: Advice("An ``action`` is relative, and the document came with the request (``Twiml``) so that there is nothing to resolve it against.", "Write the whole URL."),
    16001: Advice("The call is in no conference.", "Fetch the conference's participants first."),
    16011: Advice("Your application did not take a conference's callback.", _LOG),
    16020: Advice("The conference has reached ``maxParticipants``.", "Raise it (at most 250)."),
    16022: Advice("The conference is over, or never was.", "List the conferences that are ``in-progress``."),
    16023: Advice("A participant's label cannot be used.", "At most 128 characters, without blanks at its ends."),
    16024: Advice("A participant's label looks like the SID of a call.", "Choose a name that is no SID."),
    16025: Advice("Another participant of the conference has this label.", "Choose another; labels are unique in a conference."),
    16027: Advice("Whom somebody is to coach is on hold.", "Take them off hold first."),
    16028: Advice("Whom somebody is to coach is not in the conference.", "Give the SID of a live participant's call."),
    16099: Advice("A conference's status can only become ``completed``.", "Send ``Status=completed``."),
    16101: Advice("The recording was too short to be kept.", "Nothing to do: the caller hung up or pressed a key at once."),
    16102: Advice("Nothing but silence was recorded.", "Nothing to do; check the far end's microphone if it happens often."),
    16108: Advice("The call or conference is already being recorded as often as is possible.", "Stop a recording first."),
    16113: Advice("Two channels were asked of a recording that has one.", "Leave ``RequestedChannels`` out."),
    16114: Advice("The recording is over, or already paused.", "Fetch its status first."),
    20001: Advice("A parameter has a value that cannot be used, or a required one is missing.", "The message names it; its page lists what is allowed."),
    20002: Advice("``FriendlyName`` is too long.", "At most 64 characters."),
    20003: Advice("No credentials, wrong ones, or ones that may not do this (a standard API key cannot manage accounts and keys).", "Sign in with account SID and auth token as HTTP basic, or with an API key's SID and secret."),
    20004: Advice("The address exists, but not with this method.", "The ``Allow`` header lists the methods."),
    20005: Advice("The account is suspended or closed.", "Its owner can set ``Status`` to ``active``."),
    20008: Advice("Test credentials only check calls and numbers; they see nothing else.", "Use the live credentials."),
    20009: Advice("A call or recording cannot be deleted while it goes on.", "End it first: ``Status=completed``."),
    20101: Advice("The access token is no JSON Web Token, or of a kind that is not taken here.", _SIGNED),
    20102: Advice("The header of the access token is not that of an access token.", "Its header needs ``typ`` ``JWT``, ``alg`` ``HS256`` and ``cty`` ``twilio-fpa;v=1``."),
    20103: Advice("The key that the token names does not exist or has been deleted.", _SIGNED),
    20104: Advice("The access token has expired.", "Give the client a new one before the old one ends (``tokenAboutToExpire``)."),
    20105: Advice("The access token is valid only later.", "Check the clocks of both machines."),
    20106: Advice("The access token lacks the grant that is needed, or it names something that does not exist.", "For agents: ``ringback token --identity … --workspace WS… --worker WK…``."),
    20107: Advice("The signature of the access token is wrong.", _SIGNED),
    20404: Advice("There is nothing at this address: a wrong path, a SID that does not exist, or one of another account.", "Compare the path with its page; SIDs are case-insensitive but must be complete."),
    20409: Advice("Something with the same unique value exists, or others kept changing the record.", "Choose another value, or fetch and try again."),
    20412: Advice("The record has changed since the version that ``If-Match`` names.", "Fetch it again and repeat the change."),
    20413: Advice("The request's body is larger than is taken.", "Send less: 256 KB for most requests."),
    20429: Advice("Too many requests at a time.", "Wait for ``Retry-After`` seconds, then go on slower."),
    20500: Advice("Ringback failed; the log has the reason under the request's ``Twilio-Request-Id``.", "This is our fault: report it with that id."),
    20501: Advice("This part of the API is not built yet.", "See the coverage pages."),
    20503: Advice("The server is stopping, or has lost its database to another one.", "Try again in a moment; ``/ready`` tells when."),
    21201: Advice("A call needs ``To``.", _NUMBER),
    21202: Advice("The number is a premium number, which are closed.", "Open special numbers of the country under dialling permissions, if you want to pay for them."),
    21205: Advice("``Url`` is missing or cannot be used, and there is no ``Twiml`` or ``ApplicationSid`` either.", "Give an absolute ``http`` or ``https`` URL."),
    21206: Advice("``SendDigits`` has other keys than those allowed.", "At most 32 of ``0-9 A-D # * w W``."),
    21208: Advice("A time is out of its range.", "``Timeout``: 1 to 600 seconds; ``TimeLimit``: 1 to 86400."),
    21209: Advice("A method is neither GET nor POST.", "Write ``GET`` or ``POST``."),
    21210: Advice("``From`` is neither a number of the account nor a verified caller id.", "Use one of your numbers (``IncomingPhoneNumbers``), or verify it as an OutgoingCallerId."),
    21211: Advice("``To`` is not a phone number, SIP URI or client: letters, too few digits, or a plus that became a blank.", _NUMBER),
    21212: Advice("``From`` is not a phone number, SIP URI or client.", _NUMBER),
    21213: Advice("A call needs ``From``.", "Use one of your numbers."),
    21214: Advice("There is no route to the number.", "Configure a trunk with a prefix for it, or let ``RINGBACK_CARRIER`` take the rest."),
    21215: Advice("The number's country is not enabled for the account.", _GEO),
    21216: Advice("The number is among the account's blocked numbers.", "Remove it: ``/voice/v1/DialingPermissions/BlockedNumbers``."),
    21217: Advice("No number like this can exist: the numbering plan of its country has none.", _NUMBER),
    21218: Advice("``ApplicationSid`` is none of this account's applications.", "Use the ``AP…`` SID of one of them."),
    21219: Advice("A trial account calls verified numbers only.", "Verify it as an OutgoingCallerId, or make the account a full one."),
    21220: Advice("The call is over, or not yet in progress.", "Fetch its status first; a call that has ended cannot be changed."),
    21221: Advice("``SipAuthUsername`` has more than 256 characters.", "Shorten it."),
    21222: Advice("``SipAuthUsername`` has control characters or quotes.", "Use printable characters."),
    21223: Advice("``SipAuthPassword`` has more than 256 characters.", "Shorten it."),
    21224: Advice("``SipAuthPassword`` has control characters.", "Use printable characters."),
    21225: Advice("A SIP user name without a password.", "Give ``SipAuthPassword`` too."),
    21227: Advice("The headers in a SIP URI have more than 1024 characters.", "Send fewer or shorter ones."),
    21228: Advice("A header of a SIP URI has a name that is not allowed.", "Names begin with ``x-``."),
    21229: Advice("A header of a SIP URI has a value that is not allowed.", "Percent-encode it; no line breaks."),
    21234: Advice("``MachineDetection`` is none of the values allowed.", "Use ``Enable`` or ``DetectMessageEnd``."),
    21262: Advice("Asynchronous machine detection was asked for without a callback.", "Give ``AsyncAmdStatusCallback``."),
    21263: Advice("A time limit of machine detection is out of its range; the default is used.", "See the parameters of calls."),
    21300: Advice("``Byoc`` is no SID of a trunk.", "Leave it out: trunks are chosen by prefix."),
    21401: Advice("The number of a number resource is not one.", _NUMBER),
    21402: Advice("A URL of the resource is not an absolute ``http`` or ``https`` URL.", "Write the whole URL."),
    21403: Advice("A method of the resource is neither GET nor POST.", "Write ``GET`` or ``POST``."),
    21405: Advice("``VoiceFallbackUrl`` without ``VoiceUrl``.", "Give the primary URL as well."),
    21406: Advice("``SmsFallbackUrl`` without ``SmsUrl``.", "Give the primary URL as well."),
    21420: Advice("``ApplicationSid`` names no application of this account.", "Use the ``AP…`` SID of one of them."),
    21421: Advice("The phone number is not one.", _NUMBER),
    21422: Advice("Somebody has this number, or it is none that can be had here.", "Choose one of ``AvailablePhoneNumbers``."),
    21449: Advice("The number is one of your own: it can be shown as caller id already.", "Nothing to do."),
    21450: Advice("The number is verified already.", "Nothing to do."),
    21451: Advice("There is no such area code.", "Three digits, as ``555``."),
    21452: Advice("No number is free in the area code.", "Try another, or ``AvailablePhoneNumbers``."),
    21453: Advice("Another account has verified the number.", "Remove it there first."),
    21454: Advice("``CallDelay`` is out of its range.", "0 to 60 seconds."),
    21475: Advice("A closed account stays closed.", "Make a new subaccount."),
    21478: Advice("An account cannot suspend or close itself.", "Its owner does that."),
    21481: Advice("``PageToken`` is none that this list has given.", "Follow ``next_page_uri`` instead of making tokens."),
    21609: Advice("``StatusCallback`` is no usable URL.", "Write an absolute ``http`` or ``https`` URL."),
    21626: Advice("``StatusCallbackEvent`` names an event that does not exist.", "``initiated``, ``ringing``, ``answered``, ``completed``: one parameter each."),
    22002: Advice("The caller has left the queue, or somebody else took them.", "Fetch the queue's members first."),
    32009: Advice("The SIP user or client that was called has no phone registered.", "Check the phone's registration: ``/voice/v1/Registrations``."),
    32011: Advice("The far end's SIP signalling broke off or made no sense.", "Look at the SIP trace of the peer; check transport and port."),
    32014: Advice("No audio came from the far end for longer than is allowed.", "Check NAT and firewall for the ports of ``RINGBACK_RTP_PORTS``."),
    32015: Advice("The call reached its ``TimeLimit``, or a ``<Dial>`` its ``timeLimit``, and was ended.", "Raise it if calls should be longer."),
    32016: Advice("The network said nothing at all to the attempt.", "Check that the trunk's host answers: ``ringback doctor``."),
    32017: Advice("The carrier refused the caller id.", "Show a number that the trunk's provider has given you."),
    32018: Advice("``Twiml`` is longer than 4000 characters.", "Use ``Url``."),
    32019: Advice("``Twiml`` and ``Url`` were both given; ``Url`` is used.", "Give one of them."),
    32102: Advice("The two ends have no codec in common, or a session description made no sense.", "Allow PCMU or PCMA at the far end."),
    32202: Advice("The trunk or phone refused our user name and password, or we refused theirs.", "Compare them with ``[trunk.NAME]`` or ``[phone.NAME]``."),
    40000: Advice("The assignment callback's answer is not ``application/json``.", "Set the content type."),
    40001: Advice("The assignment callback's answer is not a JSON object.", "Answer ``{\"instruction\": \"accept\"}``, or nothing with status 204."),
    40113: Advice("The call of a ``call`` instruction could not be placed.", "The entry has the reason; check ``to`` and ``from``."),
    40122: Advice("The call of a ``redirect`` instruction is over.", "Nothing to do: the caller hung up."),
    40133: Advice("The agent's phone of a ``dequeue`` instruction could not be called.", "Check ``to``, ``from`` and the worker's ``contact_uri``."),
    40140: Advice("The task of a ``dequeue`` instruction has no waiting caller.", "Use it for tasks that ``<Enqueue>`` made."),
    40142: Advice("A ``conference`` instruction needs a task with a waiting caller, or ``outbound_to`` in the task's attributes.", "Give one of them."),
    40144: Advice("The reservation ended before the conference could be made.", "Nothing to do: the caller hung up or the task was canceled."),
    40145: Advice("A call of a ``conference`` instruction could not be placed.", "Check ``to``, ``from`` and the worker's ``contact_uri``."),
    40146: Advice("Only an accepted reservation can be supervised.", "Wait until it is accepted."),
    40147: Advice("The supervisor is no worker of the workspace, or has no ``contact_uri``.", "Name a worker with ``contact_uri`` in their attributes."),
    40151: Advice("The task is being transferred: only accept, reject, conference and supervise are possible.", "Use one of them."),
    40152: Advice("The known worker of a target is not in its queue.", "Correct the workflow's ``known_worker_sid`` or ``known_worker_friendly_name``."),
    45301: Advice("A participant could not be connected; the task was canceled.", _AGENT),
    45302: Advice("A participant hung up before the call was set up.", _AGENT),
    45303: Advice("The callee was busy.", _AGENT),
    45304: Advice("The network said nothing in time.", _AGENT),
    45305: Advice("The callee did not answer.", _AGENT),
    45306: Advice("The call was canceled before it was answered.", _AGENT),
    45307: Advice("The participant may not be added.", "See the call's own error code."),
    45308: Advice("The participant may not be added.", "See the call's own error code."),
    45313: Advice("A transfer came to nothing, and nobody has the task now: it waits for another worker, or was ended.", "The entry says why; look at the task, and at who is available in its queue."),
    32506: Advice("A customer's new conversation has no worker: nobody of the pool was active and available, or the routing callback added nobody in time.", "Look at ``is_available`` and ``state`` of the service's Frontline users, or at the routing callback's log. Add somebody to the conversation, or delete it."),
    48001: Advice("A worker's app asked for something that no callback of the Frontline service answers.", "Set ``CrmCallbackUrl``, ``OutgoingCallbackUrl`` or ``TemplatesCallbackUrl`` of the service (``/frontline-api/v1/Services/IS…``)."),
    48002: Advice("A Frontline callback's URL cannot be asked.", "Correct the URL in the service's settings."),
    48003: Advice("A Frontline callback answered something else than the JSON that belongs to the request's ``Location``.", "The entry says which part is wrong and shows the beginning of the answer."),
    48004: Advice("A Frontline callback could not be reached, or answered with an error.", "Look at the entry's answer. 422 says that the application does not know the ``Location``."),
    48005: Advice("A Frontline callback took longer than five seconds.", "Answer faster: a worker is looking at an empty list meanwhile."),
    48010: Advice("The routing callback of a Frontline service did not answer within five seconds, or not with 2xx.", "Mend the endpoint at ``RoutingUrl``. Whoever it adds to the conversation later gets the customer's next call or message."),
    48026: Advice("``GetProxyAddress`` answered something that is no address.", "Answer a number in E.164, with the channel's prefix (``whatsapp:``) where it has one."),
    48027: Advice("``GetProxyAddress`` answered the customer's own address.", "Answer one of the account's numbers."),
    48028: Advice("``GetProxyAddress`` answered a number that the account does not have.", "Answer one of the account's numbers, or buy this one."),
    48029: Advice("The customer is on one channel, the proxy address on another.", "Answer an address of the same channel: both begin with ``whatsapp:``, or neither."),
    48031: Advice("Customer and proxy address are in an open conversation already, which is another worker's.", "The message names it: write or call there, or close it first."),
    55555: Advice("The assignment callback's ``instruction`` does not exist.", "``accept``, ``reject``, ``dequeue``, ``call``, ``redirect``, ``conference`` or ``supervise``."),
    60600: Advice("The look-up package needs data that this installation does not have.", "Leave the field out; ``validation`` and ``line_type_intelligence`` are served."),
}  # fmt: skip

_ATTRIBUTE: Final = re.compile(r"^(\w+): invalid (\w+)( of (\w+))?$")


def advice(code: int) -> Advice:
    """Cause and remedy of a code; raises ``KeyError`` for one that is not used."""
    found = ADVICE.get(code)
    if found is not None:
        return found
    title = titles()[code]
    if title.endswith("reservation not pending"):
        return Advice("The reservation is no longer pending: it was accepted, rejected or ran out of time.", _PENDING)  # fmt: skip
    named = _ATTRIBUTE.match(title)
    if named is None:
        raise KeyError(code)
    owner, name, _, inner = named.groups()
    if code >= 40000:
        return Advice(
            f"The assignment instruction ``{owner.lower()}`` has no usable ``{name}``.",
            f"Give ``{name}`` in the callback's JSON; for agents' phones it may also be the worker's "
            "``contact_uri``.",
        )
    element = f"``<{inner}>`` within ``<{owner}>``" if inner else f"``<{owner}>``"
    return Advice(
        f"``{name}`` of {element} has a value that is not allowed; what holds without it is used, and the call goes on.",
        "Correct the value. What is allowed is listed with the verb; the entry in the debugger has line and column.",
    )
