"""How entries of the ledger of requests are packed. The standard library only: SQLite's writer process does it too.

A request of a call is a form that repeats what the form before it said, so a dictionary of its usual words makes each
entry small by itself: about a fifth of its text. The first byte names the dictionary.
"""

from __future__ import annotations

import zlib

VERSION = b"\x01"
WINDOW = -15
"""Raw deflate with the whole window: no header and no checksum, which the database has."""
WORDS = (
    b"failedcanceledbusyno-answerqueuedinitiatedringingin-progresscompletedoutbound-apioutbound-dialinbound"
    b"RecordingSid=RERecordingUrl=http%3A%2F%2FRecordingStatus=RecordingDuration=RecordingChannels=RecordingSource="
    b"QueueSid=QUQueueTime=QueueResult=DequeueingCallSid=QueuePosition=AvgQueueTime=CurrentQueueSize="
    b"WorkspaceSid=WSWorkflowSid=WWTaskSid=WTReservationSid=WRWorkerSid=WKTaskQueueSid=WQTaskAttributes=%7B%22"
    b"EventType=task.created&ResourceType=task&TaskAge=0&TaskPriority=0&TaskAssignmentStatus=reservation.created"
    b"ConferenceSid=CFFriendlyName=StatusCallbackEvent=participant-joinSequenceNumber=0Muted=falseHold=falseCoaching="
    b"Digits=FinishedOnKey=msg=Gather+EndDialCallStatus=DialCallSid=CADialCallDuration=ParentCallSid=CA"
    b"FromCity=&FromState=&FromZip=&FromCountry=US&ToCity=&ToState=&ToZip=&ToCountry=US&CalledCity=&CalledState="
    b"&CalledZip=&CalledCountry=US&CallerCity=&CallerState=&CallerZip=&CallerCountry=US&StirVerstat="
    b'<?xml version=\\"1.0\\" encoding=\\"UTF-8\\"?>\\n<Response><Dial><Queue><Gather numDigits=\\"1\\" action=\\"/'
    b'<Say voice=\\"</Say><Play></Play><Redirect><Enqueue workflowSid=\\"<Pause length=\\"<Record</Response>'
    b"Timestamp=Sun%2C+29+Nov+2026+00%3A00%3A00+%2B0000&CallbackSource=call-progress-events&SequenceNumber="
    b"CallSid=CA&AccountSid=AC&From=%2B1555&To=%2B1555&Caller=%2B1555&Called=%2B1555&CallStatus=in-progress"
    b"&Direction=inbound&ApiVersion=2010-04-01&CallDuration=&Duration="
    b'{"account_sid":"AC","resource_sid":"CA","at":17,"method":"POST","url":"http://127.0.0.1:80/","parameters":"'
    b'","status":200,"seconds":0.00,"content_type":"text/xml; charset=utf-8application/json","body":"","error_code":'
    b"null}"
)


def pack(text: bytes) -> bytes:
    """The bytes of a row."""
    packer = zlib.compressobj(3, zlib.DEFLATED, WINDOW, 6, zlib.Z_DEFAULT_STRATEGY, WORDS)
    return VERSION + packer.compress(text) + packer.flush()


def unpack(packed: bytes) -> bytes:
    """What was packed. Raises ``ValueError`` for another version's."""
    if packed[:1] != VERSION:
        raise ValueError(f"this entry was packed by a newer Ringback (version {packed[0]})")
    return zlib.decompressobj(WINDOW, WORDS).decompress(packed[1:])
