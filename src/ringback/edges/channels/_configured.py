"""The channels that the settings name, ready to be started."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ringback.edges.channels import Channel, Reports
from ringback.edges.channels.http import HttpChannel
from ringback.edges.channels.smpp import SmppChannel
from ringback.edges.smpp.inbound import KeptParts
from ringback.settings import Settings


def configured(
    settings: Settings, reports: Reports, parts: KeptParts, warn: Callable[[str], Awaitable[None]]
) -> list[Channel]:
    """One for each ``[smpp.NAME]`` and ``[http_carrier.NAME]``. ``parts`` keeps the parts of long messages,
    ``warn(text)`` makes an entry of the debugger."""
    found: list[Channel] = [SmppChannel(each, reports, parts, warn) for each in settings.smpp]
    return [*found, *(HttpChannel(each) for each in settings.http_carriers)]
