"""Announcements into conferences: one request, its document as sounds, played to everybody or to one."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ringback.effects import AudioItem, Effect, FetchDocument, Post, Save, Silence, Sound, Speech
from ringback.events import DocumentFetched
from ringback.events.conferences import ParticipantTold
from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.voice import urls
from ringback.voice.alerts import alert
from ringback.voice.conference.room import Asked, Room
from ringback.voice.steps import Source
from ringback.voice.twiml import Element, TwimlError, is_audio, read
from ringback.voice.verb import read_attributes
from ringback.voice.verbs import collect

HOPS: Final = 10
"""Redirections of one announcement."""
ITEMS: Final = 200
"""Sounds of one announcement, loops counted."""
PENDING: Final = 20
"""Announcements of one conference whose document is being fetched."""
SPOKEN: Final = 4096
_VERBS: Final = frozenset({"Play", "Say", "Pause", "Redirect"})


def ask(room: Room, url: str, method: str, to: str | None) -> list[Effect]:
    """Fetch what is to be played; raises :class:`Refused` when too many are under way."""
    if len(room.announcing) >= PENDING:
        raise Refused(20429, f"{PENDING} announcements are under way in this conference", 429)
    return _fetch(room, url, method, url, to, 0)


def _fetch(room: Room, url: str, method: str, announce_url: str, to: str | None, hops: int) -> list[Effect]:
    room.announced += 1
    name = f"announce{room.announced}"
    record = room.record
    params = [
        ("ConferenceSid", record.sid),
        ("FriendlyName", record.friendly_name),
        ("AccountSid", record.account_sid),
    ]
    if to is not None:
        params.append(("CallSid", to))
    request = FetchDocument(
        lane=Lane("conference", record.sid), account_sid=record.account_sid, request=name, url=url, method=method,
        params=params,
    )  # fmt: skip
    room.announcing[name] = Asked(announce_url, request, to, hops)
    return [request]


def fetched(room: Room, event: DocumentFetched, now: float) -> list[Effect]:
    """The document is there, or will never be."""
    asked = room.announcing.pop(event.request, None)
    if asked is None:
        return []
    warned: list[tuple[int, str]] = []
    try:
        items, following = _read(event, warned)
    except TwimlError as error:
        return _failed(room, asked, event, error.code, error.text, now)
    effects = [_alert(room, asked, event, code, text, now) for code, text in warned]
    if items or following is None:
        effects += _play(room, asked, items, now)
    if following is not None and following.url:
        if asked.hops >= HOPS:
            return effects + _failed(room, asked, event, 11215, f"More than {HOPS} redirections", now)
        effects += _fetch(room, following.url, following.method, asked.announce_url, asked.to, asked.hops + 1)
    return effects


def _play(room: Room, asked: Asked, items: list[AudioItem], now: float) -> list[Effect]:
    targets = [sid for sid in room.seats if asked.to in (None, sid)]
    if not items or not targets:
        return room.tell("announcement-end", now, None, [("AnnounceUrl", asked.announce_url)])
    return [
        Post(
            ParticipantTold(
                call_sid=sid, conference_sid=room.sid, change="sound", sounds=tuple(items),
                announcement=asked.announce_url, reports=sid == targets[0],
            )
        )
        for sid in targets
    ]  # fmt: skip


def _failed(
    room: Room, asked: Asked, event: DocumentFetched, code: int, text: str, now: float
) -> list[Effect]:
    facts = [("AnnounceUrl", asked.announce_url), ("ReasonAnnouncementFailed", f"{code} {text}"[:500])]
    return [
        _alert(room, asked, event, code, text, now),
        *room.tell("announcement-fail", now, None, facts),
    ]


def _alert(room: Room, asked: Asked, event: DocumentFetched, code: int, text: str, now: float) -> Effect:
    saved = alert(
        room.make.new_sid, now, account_sid=room.record.account_sid, call_sid="", code=code,
        text=text, request=asked.request, answer=event, resource_sid=room.sid,
    )  # fmt: skip
    return Save(replace(saved.record, call_sid=None))


def _read(event: DocumentFetched, warned: list[tuple[int, str]]) -> tuple[list[AudioItem], Source | None]:
    """The sounds of a document, and the document that it redirects to; raises :class:`TwimlError`."""
    if event.error_code is not None:
        raise TwimlError(event.error_code, event.error_text or "The application could not be asked")
    if is_audio(event.content_type):
        return [Sound(event.url)], None

    def warn(code: int, text: str) -> None:
        warned.append((code, text))

    items: list[AudioItem] = []
    for element in read(event.body, event.content_type):
        if element.tag not in _VERBS:
            warn(13238, f"{element.place}: <{element.tag[:60]}> may not stand in an announcement")
            continue
        values = read_attributes(element, collect()[element.tag].attributes, warn)
        try:
            if element.tag == "Redirect":
                target = urls.resolve(event.url, element.text or event.url)
                return items, Source(url=target, method=values["method"])
            item = _item(element, values, event.url, warn)
        except Refused as refusal:
            warn(refusal.code, refusal.message)
            continue
        if item is not None:
            items += [item] * max(1, values.get("loop") or 1)
            del items[ITEMS:]
    return items, None


def _item(element: Element, values: dict[str, object], base: str, warn: object) -> AudioItem | None:
    assert callable(warn)
    if element.tag == "Pause":
        return Silence(float(str(values["length"])))
    if element.tag == "Play":
        if not element.text:
            warn(13420, f"{element.place}: <Play> has no URL")
            return None
        return Sound(urls.resolve(base, element.text))
    ssml = bool(element.children)
    words = element.inner if ssml else element.text
    if not words:
        warn(13520, f"{element.place}: <Say> has no text")
        return None
    if len(words) > SPOKEN:
        warn(13521, f"{element.place}: only the first {SPOKEN} characters are said")
        words, ssml = element.text[:SPOKEN], False
    return Speech(words, str(values["voice"] or ""), str(values["language"]), ssml)
