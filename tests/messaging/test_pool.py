"""Choosing among the senders of messaging_services: numbers (pooled_numbers) and names."""

from __future__ import annotations

from ringback.messaging.pool import Service, choose

BAY, YORK, LONDON = "+14155550100", "+12125550100", "+442071838750"


def chosen(
    to: str, *senders: str, turn: int = 0, media: bool = False, sticky: str = "", area: bool = True
) -> str | None:
    """Who writes."""
    service = Service(sid="MG1", senders=senders, sticky=sticky, area_code=area)
    return choose(service, to, media=media, turn=turn)


def test_the_nearest_number_writes() -> None:
    assert chosen("+14155550199", YORK, BAY, LONDON) == BAY
    assert chosen("+447400123456", YORK, BAY, LONDON) == LONDON
    assert {chosen("+13055550100", YORK, BAY, LONDON, turn=turn) for turn in range(4)} == {YORK, BAY}
    assert {chosen("+14155550199", YORK, BAY, area=False, turn=turn) for turn in range(4)} == {YORK, BAY}


def test_who_wrote_last_writes_again_while_it_is_in_the_pool() -> None:
    assert chosen("+14155550199", YORK, BAY, sticky=YORK) == YORK
    assert chosen("+14155550199", BAY, sticky=YORK) == BAY


def test_names_write_where_they_are_shown() -> None:
    assert chosen("+447400123456", BAY, "Bakery") == "Bakery"
    assert chosen("+447400123456", BAY, "Bakery", media=True) == BAY
    assert chosen("+14155550199", BAY, "Bakery") == BAY
    assert chosen("+14155550199", "Bakery") is None


def test_a_channel_is_kept_to() -> None:
    assert chosen("whatsapp:+14155550199", BAY) is None
    assert chosen("whatsapp:+14155550199", BAY, f"whatsapp:{BAY}") == f"whatsapp:{BAY}"
