"""How much media may come, of which types, and how long it stays: settings that the media store is handed whole."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ringback.kernel.setting import refusal

_TYPE = re.compile(r"[a-z0-9.+-]+/([a-z0-9.+-]+|\*)\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaLimits:
    """A part of the settings (``settings.py``)."""

    media_megabytes: float = 50.0
    """Size of one file in the media store (conversations, MMS)."""
    media_types: str = ""
    """Types that the media store takes, with commas between (``image/*,application/pdf``); what a file is, is read
    from its bytes. Empty: all."""
    account_media_megabytes: float = 10_000.0
    """Size of all media of one account: above it uploads are refused; 0 = no limit."""
    media_unattached_hours: float = 24.0
    """Hours after which an upload that no message has taken is removed."""
    media_auth: bool = True
    """Whether the files of texts (``Messages/{Sid}/Media/{Sid}``) need credentials; ``false``: whoever knows the URL
    may fetch them, as the hosted service has it by default."""
    keep_media_days: float = 400.0
    """Days for which media are kept; 0 = until their message, or they themselves, are deleted."""

    @property
    def taken_types(self) -> tuple[str, ...]:
        """``media_types`` as patterns; none: all."""
        found = tuple(part.strip().lower() for part in self.media_types.split(",") if part.strip())
        for one in found:
            if not _TYPE.match(one):
                raise refusal("RINGBACK_MEDIA_TYPES", one, "types such as image/*,application/pdf")
        return found

    def takes(self, content_type: str) -> bool:
        """Whether files of this type are taken."""
        types = self.taken_types
        return not types or content_type in types or content_type.partition("/")[0] + "/*" in types
