"""What the rules of nouns may ask of the rest of the product; the composition root hands it in (``front.py``)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ringback.effects import SendWebhook
from ringback.events import Event
from ringback.kernel.resource import Record
from ringback.resources.api.conference import Conference
from ringback.resources.api.participant import Participant
from ringback.resources.api.queue import Member, Queue
from ringback.resources.conversations.user import User
from ringback.resources.conversations.webhook import WebhookSettings
from ringback.resources.voice.country import Country
from ringback.store import Owed
from ringback.web.conversations.pre_events import PreEvents
from ringback.web.directory import Directory
from ringback.web.lookups import Lookups
from ringback.web.mcs.media_store import MediaStore
from ringback.web.outcomes import FailureNotices
from ringback.web.relay_tokens import RelayTokens
from ringback.web.taskrouter.workspaces import Compile, TaskRouter
from ringback.web.taskrouter_views.ports import Explain, Replays, Statistics


class Queues(Protocol):
    """The queues of this process, as records (``voice/queues.py``)."""

    def records(self, account_sid: str, now: float) -> list[Queue]:
        """The account's queues, newest first."""

    def record(self, account_sid: str, sid: str, now: float) -> Queue | None:
        """One of them."""

    def members(self, queue_sid: str, now: float, start: int, stop: int) -> list[Member]:
        """Members from index ``start`` to before ``stop``, front first."""

    def member_record(self, queue_sid: str, word: str, now: float) -> Member | None:
        """The member that a call's SID, or ``Front``, names."""


class LiveRoom(Protocol):
    """A conference that is not over (``voice/conference_room.py``)."""

    record: Conference

    @property
    def everybody(self) -> list[Participant]:
        """Participants and those being called."""

    def find(self, word: str) -> Participant | None:
        """A participant by call SID or label."""


class LiveRooms(Protocol):
    """The conferences in memory (``voice/conferences.py``)."""

    def room(self, sid: str) -> LiveRoom | None:
        """A live conference by its SID."""

    def named(self, account_sid: str, name: str) -> LiveRoom | None:
        """A live conference by its name."""


class Permissions(Protocol):
    """The dialling permissions of all accounts (``outcomes/permissions.py``)."""

    def follow(self, record: Record, *, gone: bool = False) -> None:
        """A record was saved or deleted."""

    def inherits(self, account_sid: str) -> bool:
        """Whether the main account's permissions hold."""

    def country(self, account_sid: str, iso_code: str) -> Country | None:
        """What holds in one country."""

    def countries(self, account_sid: str) -> list[Country]:
        """What holds in all countries."""

    def stored(self, account_sid: str, iso_code: str) -> Country | None:
        """The account's own record."""

    def special_prefixes(self, account_sid: str, iso_code: str) -> list[str]:
        """A country's high-risk special prefixes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """One for all nouns."""

    ask: Callable[[Event], Awaitable[Any]]
    """Hands an event in and gives the core's answer; raises ``Refused``."""
    new_sid: Callable[[str], str]
    """Makes a SID of the kind that its prefix says."""
    closed: Callable[[], bool]
    """Whether the product is stopping and takes no new calls."""
    directory: Directory
    """Numbers, applications, caller ids."""
    new_code: Callable[[], str] | None
    """Six random digits for the call that verifies a caller id; None: it counts as verified at once."""
    queues: Queues
    conferences: LiveRooms
    call_status: Callable[[str], str | None]
    """Status of a live call by its SID."""
    recordings: Path
    """Folder of the recordings; the file of one is ``<SID>.wav``."""
    recording_auth: bool
    """Whether a recording's sound needs credentials."""
    encode_mp3: Callable[[Path], Path] | None
    """Makes (or finds) the MP3 beside a WAV file; blocking, called in a thread. Raises ``ValueError`` when there is
    no sound to encode."""
    media: MediaStore
    """The files of messages."""
    media_auth: bool
    """Whether the files of texts need credentials."""
    permissions: Permissions
    lookups: Lookups
    notices: FailureNotices
    """Notifications of failed outbound calls."""
    taskrouter: TaskRouter
    """TaskRouter's workspaces in memory."""
    compile_expression: Compile
    relay: RelayTokens
    """Credentials of the TURN relay."""
    simulates: bool
    """Whether numbers are the simulated carrier's: those of its plan can be bought, and the magic ones are magic."""
    statistics: Statistics
    explain: Explain
    owe: Callable[[Sequence[Owed]], None]
    """Sends the webhooks of a commit: rows of the outbox."""
    user_told: Callable[[str, User, Sequence[WebhookSettings], Callable[[str], str]], list[SendWebhook]]
    """Who hears of a user (``conversations/users.py``)."""
    service_removed: Callable[[], None]
    """Told when a Conversations service was removed: what was in it is to go."""
    replay: Replays
    pre_events: PreEvents
    """Asks the customer's application before something in a conversation is written."""
