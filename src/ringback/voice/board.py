"""What all legs share: the settings of the voice core, fresh names, the queues and the conferences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ringback.voice.conference.live import Conferences
from ringback.voice.conference.room import Makers
from ringback.voice.queue.live import Queues


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceSettings:
    """What the voice core is told at the start."""

    public_url: str
    """Base of the URLs that are handed out."""
    api_base: str = ""
    """Base of API URLs; default: ``public_url`` with the product's prefix."""
    time_limit: int = 14400
    queue_timeout: float = 14400.0
    """Seconds that a call may wait as ``queued`` (15002)."""
    documents_per_minute: int = 100
    """Documents a minute of one call that may take no time (voice/call/pace.py)."""
    magic_numbers: bool = False
    """Whether the magic numbers answer the live credentials too."""
    refuse: Callable[[str, str], int | None] | None = None
    """Dialling rights: a code of errors.md for a destination and an account, or None (call-outcomes.md §4)."""
    ours: Callable[[str], bool] = lambda number: False
    """Whether a number that no network could have assigned (+15550100) is one of this server's: it can be called."""

    def __post_init__(self) -> None:
        if not self.api_base:
            object.__setattr__(self, "api_base", self.public_url.rstrip("/") + "/api")


class Board:
    """The switchboard as its legs see it."""

    def __init__(
        self, settings: VoiceSettings, new_sid: Callable[[str], str], new_token: Callable[[], str]
    ) -> None:
        self.settings, self.new_sid, self.new_token = settings, new_sid, new_token
        self.queues = Queues()
        self.conferences = Conferences(
            Makers(new_sid=new_sid, new_token=new_token, api_base=settings.api_base)
        )
