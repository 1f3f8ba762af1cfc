"""The wait loop: what it plays, asks for, paces, and for which reasons it ends (twiml.md §1.2, §6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from driver import BASE, CALL, Driver

from ringback import effects as fx
from ringback import events as ev
from ringback.kernel.lane import Lane
from ringback.voice import wait
from ringback.voice.call.session import Session
from ringback.voice.steps import Source

VERBS = frozenset({"Play", "Say", "Pause", "Hangup", "Redirect", "Leave", "Gather"})
MUSIC = (fx.Tone("hold-music"),)


class Waiting:
    """A live call whose document is replaced by one wait loop."""

    def __init__(self, *, verbs: frozenset[str] = VERBS, **pages: str | int) -> None:
        self.call = Driver(
            {f"/{name}": page for name, page in pages.items()}
            | {"/voice": "<Response><Pause length='999'/></Response>"}
        )
        self.call.arrive()
        self.call.answered()
        self.session: Session = self.call.board._sessions[CALL]
        self.rounds = 0
        self.verbs = verbs
        self.left: Any = None

    def facts(self) -> list[tuple[str, str]]:
        self.rounds += 1
        return [("Round", str(self.rounds))]

    def start(self, source: Source | None, default: tuple[fx.AudioItem, ...] = MUSIC) -> Waiting:
        self.run(
            lambda: wait.loop(self.session, source, self.facts, verbs=self.verbs, code=13238, default=default)
        )
        return self

    def run(self, steps: Callable[[], Any]) -> None:
        def whole() -> Any:
            self.left = yield from steps()
            while True:
                yield

        self.session.out.clear()
        self.call.effects.clear()
        self.session._steps = whole()
        next(self.session._steps)
        self.flush()

    def flush(self) -> None:
        out, self.session.out = self.session.out, []
        self.call.effects += out
        for effect in out:
            self.call._perform(effect)

    def second(self) -> None:
        """The last timer's time passes."""
        self.call.now += 1
        self.call.fire(self.call.of(fx.StartTimer)[-1].name)

    def said(self) -> list[str]:
        return [getattr(item, "text", "") for one in self.call.of(fx.PlayAudio) for item in one.items]


def document(*verbs: str) -> str:
    return f"<Response>{''.join(verbs)}</Response>"


def test_without_a_source_the_default_is_played_for_ever_and_again_when_it_fails() -> None:
    it = Waiting().start(None)
    assert [(one.items, one.loop) for one in it.call.of(fx.PlayAudio)] == [(MUSIC, 0)]
    it.call.played()
    it.second()
    assert len(it.call.of(fx.PlayAudio)) == 2
    assert it.left is None


def test_an_empty_url_is_silence() -> None:
    it = Waiting().start(Source(url=""))
    it.call.press("12")
    assert it.call.of(fx.PlayAudio) == it.call.of(fx.FetchDocument) == it.call.of(fx.StartTimer) == []


def test_a_document_is_asked_for_again_with_fresh_facts_and_no_pause_when_it_took_time() -> None:
    it = Waiting(wait=document("<Say>please wait</Say>")).start(Source(url=BASE + "/wait"))
    for _ in range(3):
        it.call.now += 2
        it.call.played()
    assert [one["Round"] for one in it.call.asked("/wait")] == ["1", "2", "3", "4"]
    assert it.call.of(fx.StartTimer) == []


@pytest.mark.parametrize("page", ["<Response/>", document("<Play/>"), document("<Say/>", "<Dial/>")])
def test_a_document_that_takes_no_time_is_asked_for_ever_more_rarely(page: str) -> None:
    it = Waiting(wait=page).start(Source(url=BASE + "/wait"))
    assert len(it.call.asked("/wait")) == 1
    for count in range(2, 8):
        it.second()
        assert len(it.call.asked("/wait")) == count
    assert [one.seconds for one in it.call.of(fx.StartTimer)] == [1, 2, 4, 8, 8, 8, 8]
    assert it.left is None
    it.call.pages["/wait"] = document("<Say>please wait</Say>")
    it.second()
    it.call.now += 2
    it.call.played()
    it.call.pages["/wait"] = page
    it.call.now += 2
    it.call.played()
    assert it.call.of(fx.StartTimer)[-1].seconds == 1  # once it has taken time, as at first


