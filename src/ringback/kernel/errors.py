"""The three kinds of errors (house.md): this module has the first, the caller's mistake."""

from __future__ import annotations


class Refused(Exception):
    """A caller's mistake, shown as a REST error envelope or a TwiML warning (errors.md §1, §2).

    ``code`` is a number of errors.md, ``status`` the HTTP status of the REST answer.
    """

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
