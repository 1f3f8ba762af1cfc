"""The flow of documents of one call: fetch, parse, run, follow (voice-calls.md §10; twiml.md §1.1)."""

from __future__ import annotations

from ringback.effects import AnswerLeg, FetchDocument, Sound, Speech
from ringback.events import DocumentFetched, LegAnswered
from ringback.kernel.errors import Refused
from ringback.voice.call import trial
from ringback.voice.stage import Stage
from ringback.voice.steps import End, Goto, Next, Outcome, Redirected, Source, Steps
from ringback.voice.twiml import Element, TwimlError, is_audio, read
from ringback.voice.verb import Verb, read_attributes
from ringback.voice.verbs import collect

APPLICATION_ERROR = "We are sorry, an application error has occurred. Goodbye."
NOUN_OF = {
    **dict.fromkeys(("Number", "Sip", "Client", "Queue", "Conference", "Application"), "Dial"),
    "Task": "Enqueue",
    "Conversation": "Connect",
}
"""What people write in a verb's place, and where it belongs."""


def documents(session: Stage, source: Source) -> Steps[End]:
    """Run documents until one ends the call; a redirection by REST starts anew.

    They may go on for ever, if they take time: :class:`~ringback.voice.call.pace.Pace` ends those that do not.
    """
    in_fallback = hopeless = False
    while True:
        try:
            if session.answered:
                yield from trial.disclaim(session)
            if hopeless:
                return (yield from _apologise(session))
            if session.pace.over(session.now):
                limit = session.board.settings.documents_per_minute
                raise TwimlError(
                    11215,
                    f"{limit} documents within a minute led from one to the next and took no time: "
                    "let one of them say, play or wait for something, or hang up",
                )
            outcome = yield from _document(session, source)
            if isinstance(outcome, Goto):
                source = outcome.source
                continue
            return outcome if isinstance(outcome, End) else End(exhausted=True)
        except Redirected as redirect:
            source, in_fallback, hopeless = redirect.source, False, False
        except TwimlError as error:
            session.warn(error.code, error.text, answer=error.answer)
            if session.whispering and session.whisper_may_fail:
                return End(exhausted=True)
            fallback = session.plan.fallback_url
            if in_fallback or not fallback:
                hopeless = True
                continue
            in_fallback = True
            failed = session.asked.url if session.asked is not None else ""
            facts = [("ErrorCode", str(error.code)), ("ErrorUrl", failed)]
            source = Source(url=fallback, method=session.plan.fallback_method, params=facts)
        finally:
            session.pace.ends(session.now)


def _document(session: Stage, source: Source) -> Steps[Outcome]:
    if source.twiml is not None:
        session.base = session.asked = None
        session.pace.begins(session.now)
        verbs = read(source.twiml.encode())
    else:
        fetched = yield from fetch(session, source)
        session.base = fetched.url
        session.pace.begins(session.now)
        if is_audio(fetched.content_type):
            yield from _answer(session)
            yield from session.play((Sound(fetched.url),))
            return Next()  # the document is over: the call ends, a whisper lets the parties talk
        try:
            verbs = read(fetched.body, fetched.content_type)
        except TwimlError as error:
            error.answer = fetched
            raise
    try:
        return (yield from _run(session, verbs))
    except Refused as refusal:
        raise TwimlError(refusal.code, refusal.message) from None


def fetch(session: Stage, source: Source, *, empty_ok: bool = False) -> Steps[DocumentFetched]:
    """Ask for a document; raises :class:`TwimlError` with the failure's code."""
    request = session.fresh("doc")
    session.asked = FetchDocument(
        lane=session.lane,
        account_sid=session.call.account_sid,
        request=request,
        url=source.url or "",
        method=source.method,
        params=[*session.standard_params(), *source.params],
        empty_ok=empty_ok,
    )
    session.do(session.asked)
    began = session.now
    while True:
        event = yield
        if isinstance(event, DocumentFetched) and event.request == request:
            break
    session.pace.wasted(session.now - began)
    if event.error_code is not None:
        failure = TwimlError(event.error_code, event.error_text or "The application could not be asked")
        failure.answer = event
        raise failure
    return event


def _run(session: Stage, elements: list[Element]) -> Steps[Outcome]:
    """The verbs of one document, top to bottom."""
    verbs = collect()
    for position, element in enumerate(elements, 1):
        verb = verbs.get(element.tag)
        if verb is None:
            home = NOUN_OF.get(element.tag)
            why = "is no known verb" if home is None else f"is no verb but a noun: it stands in <{home}>"
            session.warn(12200, f"{element.place}: <{element.tag[:60]}> {why}; it is skipped")
            continue
        if not verb.whisper and session.whispering:
            raise TwimlError(13201, f"{element.tag} is not possible in the document of a dialled party")
        session.followed = any(other.tag in verbs for other in elements[position:])
        outcome = yield from perform(session, element, verb)
        if not isinstance(outcome, Next):
            return outcome
    if not session.whispering:
        yield from _answer(session)
    return End() if not session.whispering else Next()


def perform(session: Stage, element: Element, verb: Verb) -> Steps[Outcome]:
    """One verb: its attributes and children are checked, the call is answered if need be, and it runs."""
    attributes = read_attributes(element, verb.attributes, session.warn)
    for child in element.children:
        if child.tag not in verb.children:
            session.warn(
                verb.child_code,
                f"{child.place}: <{child.tag[:60]}> may not stand in <{verb.tag}>; it is ignored",
            )
    if verb.needs_media(attributes):
        yield from _answer(session)
    return (yield from verb.run(element, attributes, session))


def _answer(session: Stage) -> Steps[None]:
    """Answer an inbound call that is not answered yet; wait until media flows."""
    if session.answered:
        return
    session.do(AnswerLeg(call_sid=session.call.sid))
    while True:
        event = yield
        if isinstance(event, LegAnswered):
            break
    yield from trial.disclaim(session)


def _apologise(session: Stage) -> Steps[End]:
    """No fallback left: an unanswered caller is refused, an answered one hears why (§10 no. 4).

    So does the caller of an application that was dialled: theirs is the leg that would be refused.
    """
    if session.plan.local:
        yield from _answer(session)
    if not session.answered:
        return End(reject=500)
    yield from session.play((Speech(APPLICATION_ERROR),))
    return End()
