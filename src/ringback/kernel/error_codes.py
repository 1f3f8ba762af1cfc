"""The error dictionary: level and title of every code that the voice core raises (errors.md §3).

Titles are ours; what to mend is told by each entry's own message.
"""

from __future__ import annotations

from typing import Final, Literal

Level = Literal["error", "warning"]

_ERRORS: Final[dict[int, str]] = {
    11100: "Invalid URL format",
    11200: "HTTP retrieval failure",
    11201: "HTTP connection timed out",
    11202: "HTTP connection refused",
    11203: "HTTP total time exceeded",
    11205: "HTTP connection failure",
    11206: "HTTP protocol violation",
    11210: "Bad host name",
    11215: "Too many redirects",
    11216: "Invalid redirect",
    11220: "TLS handshake failed",
    11235: "Certificate is for another host",
    11236: "Certificate expired",
    11237: "Certificate is not trusted",
    11750: "TwiML document too large",
    11770: "Empty response body",
    12100: "Document cannot be parsed",
    12101: "Wrong XML version",
    12102: "Root element is not Response",
    12300: "Content type is not usable",
    12400: "Internal failure",
    13201: "Dial is not possible in a dialled segment",
    13224: "Number is not reachable",
    13225: "Call was blocked",
    13227: "Country is not enabled",
    13247: "Caller id is not allowed",
    13257: "Invalid transcribeCallback",
    13338: "Invalid actionOnEmptyResult",
    13420: "Sound cannot be played",
    13621: "Invalid recordingStatusCallbackEvent",
    15000: "Internal error of call progress",
    15002: "Call waited too long in the queue",
    15004: "Action URL must be absolute",
    16108: "Too many recordings at once",
    16114: "Recording is not in a state for that",
    32009: "User is not registered",
    32011: "SIP signalling failed",
    32014: "Call ended: no audio was received",
    32016: "No answer from the network",
    32017: "Carrier refused the caller id",
    32018: "TwiML is too long",
    32102: "Session descriptions do not fit",
    32202: "SIP credentials were refused",
}

_WARNINGS: Final[dict[int, str]] = {
    12200: "Document breaks the schema",
    13210: "Dial: invalid method",
    13212: "Dial: invalid timeout",
    13213: "Dial: invalid hangupOnStar",
    13214: "Dial: invalid callerId",
    13215: "Dial: invalid nested element",
    13216: "Dial: invalid timeLimit",
    13217: "Dial: invalid record",
    13218: "Dial: invalid sequential",
    13219: "Dial: invalid answerOnBridge",
    13220: "Dial: invalid ringTone",
    13221: "Number: invalid method",
    13222: "Number: invalid sendDigits",
    13223: "Invalid phone number",
    13241: "Sip: invalid method",
    13242: "Sip: invalid digits",
    13243: "Sip: invalid URI",
    13248: "Caller id too long",
    13254: "Sip: host cannot be found",
    13256: "Invalid recordingStatusCallback",
    13310: "Gather: invalid finishOnKey",
    13312: "Gather: invalid method",
    13313: "Gather: invalid timeout",
    13314: "Gather: invalid numDigits",
    13320: "Gather: invalid child",
    13326: "Gather: invalid input",
    13327: "Gather: invalid speechTimeout",
    13328: "Gather: invalid maxSpeechTime",
    13329: "Gather: invalid partialResultCallbackMethod",
    13330: "Gather: invalid hints",
    13331: "Gather: invalid language",
    13332: "Gather: invalid bargeIn",
    13333: "Gather: invalid profanityFilter",
    13334: "Gather: invalid speechModel",
    13410: "Play: invalid loop",
    13430: "Play: invalid digits",
    13510: "Say: invalid loop",
    13511: "Say: invalid voice",
    13512: "Say: invalid language",
    13520: "Say: no text",
    13521: "Say: text too long",
    13610: "Record: invalid method",
    13611: "Record: invalid timeout",
    13612: "Record: invalid maxLength",
    13613: "Record: invalid finishOnKey",
    13614: "Record: invalid transcribe",
    13615: "Record: too long to transcribe",
    13616: "Record: invalid playBeep",
    13617: "Transcription: length out of range",
    13620: "Transcription is not available",
    13622: "Invalid recordingTrack",
    13699: "Invalid trim",
    13710: "Redirect: invalid method",
    13810: "Reject: invalid reason",
    13910: "Pause: invalid length",
    15003: "Status callback failed",
    16101: "Recording absent: too short",
    16102: "Recording absent: silent",
    32015: "Call reached its maximum length",
    32019: "Twiml and Url were both given",
}


def level(code: int) -> Level:
    """``warning`` for codes after which a call goes on, else ``error`` (also for unknown codes)."""
    return "warning" if code in _WARNINGS else "error"


def title(code: int) -> str:
    """A few words for ``code``; for an unknown one a neutral sentence."""
    return _WARNINGS.get(code) or _ERRORS.get(code) or f"Error {code}"
