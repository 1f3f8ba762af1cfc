"""The tables, their timers, and matching."""

import pytest
from tests.sip.torture import message

from ringback.sip.dialog import Dialog, Repeats
from ringback.sip.message import Request, Response, parse_message, respond
from ringback.sip.timer import TimerQueue
from ringback.sip.transaction import (
    CLIENT_INVITE,
    CLIENT_OTHER,
    SERVER_INVITE,
    SERVER_OTHER,
    Do,
    Event,
    State,
    Transaction,
    canceled_key,
    server_key,
)


def request(start: str, **parts: str) -> Request:
    read = parse_message(message(start, **parts))
    assert isinstance(read, Request)
    return read


def run(transaction: Transaction, until: float) -> list[tuple[float, tuple[Do, ...]]]:
    """Expire timers in order until the time given."""
    done = []
    while transaction.deadline is not None and transaction.deadline <= until:
        at = transaction.deadline
        done.append((at, transaction.expire(at)))
    return done


def test_unanswered_invite_is_sent_seven_times_and_times_out() -> None:
    transaction = Transaction(CLIENT_INVITE, "k", reliable=False, now=0.0)
    steps = run(transaction, 100)
    assert [at for at, do in steps if do == (Do.SEND,)] == [0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert steps[-1] == (32.0, (Do.TIMEOUT, Do.DONE))


def test_unanswered_bye_is_capped_at_t2() -> None:
    transaction = Transaction(CLIENT_OTHER, "k", reliable=False, now=0.0)
    steps = run(transaction, 100)
    assert [at for at, do in steps if Do.SEND in do] == [
        0.5,
        1.5,
        3.5,
        7.5,
        11.5,
        15.5,
        19.5,
        23.5,
        27.5,
        31.5,
    ]
    assert steps[-1] == (32.0, (Do.TIMEOUT, Do.DONE))


@pytest.mark.parametrize("table", [CLIENT_INVITE, CLIENT_OTHER])
def test_nothing_is_repeated_on_a_stream(table: object) -> None:
    transaction = Transaction(table, "k", reliable=True, now=0.0)  # type: ignore[arg-type]
    assert run(transaction, 100) == [(32.0, (Do.TIMEOUT, Do.DONE))]


def test_refused_invite_is_acked_each_time_but_told_once() -> None:
    transaction = Transaction(CLIENT_INVITE, "k", reliable=False, now=0.0)
    assert transaction.fire(Event.R1XX, 0.1) == (Do.DELIVER,)
    assert transaction.fire(Event.R3XX, 0.2) == (Do.ACK, Do.DELIVER)
    assert transaction.fire(Event.R3XX, 0.7) == (Do.ACK,)
    assert transaction.fire(Event.R2XX, 0.8) == ()
    assert run(transaction, 100) == [(32.2, (Do.DONE,))]


def test_repeated_2xx_reaches_the_user_for_its_ack() -> None:
    transaction = Transaction(CLIENT_INVITE, "k", reliable=False, now=0.0)
    assert transaction.fire(Event.R2XX, 0.1) == (Do.DELIVER,)
    assert transaction.fire(Event.R2XX, 0.6) == (Do.DELIVER,)
    assert run(transaction, 100) == [(32.1, (Do.DONE,))]


def test_server_refusal_is_repeated_until_ack() -> None:
    transaction = Transaction(SERVER_INVITE, "k", reliable=False, now=0.0)
    assert transaction.fire(Event.R3XX, 0.0) == (Do.SEND,)
    assert [at for at, _ in run(transaction, 4.0)] == [0.5, 1.5, 3.5]
    assert transaction.fire(Event.ACK, 4.0) == ()
    assert transaction.fire(Event.REQUEST, 4.1) == ()
    assert run(transaction, 100) == [(9.0, (Do.DONE,))]


def test_server_refusal_without_ack_gives_up() -> None:
    transaction = Transaction(SERVER_INVITE, "k", reliable=False, now=0.0)
    transaction.fire(Event.R3XX, 0.0)
    assert run(transaction, 100)[-1] == (32.0, (Do.TIMEOUT, Do.DONE))


def test_server_success_absorbs_repeated_invites_and_delivers_acks() -> None:
    transaction = Transaction(SERVER_INVITE, "k", reliable=False, now=0.0)
    transaction.fire(Event.R2XX, 0.0)
    assert transaction.fire(Event.REQUEST, 0.5) == ()
    assert transaction.fire(Event.ACK, 0.6) == (Do.DELIVER,)
    assert transaction.state is State.ACCEPTED


def test_repeated_bye_gets_the_same_answer_and_never_the_user() -> None:
    transaction = Transaction(SERVER_OTHER, "k", reliable=False, now=0.0)
    assert transaction.fire(Event.REQUEST, 0.0) == ()
    assert transaction.fire(Event.R2XX, 0.0) == (Do.SEND,)
    for at in (0.5, 1.5, 31.0):
        assert transaction.fire(Event.REQUEST, at) == (Do.SEND,)
    assert run(transaction, 100) == [(32.0, (Do.DONE,))]


def test_zero_timers_end_at_once_on_streams() -> None:
    transaction = Transaction(SERVER_OTHER, "k", reliable=True, now=0.0)
    assert transaction.fire(Event.R2XX, 0.0) == (Do.SEND, Do.DONE)
    assert transaction.state is State.TERMINATED


def test_every_table_can_end() -> None:
    for table in (CLIENT_INVITE, CLIENT_OTHER, SERVER_INVITE, SERVER_OTHER):
        states = {state for state, _ in table}
        for row in table.values():
            assert row.state is State.TERMINATED or row.state in states
            assert (Do.DONE in row.do) == (row.state is State.TERMINATED)


def test_ack_and_cancel_find_their_invite() -> None:
    invite = request("INVITE sip:user@example.com SIP/2.0")
    ack = request(
        "ACK sip:user@example.com SIP/2.0", cseq="CSeq: 8 ACK", to="To: <sip:user@example.com>;tag=1"
    )
    cancel = request("CANCEL sip:user@example.com SIP/2.0", cseq="CSeq: 8 CANCEL")
    assert server_key(ack) == server_key(invite) == canceled_key(cancel)
    assert server_key(cancel) != server_key(invite)
    old = {"via": "Via: SIP/2.0/UDP gw.example.com"}
    invite = request("INVITE sip:user@example.com SIP/2.0", **old)
    ack = request("ACK sip:user@example.com SIP/2.0", cseq="CSeq: 8 ACK", to="To: <sip:u@e.com>;tag=1", **old)
    other = request("INVITE sip:user@example.com SIP/2.0", id="Call-ID: other", **old)
    assert server_key(ack) == server_key(invite) != server_key(other)


def test_dialog_of_both_sides() -> None:
    invite = request("INVITE sip:user@example.com SIP/2.0")
    invite.headers.add("Record-Route", "<sip:p1.example.com;lr>, <sip:p2.example.com;lr>")
    ok = respond(invite, 200, to_tag="uas")
    ok.headers.set("Contact", "<sip:user@192.0.2.9>")
    ok.headers.set_all("Record-Route", invite.headers.all("record-route"))
    answer = parse_message(ok.to_bytes())
    assert isinstance(answer, Response)
    uas, uac = Dialog.from_request(invite, "uas"), Dialog.from_response(invite, answer)
    assert uas.routes == ["<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>"]
    assert uac.routes == uas.routes[::-1]
    bye = uac.request("BYE")
    assert (bye.target, bye.headers.get("cseq")) == ("sip:user@192.0.2.9", "9 BYE")
    assert uas.accepts(bye)
    assert not uas.accepts(bye)
    assert uas.request("BYE").headers.get("to") == "<sip:caller@example.net>;tag=34525"
    uac.routes = ["<sip:strict.example.com>"]
    strict = uac.request("BYE")
    assert strict.target == "sip:strict.example.com"
    assert strict.headers.all("route") == ["<sip:user@192.0.2.9>"]


def test_repeats_of_a_2xx_end_after_64_t1() -> None:
    repeats, now, times = Repeats(0.0), 0.0, []
    while (following := repeats.next_at(now)) is not None:
        now = following
        times.append(now)
    assert times[:5] == [0.5, 1.5, 3.5, 7.5, 11.5]
    assert times[-1] == 32.0


def test_timer_queue_skips_what_was_cancelled() -> None:
    queue, seen = TimerQueue(), []
    queue.at(2.0, lambda: seen.append("b"))
    queue.at(1.0, lambda: seen.append("a")).cancel()
    queue.at(3.0, lambda: seen.append("c"))
    assert queue.next_at() == 2.0
    for action in queue.due(2.5):
        action()
    assert seen == ["b"]
    assert queue.next_at() == 3.0
