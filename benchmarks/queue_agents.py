"""Calls into a queue served by SIP agents: caller's INVITE → agent's INVITE, and the busy agent's idle gap.

Needs TaskRouter: ``<Enqueue workflowSid>``, workers with a ``contact_uri``, an assignment callback that says
dequeue, and an application that completes each task when it wraps up (so that the gap contains two webhooks and one
REST request). On a server without ``/v1/Workspaces`` the application itself chooses the agent and dials it with
``<Dial><Sip>``: that proves the measuring and says nothing about queues; the figures are named so.
"""

from __future__ import annotations

import asyncio
import bisect
import functools
import json
import socket
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Protocol
from urllib.error import HTTPError
from urllib.parse import urlencode

import uvloop

from benchmarks.__main__ import Figure
from benchmarks.peers import calling
from benchmarks.peers.agents import Agents, Visit
from benchmarks.peers.application import Answer, Form, Requests, serve
from benchmarks.peers.audio import quantile
from benchmarks.server import Server

NUMBER = "+15550127"
RATE = 100
"""Calls a second where agents are free."""
WAITING = 80
"""Callers who may wait besides those who talk: a workflow's voice queue holds 100."""
BUSY_AGENTS, BUSY_TALK = 50, 2.0


def measure(quick: bool) -> list[Figure]:
    """p50 and p99 from INVITE to INVITE at 50, 200 and 1,000 agents, failures; the gap in a busy queue."""
    return uvloop.run(run(5 if quick else 15))


class Setup(Protocol):
    """How callers are brought to agents: answers the server's webhooks. ``name`` goes into the figures."""

    name: str

    async def prepare(self, server: Server, agents: Agents, names: list[str], base: str) -> None:
        """Create what the server needs; ``base`` is the application's own URL."""

    def answer(self, path: str, form: Form) -> Answer:
        """Content type and body of the answer to one webhook."""

    async def stop(self) -> None:
        """Free what `prepare` opened."""


class TaskRouter:
    """Needs TaskRouter. Workspace, queue, workflow, one worker an agent (paths: taskrouter sheet §2; the
    callback's answer: §8)."""

    name = "TaskRouter"

    async def prepare(self, server: Server, agents: Agents, names: list[str], base: str) -> None:
        """Create the workspace and all in it; raises ``HTTPError`` 404 on a server without TaskRouter."""
        self._agents = agents

        def post(path: str, **fields: str) -> Any:
            return server.request(
                "POST", path, urlencode(fields).encode(), "application/x-www-form-urlencoded"
            )

        def create() -> str:
            workspace = post(
                "/taskrouter/v1/Workspaces", FriendlyName="benchmark", EventCallbackUrl=f"{base}/events",
                EventsFilter="task.wrapup",
            )["sid"]  # fmt: skip
            inside = f"/taskrouter/v1/Workspaces/{workspace}"
            activities = server.request("GET", f"{inside}/Activities?FriendlyName=Available")["activities"]
            queue = post(f"{inside}/TaskQueues", FriendlyName="everyone", TargetWorkers="1==1")["sid"]
            workflow = post(
                f"{inside}/Workflows", FriendlyName="calls", AssignmentCallbackUrl=f"{base}/assign",
                Configuration=json.dumps({"task_routing": {"default_filter": {"queue": queue}}}),
            )["sid"]  # fmt: skip
            for name in names:
                uri = f"sip:{name}@127.0.0.1:{agents.port}"
                post(
                    f"{inside}/Workers", FriendlyName=name, ActivitySid=activities[0]["sid"],
                    Attributes=json.dumps({"contact_uri": uri}),
                )  # fmt: skip
            self._tasks = f"{inside}/Tasks"
            return str(workflow)

        workflow = await asyncio.to_thread(create)
        self._document = f'<Response><Enqueue workflowSid="{workflow}"><Task>{{}}</Task></Enqueue></Response>'
        self._requests = Requests(server.port, server.authorization)

    def answer(self, path: str, form: Form) -> Answer:
        """The document of a call, the instruction for a reservation, and a completed task for each wrap-up."""
        if path == "/assign":
            uri = json.loads(form["WorkerAttributes"])["contact_uri"]
            caller = json.loads(form["TaskAttributes"])["from"]
            self._agents.expected[uri[4:].partition("@")[0]] = caller
            return "application/json", '{"instruction":"dequeue"}'
        if path == "/events":
            body = urlencode({"AssignmentStatus": "completed", "Reason": "talked"})
            self._requests.post(f"{self._tasks}/{form['TaskSid']}", body)
            return "text/plain", ""
        return "text/xml", self._document

    async def stop(self) -> None:
        """Close the connections to the API."""
        await self._requests.stop()
        refused = {status: count for status, count in self._requests.statuses.items() if status >= 400}
        if refused:
            print(f"  the API refused to complete tasks: {refused}")


