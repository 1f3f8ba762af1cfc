"""Entries of the ledger of requests as they lie in their table: packed. Rows of before that are JSON texts.

A request of a call is a form that repeats what the form before it said, so a dictionary of its usual words makes each
entry small by itself: about a fifth of its text. The first byte names the dictionary.
"""

from __future__ import annotations

import zlib
from typing import Final

import msgspec

from ringback.store.writes import LogHttp

_VERSION: Final = b"\x01"
_WINDOW: Final = -15
"""Raw deflate with the whole window: no header and no checksum, which the database has."""
_WORDS: Final = (
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
_dump = msgspec.json.Encoder().encode
_load = msgspec.json.Decoder(LogHttp).decode


def pack(entry: LogHttp) -> bytes:
    """The bytes of a row."""
    packer = zlib.compressobj(1, zlib.DEFLATED, _WINDOW, zlib.DEF_MEM_LEVEL, zlib.Z_DEFAULT_STRATEGY, _WORDS)
    return _VERSION + packer.compress(_dump(entry)) + packer.flush()


def unpack(entry: str, packed: bytes | None) -> LogHttp:
    """The entry of a row: ``packed``, or the text of a row of before. Raises ``ValueError`` for another version's."""
    if packed is None:
        return _load(entry)
    if packed[:1] != _VERSION:
        raise ValueError(f"this entry was packed by a newer Ringback (version {packed[0]})")
    return _load(zlib.decompressobj(_WINDOW, _WORDS).decompress(bytes(packed[1:])))
