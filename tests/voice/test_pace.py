"""Loops of documents: those that take no time end, those that take time go on for ever (issue 11, C 14)."""

from __future__ import annotations

import pytest
from driver import BASE, CALL, Driver

from ringback import effects as fx
from ringback import events as ev

LOOP = "<Response><Redirect>/voice</Redirect></Response>"


def codes(call: Driver) -> set[int | None]:
    return set(call.codes())


def asked(call: Driver) -> int:
    return len(call.asked("/voice"))


@pytest.mark.parametrize(
    "page",
    [
        LOOP,
        "<Response><Redirect/></Response>",
        "<Response><Dial action='/voice'>nobody</Dial></Response>",
        "<Response><Play/><Redirect>/voice</Redirect></Response>",
        "<Response><Leave/><Say> </Say><Redirect>/voice</Redirect></Response>",
        "<Response><Enqueue action='/voice' workflowSid='none'/></Response>",
    ],
)
def test_a_loop_that_takes_no_time_ends_with_an_entry_in_the_log(page: str) -> None:
    call = Driver({"/voice": page}, documents_per_minute=20)
    call.arrive()
    if call.status() != "failed":
        call.answered()
    assert asked(call) == 20
    assert 11215 in codes(call)


def test_an_unanswered_caller_is_refused_and_an_answered_one_hears_why() -> None:
    call = Driver({"/voice": LOOP}, documents_per_minute=5)
    call.arrive()
    assert call.status() == "failed"
    assert call.of(fx.RejectLeg)[0].sip_code == 500
    call = Driver({"/voice": LOOP}, documents_per_minute=5)
    call.create()
    call.dialled()
    assert "error" in call.of(fx.PlayAudio)[0].items[0].text
    call.played()
    assert [effect.reason for effect in call.of(fx.HangUpLeg)] == ["document"]
    call.hangup()
    assert call.status() == "completed"


def test_the_fallback_gets_its_chance_and_may_loop_no_more_either() -> None:
    pages = {"/voice": LOOP, "/fallback": "<Response><Say>sorry</Say></Response>"}
    call = Driver(pages, documents_per_minute=5)
    call.arrive(voice_fallback_url=BASE + "/fallback")
    (facts,) = call.asked("/fallback")
    assert (facts["ErrorCode"], facts["ErrorUrl"]) == ("11215", BASE + "/voice")
    call = Driver({**pages, "/fallback": LOOP}, documents_per_minute=5)
    call.arrive(voice_fallback_url=BASE + "/fallback")
    assert (len(call.asked("/fallback")), asked(call), call.status()) == (1, 9, "failed")


def test_two_documents_that_send_each_other_on() -> None:
    pages = {
        "/voice": "<Response><Redirect>/other</Redirect></Response>",
        "/other": "<Response><Redirect>/voice</Redirect></Response>",
    }
    call = Driver(pages, documents_per_minute=10)
    call.arrive()
    assert (asked(call), len(call.asked("/other")), call.status()) == (5, 5, "failed")


@pytest.mark.parametrize(("verb", "seconds"), [("<Pause length='1'/>", 1.0), ("<Play>/a.wav</Play>", 0.1)])
def test_a_loop_that_takes_time_goes_on_for_ever(verb: str, seconds: float) -> None:
    call = Driver(
        {"/voice": f"<Response>{verb}<Redirect>/voice</Redirect></Response>"}, documents_per_minute=5
    )
    call.arrive()
    call.answered()
    for _ in range(500):
        call.now += seconds
        if call.of(fx.PlayAudio):
            call.played()
        else:  # a pause leaves the caller unanswered
            call.fire([timer.name for timer in call.of(fx.StartTimer) if timer.name.startswith("sleep")][-1])
    assert asked(call) > 499
    assert (call.status(), call.codes()) == ("in-progress", [])


def test_a_gather_that_nobody_answers_goes_on_for_ever() -> None:
    page = "<Response><Gather timeout='1' actionOnEmptyResult='true'/></Response>"
    call = Driver({"/voice": page}, documents_per_minute=5)
    call.arrive()
    call.answered()
    for _ in range(500):
        call.now += 1
        call.fire("gather")
    assert (asked(call), call.codes()) == (501, [])


def test_a_sound_that_cannot_be_played_is_no_time() -> None:
    page = "<Response><Play>/gone.wav</Play><Redirect>/voice</Redirect></Response>"
    call = Driver({"/voice": page}, documents_per_minute=5)
    call.arrive()
    call.answered()
    while not call.of(fx.HangUpLeg) and asked(call) < 50:
        call.now += 0.2
        playing = call.of(fx.PlayAudio)[-1]
        failed = playing.items[0] == fx.Sound(BASE + "/gone.wav")
        call.feed(
            ev.PlaybackEnded(
                call_sid=CALL, playback=playing.playback, seconds=0.0, completed=not failed,
                error_code=13420 if failed else None,
            )
        )  # fmt: skip
    assert asked(call) == 5
    assert 11215 in codes(call)


def test_a_wait_document_that_leaves_at_once_is_no_time_however_slowly_it_comes() -> None:
    page = "<Response><Enqueue action='/voice' waitUrl='/wait'>support</Enqueue></Response>"
    call = Driver({"/voice": page, "/wait": "<Response><Leave/></Response>"}, documents_per_minute=5)
    call.auto_documents = False
    call.arrive()
    for _ in range(60):
        call.now += 0.3
        call.serve(call.of(fx.FetchDocument)[-1])
        if len(call.of(fx.AnswerLeg)) and call.status() == "ringing":
            call.answered()
        if call.of(fx.PlayAudio):
            break
    assert (asked(call), len(call.asked("/wait"))) == (5, 5)
    assert codes(call) == {11215}


def test_few_documents_a_minute_may_go_on_for_ever() -> None:
    call = Driver({"/voice": LOOP}, documents_per_minute=5)
    call.auto_documents = False
    call.arrive()
    for _ in range(100):
        call.now += 15.5
        call.serve(call.of(fx.FetchDocument)[-1])
    assert asked(call) == 101
    assert call.codes() == []
