"""Rules of nouns: they carry out what their noun's places declare as live, and no more; the start checks it."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from ringback.kernel.resource import Record
from ringback.kernel.sid import SidMaker
from ringback.resources import all_nouns
from ringback.resources.api.conference import Conference
from ringback.resources.api.recording import Recording
from ringback.resources.api.transcription import Transcription
from ringback.store import Store
from ringback.web.rest import RestApplication, RestSettings, Rules, build_rest


class Updating(Rules):
    """Updates, nothing else."""

    async def update(self, ctx: Any, params: Any) -> Any:
        return ctx.record


class Removing(Rules):
    """Deletes, nothing else."""

    async def delete(self, ctx: Any, params: Any) -> None:
        return None


def built(store: Store, own: dict[type[Record], type[Rules]]) -> RestApplication:
    settings = RestSettings(
        public_url="http://r", now=time.time, make_sid=SidMaker(time.time, random.getrandbits),
        make_secret=lambda: "",
    )  # fmt: skip
    rules = {noun: kind() for noun, kind in own.items()}
    for noun, each in rules.items():
        each.noun = noun
    return build_rest(store, all_nouns(), rules, settings)


async def test_rules_need_only_what_is_declared(store: Store) -> None:
    built(store, {Conference: Updating, Transcription: Removing})


@pytest.mark.parametrize(
    ("record", "kind", "problem"),
    [
        (Conference, Removing, "Removing has no update for /2010-04-01/Accounts/{AccountSid}/Conferences"),
        (Transcription, Updating, "Updating has no delete for .*/Transcriptions"),
        # One of its places lets a recording be started and changed as well.
        (Recording, Removing, "Removing has no create, update for .*/Calls/{CallSid}/Recordings"),
    ],
)
async def test_rules_that_lack_an_operation(
    store: Store, record: type[Record], kind: type[Rules], problem: str
) -> None:
    with pytest.raises(TypeError, match=problem):
        built(store, {record: kind})
