"""Parts of long messages in the store, on both databases: whole, twice, over a restart, given up."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from ringback.effects import Save
from ringback.kernel.errors import Refused
from ringback.resources.api.message import Message
from ringback.resources.api.text_part import TextPart
from ringback.smpp.parts import Place
from ringback.store import Store
from ringback.web import text_parts
from ringback.web.text_parts import KEPT, PATIENCE, TextParts, Whole

AC = "AC" + "1" * 32
CHANNEL = "smpp:acme"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def parts(store: Store, clock: Callable[[], float]) -> TextParts:
    count = itertools.count(1)
    return TextParts(store, AC, lambda prefix: f"{prefix}{next(count):032x}", clock)


async def keep(kept: TextParts, number: int, octets: bytes, total: int = 3, reference: str = "8:7") -> object:
    place = Place(reference, total, number)
    return await kept.keep(CHANNEL, "+15551230001", "+15550100", place, octets, 0)


async def test_a_message_is_whole_with_its_last_part_whatever_the_order(store: Store) -> None:
    kept = parts(store, Clock())
    assert await keep(kept, 3, b"c") == (None, None)
    assert await keep(kept, 1, b"a") == (None, None)
    assert await keep(kept, 1, b"a") == (None, None)
    whole, _ = await keep(kept, 2, b"b")  # type: ignore[misc]
    assert whole.parts == ((b"a", 0), (b"b", 0), (b"c", 0))
    assert (whole.from_, whole.to) == ("+15551230001", "+15550100")


async def test_parts_outlive_the_process_and_the_id_is_the_same(store: Store) -> None:
    await keep(parts(store, Clock()), 1, b"a", total=2)
    later = TextParts(store, AC, lambda prefix: prefix + "f" * 32, Clock())
    whole, _ = await keep(later, 2, b"b", total=2)  # type: ignore[misc]
    assert await later.stuck(CHANNEL) == [whole]  # killed before it was handed on
    again, _ = await keep(later, 2, b"b", total=2)  # type: ignore[misc]
    assert again == whole  # the carrier delivers the part again that was not acknowledged
    await later.done(whole.key)
    assert await later.stuck(CHANNEL) == []
    assert await keep(later, 2, b"b", total=2) == (None, None)  # and again: it is known


async def test_the_same_reference_with_other_words_is_another_message(store: Store) -> None:
    kept = parts(store, Clock())
    await keep(kept, 1, b"a", total=2)
    whole, given_up = await keep(kept, 1, b"x", total=2)  # type: ignore[misc]
    assert whole is None
    assert (given_up.missing, given_up.total) == ((2,), 2)
    whole, given_up = await keep(kept, 2, b"y", total=2)  # type: ignore[misc]
    assert (whole.parts, given_up) == (((b"x", 0), (b"y", 0)), None)
    await kept.done(whole.key)
    assert await keep(kept, 1, b"n", total=2) == (None, None)  # a new one; nothing was given up
    next_whole, _ = await keep(kept, 2, b"m", total=2)  # type: ignore[misc]
    assert isinstance(next_whole, Whole)
    assert next_whole.carrier_id != whole.carrier_id


async def test_the_same_words_long_after_are_another_message(store: Store) -> None:
    clock = Clock()
    kept = parts(store, clock)
    await keep(kept, 1, b"a", total=2)
    whole, _ = await keep(kept, 2, b"b", total=2)  # type: ignore[misc]
    await kept.done(whole.key)
    clock.now += KEPT + 1
    await keep(kept, 1, b"a", total=2)
    later, _ = await keep(kept, 2, b"b", total=2)  # type: ignore[misc]
    assert later.carrier_id != whole.carrier_id


async def test_what_never_becomes_whole_is_given_up(store: Store) -> None:
    clock = Clock()
    kept = parts(store, clock)
    await keep(kept, 2, b"b")
    clock.now += PATIENCE - 1
    assert await kept.expire(CHANNEL) == []
    clock.now += 2
    (one,) = await kept.expire(CHANNEL)
    assert (one.from_, one.to, one.missing, one.total) == ("+15551230001", "+15550100", (1, 3), 3)
    assert await store.find(TextPart) == []
    assert await kept.expire(CHANNEL) == []


async def test_references_and_totals_are_kept_apart(store: Store) -> None:
    kept = parts(store, Clock())
    await keep(kept, 1, b"a", total=2)
    assert await keep(kept, 2, b"b", total=2, reference="16:7") == (None, None)
    assert await keep(kept, 2, b"b", total=3) == (None, None)


async def test_too_many_are_refused_for_now(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_parts, "MOST", 3)
    kept = parts(store, Clock())
    for reference in range(3):
        await keep(kept, 1, b"a", reference=f"8:{reference}")
    with pytest.raises(Refused) as refused:
        await keep(kept, 1, b"a", reference="8:9")
    assert refused.value.status == 503
    await keep(kept, 1, b"a", reference="8:0")  # one that we have


async def test_what_came_just_before_the_end_is_told(store: Store) -> None:
    for number, at in enumerate((100.0, 950.0, 990.0)):
        record = Message(
            sid=f"SM{number:032x}", account_sid=AC, date_created=at, date_updated=at, channel=CHANNEL,
            status="received", direction="inbound", carrier_key=f"{CHANNEL}|mark{number}.x|0123456789abcdef",
        )  # fmt: skip
        await store.commit([Save(record)])
    assert set(await parts(store, Clock()).lately(CHANNEL)) == {"mark1.x", "mark2.x"}
    assert await parts(store, Clock()).lately("smpp:other") == []
