"""Asks an application's Frontline callbacks (conversations.md §2): signed, within a time, and told to the operator
when they fail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar
from urllib.parse import urldefrag, urlencode

from ringback.effects import Save
from ringback.kernel.errors import Refused
from ringback.resources.api.alert import Alert, explained
from ringback.web.documents import ledger
from ringback.web.webhooks.delivery import Delivery
from ringback.web.webhooks.request import Hook
from ringback.web.webhooks.sender import WebhookSender

T = TypeVar("T")

SECONDS: Final = 5
"""A callback's time; the overrides of its URL do not count (webhooks.md §4)."""
_TIME = f"#ct={SECONDS}000&tt={SECONDS}000"
ANSWER_LIMIT: Final = 1024 * 1024
"""Bytes of an answer."""
NOT_SET, INVALID, BAD_ANSWER, FAILED, LATE = 48001, 48002, 48003, 48004, 48005
_NO_ANSWER: Final = frozenset({11201, 11203})
_FORBIDDEN: Final = 403
_UNKNOWN: Final = 422


class Callbacks:
    """See the module."""

    def __init__(
        self,
        *,
        sender: WebhookSender,
        now: Callable[[], float],
        auth_token: Callable[[str], Awaitable[str]],
        new_sid: Callable[[str], str],
        new_token: Callable[[], str],
        log: Callable[[list[Any]], None],
    ) -> None:
        self._sender, self._now, self._auth_token = sender, now, auth_token
        self._new_sid, self._new_token, self._log = new_sid, new_token, log

    async def ask(
        self,
        url: str,
        params: dict[str, str],
        read: Callable[[bytes], T],
        *,
        account_sid: str,
        worker_sid: str,
    ) -> T:
        """What ``read`` makes of the answer; ``params`` has the ``Location``.

        Raises ``Refused``: 404/48001 when there is no URL, 403 when the application does not allow it, 422/48004 when
        it does not know it, 504/48005 without an answer in time, 502 with 48002 for a URL that cannot be asked, 48003
        for an answer that is not as it should be, 48004 for any other failure.
        """
        location = params["Location"]
        if not url:
            raise Refused(NOT_SET, f"The Frontline service has no callback for {location}", 404)
        form = list(params.items())
        answer = await self._sender.send(
            Hook(
                url=urldefrag(url).url + _TIME, params=form,
                auth_token=await self._auth_token(account_sid), token=self._new_token(), kind="document",
                empty_ok=True, body_limit=ANSWER_LIMIT, account=account_sid,
            )
        )  # fmt: skip
        self._log([*ledger(answer, account_sid, worker_sid, form)])
        refusal = _refusal(answer, location)
        if refusal is None:
            try:
                return read(answer.body)
            except ValueError as error:
                refusal = Refused(
                    BAD_ANSWER, f"The answer to {location} is not as it should be: {error}", 502
                )
        if refusal.status != _FORBIDDEN:
            self._tell(refusal, answer, account_sid, worker_sid, form)
        raise refusal

    def _tell(
        self,
        refusal: Refused,
        answer: Delivery,
        account_sid: str,
        worker_sid: str,
        form: list[tuple[str, str]],
    ) -> None:
        """The debugger's entry."""
        now, last = self._now(), answer.attempts[-1] if answer.attempts else None
        entry = Alert(
            sid=self._new_sid("NO"), account_sid=account_sid, date_created=now, date_updated=now,
            error_code=refusal.code, message_text=refusal.message, message_date=now, resource_sid=worker_sid,
            more_info=explained(refusal.code), request_method="POST",
            request_url=answer.final_url or None, request_variables=urlencode(form),
            response_headers=urlencode(last.response_headers) if last else None,
            response_body=last.body_excerpt if last else None,
        )  # fmt: skip
        self._log([Save(entry)])


def _refusal(answer: Delivery, location: str) -> Refused | None:
    """Why an answer does not count; None: it does."""
    if answer.ok:
        return None
    if answer.status == _FORBIDDEN:
        return Refused(20003, f"The application does not allow {location}", _FORBIDDEN)
    if answer.status == _UNKNOWN:
        return Refused(FAILED, f"The application does not know {location}", _UNKNOWN)
    if answer.error_code == 11100:
        return Refused(INVALID, f"The callback for {location} cannot be asked: {answer.error_text}", 502)
    if answer.error_code == 11750:
        return Refused(BAD_ANSWER, f"The answer to {location} is larger than {ANSWER_LIMIT} bytes", 502)
    if answer.error_code in _NO_ANSWER:
        return Refused(LATE, f"The application did not answer {location} within {SECONDS} seconds", 504)
    return Refused(FAILED, f"The callback for {location} failed: {answer.error_text}", 502)
