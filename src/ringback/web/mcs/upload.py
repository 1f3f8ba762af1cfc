"""An upload's body, piece by piece: raw bytes, or the one file of a multipart form (conversations-js.md §6)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any, Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from ringback.kernel.errors import Refused

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
LONGEST_NAME: Final = 255
MOST_PARTS: Final = 20
"""Of a form; only one of them is the file."""


class Upload:
    """``content_type`` and ``filename`` as the request has them, and :meth:`pieces`, which may correct both."""

    def __init__(self, receive: Receive, content_type: str, filename: str = "") -> None:
        self._receive = receive
        kind, options = parse_options_header(content_type)
        self._boundary = options.get(b"boundary", b"") if kind == b"multipart/form-data" else b""
        if kind.startswith(b"multipart/") and not self._boundary:
            raise Refused(20001, "The Content-Type names no boundary of multipart/form-data", 400)
        self._named = bool(filename)
        self.content_type = content_type
        self.filename = shown_name(filename)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The file. Raises ``Refused`` (20001) when the request ends early, or holds no file."""
        if not self._boundary:
            async for piece in self._body():
                yield piece
            return
        form = _Form(self._boundary)
        async for piece in self._body():
            for found in form.feed(piece):
                yield found
        if not form.ended:
            raise Refused(20001, "The form has no end: was all of it sent?", 400)
        if not form.seen:
            raise Refused(20001, "The form has no file", 400)
        self.content_type = form.content_type
        if not self._named:
            self.filename = shown_name(form.filename)

    async def _body(self) -> AsyncIterator[bytes]:
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Refused(20001, "The request ended early", 400)
            if message.get("body"):
                yield message["body"]
            if not message.get("more_body"):
                return


class _Form:
    """Takes the first part with a file name out of a form; what else it holds is passed over."""

    def __init__(self, boundary: bytes) -> None:
        self.seen = self.ended = False
        self.content_type = self.filename = ""
        self._found: list[bytes] = []
        self._field = self._value = b""
        self._headers: dict[bytes, bytes] = {}
        self._parts = 0
        self._wanted = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin, "on_part_data": self._data, "on_header_field": self._name,
                    "on_header_value": self._more, "on_header_end": self._header,
                    "on_headers_finished": self._judge, "on_end": self._end,
                },
            )  # fmt: skip
        except FormParserError as error:
            raise Refused(20001, f"The form cannot be read: {error}", 400) from None

    def feed(self, piece: bytes) -> list[bytes]:
        """Some bytes of the form; gives those of the file. Raises ``Refused``."""
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise Refused(20001, f"The form cannot be read: {error}", 400) from None
        found, self._found = self._found, []
        return found

    def _begin(self) -> None:
        self._parts += 1
        self._headers.clear()
        if self._parts > MOST_PARTS:
            raise Refused(20001, f"The form has more than {MOST_PARTS} parts", 400)

    def _name(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _more(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header(self) -> None:
        self._headers[self._field.lower()] = self._value
        self._field = self._value = b""

    def _judge(self) -> None:
        """All headers of a part are there: is it the file?"""
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        name = options.get(b"filename")
        self._wanted = not self.seen and name is not None
        if self._wanted:
            self.seen = True
            self.filename = (name or b"").decode("utf-8", "replace")
            self.content_type = self._headers.get(b"content-type", b"").decode("latin-1")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._wanted:
            self._found.append(data[start:end])

    def _end(self) -> None:
        self.ended = True


def shown_name(text: str) -> str:
    """A file's name for people: without folders and what cannot be shown; empty: it has none."""
    name = text.replace("\\", "/").rpartition("/")[2]
    return "".join(char for char in name if char.isprintable()).strip()[:LONGEST_NAME]
