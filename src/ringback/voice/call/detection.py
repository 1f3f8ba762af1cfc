"""Answering machine detection as the API takes it (voice-calls.md §8).

The parameters are checked and the requests have their shape, but nothing listens to the audio yet: the
verdict is ``unknown``, at once, and the debugger's log says so.
"""

from __future__ import annotations

from typing import Final

from ringback.voice import urls
from ringback.voice.call.plan import Callback, Plan
from ringback.voice.form import Form

MODES: Final = ("Enable", "DetectMessageEnd")
RANGES: Final = {
    "MachineDetectionTimeout": (3, 60),
    "MachineDetectionSpeechThreshold": (1000, 6000),
    "MachineDetectionSpeechEndThreshold": (500, 5000),
    "MachineDetectionSilenceTimeout": (2000, 10000),
}
"""Seconds for the first, milliseconds for the others."""
NOT_BUILT: Final = "Machine detection is not available yet: AnsweredBy is always unknown, without delay"


def read(form: Form, plan: Plan, warnings: list[tuple[int, str]]) -> None:
    """The parameters of POST Calls. Raises :class:`Refused` with 21234; 21262 and 21263 are warnings."""
    mode = form.get("MachineDetection")
    if mode and mode not in MODES:
        raise form.refuse(21234, f"MachineDetection must be one of {', '.join(MODES)}")
    for name, (low, high) in RANGES.items():
        form.integer(name, low, low, high, 21234)
    method = form.method("AsyncAmdStatusCallbackMethod")
    wanted = form.get("AsyncAmd").lower()
    if wanted not in ("", "true", "false"):
        warnings.append((21263, "AsyncAmd is true or false; false is used"))
    if not mode or plan.send_digits:
        return  # digits after the answer switch detection off
    plan.machine_detection = True
    warnings.append((20001, NOT_BUILT))
    if wanted != "true":
        return
    url = form.get("AsyncAmdStatusCallback")
    if not urls.is_web(url):
        warnings.append((21262, "AsyncAmd needs an AsyncAmdStatusCallback; nobody is told of the verdict"))
        url = ""
    plan.detection_callback = Callback(url=url, method=method, events=[])