class StandIn:
    """No queue: the application gives each caller the agent that has been free for longest."""

    name = "stand-in without a queue"

    async def prepare(self, server: Server, agents: Agents, names: list[str], base: str) -> None:
        """Every agent is free."""
        self._agents = agents
        agents.free.extend(names)

    def answer(self, path: str, form: Form) -> Answer:
        """Dial the next agent; hang up when all are busy."""
        if not self._agents.free:
            return "text/xml", "<Response><Hangup/></Response>"
        uri = f"sip:{self._agents.free.popleft()}@127.0.0.1:{self._agents.port}"
        return "text/xml", f"<Response><Dial><Sip>{uri}</Sip></Dial></Response>"

    async def stop(self) -> None:
        """Nothing is open."""


async def run(seconds: int, setup: Callable[[], Setup] = TaskRouter) -> list[Figure]:
    """All figures, each on a server of its own; ``setup`` falls back to `StandIn` where TaskRouter is missing."""
    figures = []
    for agents in (50, 200, 1000):
        talk = min(2.0, 0.6 * agents / RATE)  # six in ten agents are busy: none waits for an agent
        figures.append(await _one(setup, agents, talk, RATE, RATE * seconds, agents + WAITING, busy=False))
    calls = int(BUSY_AGENTS / BUSY_TALK * (seconds + 5))
    figures.append(await _one(setup, BUSY_AGENTS, BUSY_TALK, 50, calls, BUSY_AGENTS + WAITING, busy=True))
    return figures


async def _one(
    setup: Callable[[], Setup], count: int, talk: float, rate: int, calls: int, limit: int, *, busy: bool
) -> Figure:
    names = [f"agent{at}" for at in range(count)]
    with Server() as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        async with Agents(calling.PREFIX) as agents:
            agents.talk = talk
            way = setup()
            web, base = await serve(lambda path, form: way.answer(path, form))
            try:
                await way.prepare(server, agents, names, base)
            except HTTPError as error:
                if error.code != 404:
                    raise
                way = StandIn()
                await way.prepare(server, agents, names, base)
            if busy and isinstance(way, StandIn):
                limit = count  # without a queue, callers beyond the agents would be turned away
            server.form("IncomingPhoneNumbers.json", PhoneNumber=NUMBER, VoiceUrl=f"{base}/voice")
            call = functools.partial(
                calling.run, number=NUMBER, port=server.sip_port, media_port=sink.getsockname()[1]
            )
            await asyncio.to_thread(call, rate=5, calls=5, limit=5)  # the first calls load modules and files
            agents.visits.clear()
            cpu = server.cpu_seconds()
            result, invited = await asyncio.to_thread(call, rate=rate, calls=calls, limit=limit)
            cpu = server.cpu_seconds() - cpu
            await way.stop()
            web.close()
    waits = reached(agents.visits, invited)
    failures = (
        f"{result.failed} failed, {calls - len(waits)} never reached an agent, "
        f"{result.retransmissions} retransmitted, {agents.unanswered} unanswered"
    )
    if busy:
        idle = gaps(agents.visits, invited)
        value = (
            f"idle gap p50 {quantile(idle, 0.5):.1f} ms, p99 {quantile(idle, 0.99):.1f} ms "
            f"of {len(idle)}; {failures}"
        )
        against = "wanted: p99 50 ms; Asterisk 976 ms, FreeSWITCH 716 ms"
        return Figure(f"busy queue, {count} agents ({way.name})", value, "", against)
    span = max(invited.values(), default=0.0) - min(invited.values(), default=0.0)
    value = (
        f"p50 {quantile(waits, 0.5):.1f} ms, p99 {quantile(waits, 0.99):.1f} ms at "
        f"{(len(invited) - 1) / span if span else 0:.0f} calls/s; {failures}; "
        f"{1000 * cpu / calls:.1f} ms of CPU a call"
    )
    against = "wanted: p99 100 ms, none failed; Asterisk 20-30 ms, FreeSWITCH 160-390 ms at 50/s"
    return Figure(f"{count} agents ({way.name})", value, "", against)


def reached(visits: list[Visit], invited: dict[str, float]) -> list[float]:
    """ms from each caller's INVITE to the first INVITE of an agent for it, ascending; callers never offered to
    an agent are missing."""
    first: dict[str, float] = {}
    for visit in visits:
        first.setdefault(visit.caller, visit.invited)
    return sorted(1000 * (first[caller] - at) for caller, at in invited.items() if caller in first)


def gaps(visits: list[Visit], invited: dict[str, float]) -> list[float]:
    """ms from an agent's BYE to its next INVITE, ascending, where a caller was waiting when it hung up."""
    came = sorted(invited.values())
    taken = sorted(visit.invited for visit in visits)
    own: dict[str, list[Visit]] = {}
    for visit in visits:
        own.setdefault(visit.agent, []).append(visit)
    return sorted(
        1000 * (after.invited - before.ended)
        for each in own.values()
        for before, after in pairwise(each)
        if before.ended and bisect.bisect(came, before.ended) > bisect.bisect(taken, before.ended)
    )
