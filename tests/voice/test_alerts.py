"""Debugger entries: they carry the request, its answer, and the place in the document (voice-calls.md §12)."""

from __future__ import annotations

from urllib.parse import parse_qs

from driver import BASE, CALL, Driver

from ringback import effects as fx
from ringback import events as ev
from ringback.kernel.lane import Lane
from ringback.voice.alerts import shown_url

SAY = "<Response><Say>hello</Say></Response>"


def test_a_failed_request_is_kept_with_its_answer() -> None:
    call = Driver()
    call.auto_documents = False
    call.arrive()
    asked = call.of(fx.FetchDocument)[0]
    call.feed(
        ev.DocumentFetched(
            lane=Lane("call", CALL), request=asked.request, url=asked.url, status=503, error_code=11200,
            error_text="The application refused", headers=(("content-type", "text/plain"), ("server", "a b")),
            excerpt="try later",
        )
    )  # fmt: skip
    entry = call.alerts[0]
    assert (entry.error_code, entry.log, entry.call_sid) == (11200, 0, CALL)
    assert (entry.request_url, entry.request_method) == (BASE + "/voice", "POST")
    sent = parse_qs(entry.request_variables or "")
    assert (sent["CallSid"], sent["CallStatus"], sent["From"]) == ([CALL], ["ringing"], ["+15551230001"])
    assert entry.response_headers == "content-type=text%2Fplain&server=a+b"
    assert entry.response_body == "try later"
    assert "HTTP 503" in entry.message_text


def test_a_document_that_cannot_be_read_is_kept() -> None:
    call = Driver({"/voice": "<Response><Say>oops</Response>" + " " * 5000})
    call.arrive()
    entry = call.alerts[0]
    assert entry.error_code == 12100
    assert (entry.response_body or "").startswith("<Response><Say>oops")
    assert len(entry.response_body or "") == 2000


def test_a_warning_names_line_and_column() -> None:
    call = Driver({"/voice": "<Response>\n  <say>no</say>\n  <Say colour='red'>yes</Say>\n</Response>"})
    call.arrive()
    call.answered()
    assert [one.message_text.partition(". ")[2].partition(":")[0] for one in call.alerts] == [
        "line 2, column 3",
        "line 3, column 3",
    ]
    assert {one.request_url for one in call.alerts} == {BASE + "/voice"}
    assert all(one.response_body is None for one in call.alerts)


def test_inline_documents_have_no_request() -> None:
    call = Driver()
    call.create(Url=None, Twiml="<Response><say/></Response>")
    call.dialled()
    assert (call.alerts[0].request_url, call.alerts[0].request_variables) == (None, None)


def test_credentials_and_overrides_are_not_shown() -> None:
    assert shown_url("https://user:secret@app.test:8/v?a=1#rc=3") == "https://app.test:8/v?a=1"
    assert shown_url("http://[bad") == ""
