"""What the rules of nouns ask of the product, for tests: the real cores, with nothing in them and nobody behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ringback.conversations import users
from ringback.kernel.errors import Refused
from ringback.kernel.media_limits import MediaLimits
from ringback.numbers import plan
from ringback.outcomes.permissions import Permissions
from ringback.runtime.virtual_clock import VirtualClock
from ringback.store import Store
from ringback.taskrouter import replay, statistics
from ringback.taskrouter.explanation import explain
from ringback.taskrouter.expression import compile_expression
from ringback.taskrouter.router import TaskRouter
from ringback.voice.switchboard import Switchboard, VoiceSettings
from ringback.web.directory import Directory
from ringback.web.lookups import Lookups
from ringback.web.mcs.files import Files
from ringback.web.mcs.media_store import MediaStore
from ringback.web.nouns.ports import Ports
from ringback.web.outcomes import FailureNotices
from ringback.web.relay_tokens import RelayTokens


class NoPreEvents:
    """Nobody wants to be asked."""

    async def ask(self, kind: str, **given: Any) -> dict[str, Any]:
        return {}


async def nobody(event: Any) -> Any:
    """Stands for the runtime of a product that does nothing."""
    raise Refused(20503, "Nobody carries out this operation here", 503)


async def _secret(account_sid: str) -> str:
    return "secret"


def ports(
    store: Store, folder: Path, new_sid: Callable[[str], str], now: Callable[[], float], **given: Any
) -> Ports:
    """All of them; ``given`` replaces some."""
    voice = Switchboard(VoiceSettings(public_url="http://h"), new_sid=new_sid, new_token=str)
    return Ports(
        **{
            "ask": nobody,
            "new_sid": new_sid,
            "closed": lambda: False,
            "directory": Directory(store, new_sid=new_sid, now=now),
            "new_code": None,
            "queues": voice.queues,
            "conferences": voice.conferences,
            "call_status": voice.call_status,
            "recordings": folder,
            "recording_auth": True,
            "encode_mp3": None,
            "media_auth": True,
            "media": MediaStore(
                store=store,
                files=Files(folder / "media"),
                clock=VirtualClock(),
                limits=MediaLimits(),
                new_sid=new_sid,
                secret_of=_secret,
                full=str,
                public_url="http://h",
            ),
            "permissions": Permissions(),
            "lookups": Lookups(plan, []),
            "notices": FailureNotices(lambda code: None),
            "taskrouter": TaskRouter(new_sid),
            "compile_expression": compile_expression,
            "relay": RelayTokens((), ""),
            "simulates": True,
            "statistics": statistics,
            "explain": explain,
            "replay": replay,
            "owe": lambda rows: None,
            "user_told": users.told,
            "service_removed": lambda: None,
            "pre_events": NoPreEvents(),
        }
        | given
    )
