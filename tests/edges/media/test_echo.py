"""A leg that hears itself."""

from __future__ import annotations

import pytest

from ringback.edges.media import protocol as p
from ringback.media.g711 import Law

from .rig import Rig, strength


@pytest.mark.parametrize("law", ["PCMU", "PCMA"])
async def test_a_leg_hears_itself_until_it_does_no_more(rig: Rig, law: Law) -> None:
    phone, address = await rig.call("A", law=law)
    phone.talk(700, address)
    await rig.wait(p.FirstPacket)
    await phone.hear(10)
    rig.pool.echo("A", True)
    await phone.hear(15)
    assert strength(await phone.hear(25), 700) > 6000
    rig.pool.echo("A", False)
    await phone.hear(25)
    assert strength(await phone.hear(25), 700) < 100
