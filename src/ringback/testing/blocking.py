"""The test kit for tests without ``async``: a :class:`World` in a thread of its own.

Every method waits for its result. Virtual time stands still while the test works, and moves while it waits
in ``hears``, ``ends``, ``final``, ``settled`` or ``advance``: so nothing times out between two lines.
Functions that make documents run in threads too; they may use ``ringback.client`` and the rest.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ringback.testing.official_client import close_client, official_client
from ringback.testing.world import Asked, Caller, Document, Made, World, world

if TYPE_CHECKING:
    from twilio.rest import Client  # type: ignore[import-untyped]

T = TypeVar("T")

PATIENCE = 60.0
"""Real seconds after which a call of the kit gives up with ``TimeoutError``."""


class BlockingCaller:
    """A simulated customer's call; see :class:`~ringback.testing.world.Caller`."""

    def __init__(self, owner: BlockingWorld, caller: Caller) -> None:
        self._owner = owner
        self._caller = caller
        self.sid = caller.sid

    @property
    def status(self) -> str:
        """The call's status as the customer sees it."""
        return self._caller.status

    @property
    def failed(self) -> str:
        """Which expectation was not met; empty: none."""
        return self._caller.failed

    @property
    def heard(self) -> list[dict[str, Any]]:
        """What was heard so far: ``at`` (seconds), ``kind``, ``text``."""
        return self._caller.heard

    def does(self, *steps: dict[str, Any]) -> None:
        """More script steps; raises ``AssertionError`` when the call is over."""

        async def add() -> None:
            self._caller.does(*steps)

        self._owner.run(add())

    def hears(self, text: str, within: float = 30.0) -> None:
        """Wait (virtual seconds) until a text or kind is heard; raises ``AssertionError``."""
        self._owner.wait(self._caller.hears(text, within))

    def ends(self, within: float = 3600.0) -> None:
        """Wait (virtual seconds) until the call is over; raises ``AssertionError``."""
        self._owner.wait(self._caller.ends(within))


class BlockingWorld:
    """What a plain test has in its hands; see :class:`~ringback.testing.world.World`."""

    def __init__(self, inner: World, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._inner = inner
        self._client: Client | None = None
        self._hold = inner.clock.hold()
        self._waiting = 0
        self.url = inner.url
        self.app_url = inner.app_url
        self.account_sid = inner.product.account_sid
        self.auth_token = inner.product.auth_token

    @property
    def client(self) -> Client:
        """The official client, signed in to the first account."""
        if self._client is None:
            self._client = official_client(self.url, self.account_sid, self.auth_token)
        return self._client

    def app(self, path: str, document: Document) -> str:
        """Serve TwiML (or what a function of the parameters gives) at ``path``; gives the URL."""
        made = document if isinstance(document, str) else _in_thread(document)
        return self._inner.app(path, made)

    def requests(self, path: str) -> list[dict[str, str]]:
        """Parameters of every request to ``path``, in order."""
        return self._inner.requests(path)

    def asked(self, path: str) -> list[Asked]:
        """Every request to ``path``, whole."""
        return self._inner.asked(path)

    def number(self, number: str, voice: str) -> str:
        """Provision a number whose instructions come from the path ``voice``; gives the number."""
        return self.run(self._inner.number(number, voice))

    def call(
        self,
        to: str,
        *,
        from_: str = "+15551230001",
        script: list[Any] | None = None,
        parameters: dict[str, str] | None = None,
    ) -> BlockingCaller:
        """A simulated customer calls; from ``client:…`` a worker's app, with custom ``parameters``."""
        made = self._inner.call(to, from_=from_, script=script, parameters=parameters)
        return BlockingCaller(self, self.run(made))

    def post(self, resource: str, **fields: str) -> dict[str, Any]:
        """POST to the account's REST API; raises ``AssertionError`` with the answer unless it is good."""
        return self.run(self._inner.post(resource, **fields))

    def get(self, resource: str) -> dict[str, Any]:
        """GET from the account's REST API."""
        return self.run(self._inner.get(resource))

    def download(self, url: str) -> bytes:
        """What is at one of our URLs (a ``RecordingUrl``, say)."""
        return self.run(self._inner.download(url))

    def sim(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Ask ``/sim/v1`` (surface.md)."""
        return self.run(self._inner.sim(method, path, body))

    def advance(self, seconds: float) -> None:
        """Let virtual time pass."""
        self.wait(self._inner.advance(seconds))

    def final(self, call_sid: str) -> dict[str, Any]:
        """The call once it is terminal and all that it owed has been delivered."""
        return self.wait(self._inner.final(call_sid))

    def settled(self) -> None:
        """Wait until every event has been handled and every webhook delivered."""
        self.wait(self._inner.settled())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the world's loop and give its result; ``TimeoutError`` after a minute."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(PATIENCE)
        except TimeoutError:
            future.cancel()
            raise

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """The same, and let virtual time move meanwhile."""
        return self.run(self._moving(work))

    async def _moving(self, work: Coroutine[Any, Any, T]) -> T:
        self._waiting += 1
        self._hold.release()
        try:
            return await work
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._hold = self._inner.clock.hold()

    async def close(self) -> None:
        """Close the client's connections and let time go; in the world's loop."""
        close_client(self._client)
        self._hold.release()


def _in_thread(document: Callable[[dict[str, str]], Made | Awaitable[Made]]) -> Document:
    async def made(params: dict[str, str]) -> Made:
        result = await asyncio.to_thread(document, params)
        return await result if inspect.isawaitable(result) else result

    return made


@contextmanager
def blocking_world(folder: Path, **settings: Any) -> Iterator[BlockingWorld]:
    """Start everything in a thread; ``settings`` are those of ringback.settings."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="ringback-world", daemon=True)
    thread.start()
    running = world(folder, **settings)

    def run(work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result(PATIENCE)

    async def enter() -> BlockingWorld:
        return BlockingWorld(await running.__aenter__(), loop)

    async def leave(made: BlockingWorld) -> None:
        await made.close()
        await running.__aexit__(None, None, None)

    try:
        made = run(enter())
        try:
            yield made
        finally:
            run(leave(made))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()
