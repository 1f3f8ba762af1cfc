"""Reading stored records into memory at the start, for those who keep a copy in step with the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from ringback.kernel.resource import Record
from ringback.store import Query, Store

PAGE: Final = 1000
"""Records read at once."""


async def load(store: Store, nouns: Iterable[type[Record]], follow: Callable[[Any], None]) -> int:
    """Tell ``follow`` every stored record of some nouns; gives how many there were."""
    told = 0
    for noun in nouns:
        query = Query(limit=PAGE)
        while True:
            page = await store.page(noun, query)
            for record in page.records:
                follow(record)
            told += len(page.records)
            if not page.more_after:
                break
            query = Query(limit=PAGE, after=page.records[-1].sid)
    return told
