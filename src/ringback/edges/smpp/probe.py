"""Whether an SMSC takes us: one bind, then out again, for ``ringback doctor``."""

from __future__ import annotations

import asyncio

from ringback.edges.smpp.link import Counts, Link
from ringback.kernel.text_carrier import Smpp
from ringback.smpp import pdu
from ringback.smpp.pdu import Unit
from ringback.smpp.statuses import RECEIVER_LATER


def probe(setting: Smpp) -> str:
    """Why a bind fails; empty: it does not. Blocks, at most twenty seconds. As a transmitter, so that nothing is
    delivered to whoever does not keep it."""
    return asyncio.run(_probe(setting))


async def _probe(setting: Smpp) -> str:
    async def take(one: Unit, link: Link) -> int:
        return RECEIVER_LATER

    link = Link(setting, pdu.BIND_TRANSMITTER, 1, Counts(), take, lambda number, written: None)
    try:
        reader = await link.open()
    except OSError as error:
        return str(error) or type(error).__name__
    serving = asyncio.create_task(link.serve(reader))
    await link.leave()
    await serving
    return ""