@pytest.mark.parametrize("page", ["", "  "])
def test_an_empty_answer_is_silence_until_the_call_is_redirected_or_it_is_an_error(page: str) -> None:
    it = Waiting(wait=page).start(Source(url=BASE + "/wait"))
    assert (it.left, it.call.codes()) == (None, [])
    assert [one.seconds for one in it.call.of(fx.StartTimer)] == [wait.GRACE]
    it.second()
    assert (it.left, it.call.codes()) == (wait.Left("error"), [11770])
    assert len(it.call.asked("/wait")) == 1


@pytest.mark.parametrize("verbs", [["<Dial>+15551230009</Dial>"], ["<Record/>", "<Frob/>"]])
def test_a_document_with_no_verb_that_may_stand_there_ends_it(verbs: list[str]) -> None:
    it = Waiting(wait=document(*verbs)).start(Source(url=BASE + "/wait"))
    assert it.left == wait.Left("error")
    assert it.call.codes() == [13238] * len(verbs)


@pytest.mark.parametrize(("seconds", "left"), [(0.0, wait.Left("error")), (3.0, None)])
def test_a_sound_that_cannot_be_played_at_all_ends_it(seconds: float, left: wait.Left | None) -> None:
    it = Waiting()
    it.call.auto_documents = False
    it.start(Source(url=BASE + "/music.wav"))
    serve_sound(it)
    playback = it.call.of(fx.PlayAudio)[-1].playback
    it.call.feed(
        ev.PlaybackEnded(
            call_sid=CALL,
            playback=playback,
            seconds=seconds,
            completed=False,
            error_code=12400,
            error_text="x",
        )
    )
    assert (it.left, it.call.codes()) == (left, [12400])


def test_other_verbs_are_skipped_with_the_given_warning_and_the_rest_runs() -> None:
    it = Waiting(wait=document("<Record/>", "<Frob/>", "<Say>still here</Say>")).start(
        Source(url=BASE + "/wait")
    )
    assert it.call.codes() == [13238, 13238]
    assert it.said() == ["still here"]


def test_a_chain_of_redirections_comes_back_to_the_first_document() -> None:
    it = Waiting(
        a=document("<Redirect>/b</Redirect>"),
        b=document("<Redirect>/c</Redirect>"),
        c=document("<Say>c</Say>"),
    ).start(Source(url=BASE + "/a"))
    it.call.now += 5
    it.call.played()
    paths = [one.url.removeprefix(BASE) for one in it.call.of(fx.FetchDocument)]
    assert paths == ["/a", "/b", "/c", "/a", "/b", "/c"]


def test_a_document_that_redirects_to_itself_does_not_spin() -> None:
    it = Waiting(a=document("<Redirect>/b</Redirect>"), b=document("<Redirect>/a</Redirect>"))
    it.start(Source(url=BASE + "/a"))
    assert len(it.call.of(fx.FetchDocument)) == 2
    it.second()
    assert len(it.call.of(fx.FetchDocument)) == 4


def test_keys_of_a_gather_go_to_its_action_and_back() -> None:
    it = Waiting(
        wait=document("<Gather numDigits='1' action='/key'><Say>press</Say></Gather>"),
        key=document("<Say>thanks</Say>"),
    ).start(Source(url=BASE + "/wait"))
    it.call.now += 3
    it.call.press("7")
    assert it.call.asked("/key")[0]["Digits"] == "7"
    it.call.now += 3
    it.call.played()
    assert len(it.call.asked("/wait")) == 2


