"""``<Echo>`` (twiml.md §2)."""

from __future__ import annotations

from driver import CALL, Driver

from ringback import effects as fx


def echoes(call: Driver) -> list[bool]:
    """What was ordered."""
    return [effect.on for effect in call.of(fx.EchoLeg)]


def test_the_caller_is_answered_and_hears_themselves_until_they_hang_up() -> None:
    call = Driver({"/voice": "<Response><Echo/><Say>never</Say></Response>"})
    call.arrive()
    assert call.of(fx.AnswerLeg)
    call.answered()
    assert echoes(call) == [True]
    call.press("12#")
    assert not call.of(fx.PlayAudio)
    call.hangup()
    assert echoes(call) == [True, False]
    assert (call.status(), call.codes()) == ("completed", [])


def test_a_redirection_by_rest_ends_it() -> None:
    call = Driver({"/voice": "<Response><Echo loop='3'/></Response>"})
    call.arrive()
    call.answered()
    call.update(CALL, Twiml="<Response><Say>Enough</Say></Response>")
    assert echoes(call) == [True, False]
    assert call.of(fx.PlayAudio)
    assert call.codes() == [12200], "it has no attributes"
