"""Messages out of a byte stream (RFC 3261 section 18.3) with limits, and keep-alives (RFC 5626 section 3.5.1)."""

import re

from ringback.sip.message import MAX_BODY_BYTES, MAX_HEADER_BYTES, MalformedMessage

_LENGTH = re.compile(rb"\r\n(?:content-length|l)[ \t]*:\s*([0-9]{1,8})[ \t]*(?=\r\n)", re.IGNORECASE)


class StreamFramer:
    """Feed bytes, take whole messages. A stream that cannot be framed raises MalformedMessage and must be closed."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self.pings = 0
        "Double CRLF keep-alives not yet answered with a CRLF."

    @property
    def partial(self) -> bool:
        """Whether a message has begun whose rest has not come."""
        return bool(bytes(self._buffer[:4]).strip(b"\r\n"))  # a part of a ping is none

    def feed(self, data: bytes) -> list[bytes]:
        """Append bytes and return the complete messages."""
        buffer = self._buffer
        buffer += data
        messages = []
        while buffer:
            self._skip_keepalives()
            end = buffer.find(b"\r\n\r\n", self._searched)
            if end < 0:
                if len(buffer) > MAX_HEADER_BYTES:
                    raise MalformedMessage("stream-headers-too-large")
                self._searched = max(0, len(buffer) - 3)
                break
            if end > MAX_HEADER_BYTES:
                raise MalformedMessage("stream-headers-too-large")
            lengths = {int(found) for found in _LENGTH.findall(buffer[: end + 2])}
            if len(lengths) != 1:
                raise MalformedMessage("stream-content-length")
            size = lengths.pop()
            if size > MAX_BODY_BYTES:
                raise MalformedMessage("stream-body-too-large")
            total = end + 4 + size
            if len(buffer) < total:
                self._searched = end
                break
            messages.append(bytes(buffer[:total]))
            del buffer[:total]
            self._searched = 0
        return messages

    def _skip_keepalives(self) -> None:
        buffer = self._buffer
        while buffer.startswith(b"\r\n"):
            if buffer.startswith(b"\r\n\r\n"):
                self.pings += 1
                del buffer[:4]
            elif len(buffer) < 4 and b"\r\n\r\n".startswith(buffer):
                return  # perhaps the first half of a ping
            else:
                del buffer[:2]
            self._searched = 0
