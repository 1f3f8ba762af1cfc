"""What a waiting party hears: a document, a sound, music or silence, again and again (twiml.md §1.2, §6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from ringback.effects import AudioItem, Sound
from ringback.events import Event
from ringback.kernel.errors import Refused
from ringback.voice.call import flow
from ringback.voice.params import Params
from ringback.voice.stage import Stage
from ringback.voice.steps import Goto, Interrupted, Source, Steps
from ringback.voice.twiml import TwimlError, is_audio, read
from ringback.voice.verbs import collect

T = TypeVar("T")

PACE = 1.0
"""Seconds that a round takes at least; a document that takes no time again is asked for after twice as long …"""
SLOWEST = 8.0
"""… but at least so often."""
GRACE = 5.0
"""Seconds of silence that an empty answer makes: time for the redirection by REST that it announces. Without
one it was a bad document (webhooks.md §8)."""
HOPS = 10
"""Documents that one redirection after the other may bring within ``PACE``."""


@dataclass(frozen=True, slots=True)
class Left:
    """The waiting party leaves: by ``<Leave>``, by ``<Hangup>``, or because its document is bad."""

    why: Literal["leave", "hangup", "error"]


class Cut(Interrupted):
    """What was awaited has happened: whatever runs meanwhile stops at once."""


def loop(
    session: Stage,
    source: Source | None,
    facts: Callable[[], Params],
    *,
    verbs: frozenset[str],
    code: int,
    default: tuple[AudioItem, ...],
) -> Steps[Left]:
    """Wait for ever; returns only for ``<Leave>``, ``<Hangup>`` or a bad document (its warning is written).

    ``source`` None plays ``default`` in a loop; with an empty URL there is silence. ``facts()`` goes with
    every request. Verbs that are not among ``verbs`` are skipped with the warning ``code``; a document that has
    no other is bad. So is an empty answer, unless the call is redirected within ``GRACE`` (11770).
    """
    base, asked = session.base, session.asked
    try:
        if source is None and default:
            return (yield from _endless(session, default))
        if source is None or not source.url:
            return (yield from _silence())
        return (yield from _rounds(session, source, facts, verbs, code))
    finally:
        session.base, session.asked = base, asked


def once(
    session: Stage, source: Source, facts: Callable[[], Params], *, verbs: frozenset[str], code: int
) -> Steps[Left | None]:
    """Run a document, and those that it redirects to, to the end (whisper, announcement); None: played out."""
    base, asked = session.base, session.asked
    try:
        for _ in range(HOPS):
            outcome = yield from _document(session, source, facts, verbs, code, times=1)
            if not isinstance(outcome, Goto):
                return outcome
            source = outcome.source
        session.warn(11215, f"More than {HOPS} documents one after the other: the rest is left out")
        return Left("error")
    finally:
        session.base, session.asked = base, asked


def until(steps: Steps[T], wanted: Callable[[Event], bool]) -> Steps[T | Event]:
    """Run ``steps`` until they end (gives what they return) or a wanted event comes (gives that event).

    The steps do not see a wanted event: they are cut off. An interruption from outside reaches them first.
    """
    result: T
    try:
        next(steps)
    except StopIteration as stop:
        result = stop.value
        return result
    while True:
        try:
            event = yield
        except Interrupted as interruption:
            _interrupt(steps, interruption)
            raise
        if wanted(event):
            _interrupt(steps, Cut())
            return event
        try:
            steps.send(event)
        except StopIteration as stop:
            result = stop.value
            return result


def _interrupt(steps: Steps[T], interruption: Interrupted) -> None:
    try:
        steps.throw(interruption)
    except (Interrupted, StopIteration):
        return
    finally:
        interruption.__traceback__ = None  # its frames hold the exception: a cycle
    steps.close()  # it waits although it was interrupted: it has no say any more


def _endless(session: Stage, items: tuple[AudioItem, ...]) -> Steps[Left]:
    """Music for ever; should it fail, it is tried again."""
    while True:
        yield from session.play(items, 0)
        yield from session.sleep(PACE)


def _silence() -> Steps[Left]:
    while True:
        yield


def _rounds(
    session: Stage, first: Source, facts: Callable[[], Params], verbs: frozenset[str], code: int
) -> Steps[Left]:
    source, began, pace = first, session.now, PACE
    seen: set[str] = set()  # asked for since time last passed
    while True:
        seen.add(source.url or "")
        outcome = yield from _document(session, source, facts, verbs, code)
        if isinstance(outcome, Left):
            return outcome
        source = outcome.source if isinstance(outcome, Goto) else first
        passed = session.now - began
        again = outcome is None or source.url in seen or len(seen) >= HOPS
        if again and passed < PACE:
            yield from session.sleep(pace - max(0.0, passed))
            pace = min(SLOWEST, 2 * pace)
        elif passed >= PACE:
            pace = PACE
        if again or passed >= PACE:
            began = session.now
            seen.clear()


def _document(
    session: Stage,
    source: Source,
    facts: Callable[[], Params],
    verbs: frozenset[str],
    code: int,
    *,
    times: int = 0,
) -> Steps[Goto | Left | None]:
    """One document to its end; None: it ran out. A sound in its place is played ``times``; 0: for ever, as a
    loop does, which gives an empty answer ``GRACE`` too."""
    asking = Source(url=source.url, method=source.method, params=[*facts(), *source.params])
    try:
        fetched = yield from flow.fetch(session, asking, empty_ok=True)
        session.base = fetched.url
        if is_audio(fetched.content_type):
            ended = yield from session.play((Sound(fetched.url),), times)
            return Left("error") if ended.error_code is not None and not ended.seconds else None
        if not fetched.body.strip() and not times:
            yield from session.sleep(GRACE)
        try:
            elements = read(fetched.body, fetched.content_type)
        except TwimlError as error:
            error.answer = fetched
            raise
        usable = False
        for element in elements:
            verb = collect().get(element.tag)
            if verb is None or element.tag not in verbs:
                place, tag = element.place, element.tag[:60]
                session.warn(code, f"{place}: <{tag}> may not stand in this document; it is skipped")
                continue
            usable = True
            if element.tag in ("Leave", "Hangup"):
                return Left("leave" if element.tag == "Leave" else "hangup")
            outcome = yield from flow.perform(session, element, verb)
            if isinstance(outcome, Goto):
                return outcome
        if elements and not usable:
            return Left("error")
    except TwimlError as error:
        session.warn(error.code, error.text, answer=error.answer)
        return Left("error")
    except Refused as refusal:
        session.warn(refusal.code, refusal.message)
        return Left("error")
    return None
