"""Handlers of live operations: a handler has what its noun's places declare, and no more; the start checks it."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ringback.kernel.resource import Record
from ringback.kernel.sid import SidMaker
from ringback.resources import all_nouns
from ringback.resources.api.conference import Conference
from ringback.resources.api.recording import Recording
from ringback.resources.api.transcription import Transcription
from ringback.store import Store
from ringback.web.rest import RestApplication, RestSettings, build_rest


class Updating:
    """Updates, nothing else."""

    async def update(self, ctx: Any, params: Any) -> Any:
        return ctx.record


class Removing:
    """Deletes, nothing else."""

    async def delete(self, ctx: Any, params: Any) -> None:
        return None


def built(store: Store, folder: Path, live: Mapping[type[Record], Any]) -> RestApplication:
    settings = RestSettings(
        public_url="http://r", now=time.time, make_sid=SidMaker(time.time, random.getrandbits),
        make_secret=lambda: "", recordings=folder,
    )  # fmt: skip
    return build_rest(store, all_nouns(), live, settings)


async def test_a_handler_needs_only_what_is_declared(store: Store, tmp_path: Path) -> None:
    built(store, tmp_path, {Conference: Updating(), Transcription: Removing()})


@pytest.mark.parametrize(
    ("record", "handler", "problem"),
    [
        (Conference, Removing(), "Removing has no update for /2010-04-01/Accounts/{AccountSid}/Conferences"),
        (Transcription, Updating(), "Updating has no delete for .*/Transcriptions"),
        # One of its places lets a recording be started and changed as well.
        (Recording, Removing(), "Removing has no create, update for .*/Calls/{CallSid}/Recordings"),
    ],
)
async def test_a_handler_that_lacks_an_operation(
    store: Store, tmp_path: Path, record: type[Record], handler: Any, problem: str
) -> None:
    with pytest.raises(TypeError, match=problem):
        built(store, tmp_path, {record: handler})