@pytest.mark.parametrize(("verb", "why"), [("Leave", "leave"), ("Hangup", "hangup")])
def test_leave_and_hangup_end_it(verb: str, why: str) -> None:
    it = Waiting(wait=document(f"<{verb}/>", "<Say>never</Say>")).start(Source(url=BASE + "/wait"))
    assert it.left == wait.Left(why)  # type: ignore[arg-type]
    assert it.said() == []


def test_leave_is_skipped_where_it_is_not_allowed() -> None:
    it = Waiting(verbs=frozenset({"Say"}), wait=document("<Leave/>", "<Say>on hold</Say>"))
    it.start(Source(url=BASE + "/wait"))
    assert (it.left, it.call.codes(), it.said()) == (None, [13238], ["on hold"])


@pytest.mark.parametrize(
    ("page", "code"),
    [
        ("<Nope/>", 12102),
        ("<Response>", 12100),
        (404, 11200),
        (document("<Redirect>gopher://x</Redirect>"), 11100),
    ],
)
def test_a_bad_document_ends_it_with_its_warning(page: str | int, code: int) -> None:
    it = Waiting(wait=page).start(Source(url=BASE + "/wait"))
    assert it.left == wait.Left("error")
    assert it.call.codes() == [code]


def test_the_running_document_is_put_back_as_the_base_of_relative_urls() -> None:
    it = Waiting(wait=document("<Leave/>"))
    before = (it.session.base, it.session.asked)
    it.start(Source(url=BASE + "/wait"))
    assert (it.session.base, it.session.asked) == before


def test_a_sound_is_looped_in_the_loop_and_played_once_by_once() -> None:
    it = Waiting()
    it.call.auto_documents = False
    it.start(Source(url=BASE + "/music.wav"))
    serve_sound(it)
    assert [(one.items, one.loop) for one in it.call.of(fx.PlayAudio)] == [
        ((fx.Sound(BASE + "/music.wav"),), 0)
    ]
    it.run(lambda: wait.once(it.session, Source(url=BASE + "/hello.wav"), it.facts, verbs=VERBS, code=13238))
    serve_sound(it)
    assert it.call.of(fx.PlayAudio)[-1].loop == 1
    it.left = "unset"
    it.call.played()
    assert it.left is None


def serve_sound(it: Waiting) -> None:
    asked = it.call.of(fx.FetchDocument)[-1]
    it.call.feed(
        ev.DocumentFetched(
            lane=Lane("call", CALL),
            request=asked.request,
            url=asked.url,
            status=200,
            content_type="audio/x-wav",
        )
    )


def test_once_gives_up_a_chain_without_end() -> None:
    it = Waiting(a=document("<Redirect>/a</Redirect>"))
    it.run(lambda: wait.once(it.session, Source(url=BASE + "/a"), it.facts, verbs=VERBS, code=13238))
    assert it.left == wait.Left("error")
    assert len(it.call.asked("/a")) == wait.HOPS
    assert it.call.codes() == [11215]


def test_until_cuts_the_loop_off_and_stops_its_sound() -> None:
    it = Waiting()
    star = lambda event: isinstance(event, ev.DigitPressed) and event.digit == "*"  # noqa: E731
    it.run(
        lambda: wait.until(
            wait.loop(it.session, None, it.facts, verbs=VERBS, code=13238, default=MUSIC), star
        )
    )
    it.call.press("1")
    assert it.left is None
    it.call.press("*")
    assert isinstance(it.left, ev.DigitPressed)
    assert [one.playback for one in it.call.of(fx.StopAudio)] == [it.call.of(fx.PlayAudio)[0].playback]


def test_until_passes_a_hang_up_on() -> None:
    it = Waiting()
    it.run(
        lambda: wait.until(
            wait.loop(it.session, None, it.facts, verbs=VERBS, code=13238, default=MUSIC), lambda event: False
        )
    )
    it.call.hangup()
    assert len(it.call.of(fx.StopAudio)) == 1
    assert it.call.status() == "completed"
