"""TwiML documents of the wait experience, as text (twiml.md §2, §3)."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode
from xml.sax.saxutils import escape, quoteattr

from ringback.callbacks.options import Options
from ringback.callbacks.texts import language_of, text


class Page:
    """One document under construction; ``state`` is what travels in the query of every URL of it."""

    def __init__(self, options: Options, state: Mapping[str, str]) -> None:
        self._options = options
        self._state = {name: value for name, value in state.items() if value}
        self._language = language_of(state.get("language", ""), options)
        self._parts: list[str] = []

    def url(self, mode: str, **more: str) -> str:
        """Of a mode, with the state; a value that is empty is left out (never ``undefined``)."""
        query = {"mode": mode, **self._state, **{name: value for name, value in more.items() if value}}
        return f"{self._options.wait_url}?{urlencode(query)}"

    def say(self, name: str) -> Page:
        """Speak a text by its name."""
        return self.spoken(text(name, self._language, self._options))

    def spoken(self, words: str, digits: str = "") -> Page:
        """Speak, with digits read one by one after the words."""
        voice = f" voice={quoteattr(self._options.voice)}" if self._options.voice else ""
        number = ""
        if digits:
            number = f' <say-as interpret-as="telephone">{escape(digits)}</say-as>'
        self._parts.append(f"<Say{voice} language={quoteattr(self._language)}>{escape(words)}{number}</Say>")
        return self

    def music(self) -> Page:
        """The hold music."""
        self._parts.append(f"<Play>{escape(self._options.music)}</Play>")
        return self

    def gather(self, inside: Page | None, **attributes: str) -> Page:
        """Collect keys while the other page's parts are heard."""
        written = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
        self._parts.append(f"<Gather{written}>{inside.inner if inside is not None else ''}</Gather>")
        return self

    def record(self, **attributes: str) -> Page:
        """Record a message."""
        written = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
        self._parts.append(f"<Record{written}/>")
        return self

    def redirect(self, mode: str, **more: str) -> Page:
        """Go on elsewhere."""
        self._parts.append(f"<Redirect>{escape(self.url(mode, **more))}</Redirect>")
        return self

    def hang_up(self) -> Page:
        """End the call."""
        self._parts.append("<Hangup/>")
        return self

    def blank(self, **more: str) -> Page:
        """Another page with the same state, or more of it."""
        return Page(self._options, {**self._state, **more})

    @property
    def inner(self) -> str:
        """The parts alone."""
        return "".join(self._parts)

    @property
    def document(self) -> str:
        """The whole document."""
        return f'<?xml version="1.0" encoding="UTF-8"?><Response>{self.inner}</Response>'
