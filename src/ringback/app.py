"""The composition root: builds everything from the settings; nothing is constructed anywhere else."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
import uuid
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any

from ringback import front
from ringback.edges.carriers.simulated import SimulatedCarrier
from ringback.edges.carriers.sip import SipCarrier
from ringback.edges.exchange import Exchange
from ringback.edges.simulator.faults import Faults
from ringback.edges.sip.setup import build_sip
from ringback.edges.sounds.fetch import Sounds
from ringback.edges.speech.client import Speech
from ringback.edges.transcription.client import Transcriber
from ringback.edges.transcription.spoken import Spoken
from ringback.effects import (
    CheckCallerId,
    Effect,
    FindApplication,
    HangUpLeg,
    QueueDial,
    ReleaseCall,
    Save,
    SendWebhook,
)
from ringback.effects.features import Warn
from ringback.effects.taskrouter import Announce
from ringback.events import ApplicationFound, CallerIdChecked, Event, HangUpRequested
from ringback.events.writes import WriteRequested
from ringback.firstrun import Credentials, credentials, provision
from ringback.kept import kept
from ringback.kernel.clock import Hold
from ringback.kernel.lane import Lane
from ringback.kernel.recording_file import recordings_folder, remove_sound
from ringback.kernel.sid import SidMaker, sid_at
from ringback.numbers import plan
from ringback.outcomes import line_status, notifications
from ringback.outcomes.permissions import FOLLOWED, Permissions
from ringback.outcomes.reconcile import Limits, examine
from ringback.resources.api.alert import Alert, explained
from ringback.resources.api.queue import Queue
from ringback.resources.api.recording import Recording
from ringback.resources.lookups.line_type_override import LineTypeOverride
from ringback.resources.taskrouter.workspace import Workspace
from ringback.runtime.dialler import Dialler
from ringback.runtime.disk import Disk
from ringback.runtime.emptying import Emptying
from ringback.runtime.outbox import Outbox
from ringback.runtime.real_clock import RealClock
from ringback.runtime.reconciler import Reconciler
from ringback.runtime.recovery import recover
from ringback.runtime.retention import Retention
from ringback.runtime.runtime import Runtime
from ringback.runtime.timers import Timers
from ringback.runtime.usage import Usage
from ringback.runtime.virtual_clock import VirtualClock
from ringback.settings import Settings, SettingsError
from ringback.store.engine import Holder
from ringback.store.store import Store
from ringback.store.writes import OutboxDone, Unavailable
from ringback.taskrouter.router import TaskRouter
from ringback.texting import TextingPart
from ringback.voice.board import VoiceSettings
from ringback.voice.switchboard import Switchboard
from ringback.web.access import Access
from ringback.web.assignment import Assignments
from ringback.web.auth import Authenticator
from ringback.web.contacts import Contacts
from ringback.web.directory import Directory
from ringback.web.documents import Documents
from ringback.web.followed import load
from ringback.web.lookup_lines import LocalLines
from ringback.web.lookups import Lookups
from ringback.web.notifications import Notifications
from ringback.web.outcomes import CustomerRights, FailureNotices
from ringback.web.rest.application import RestApplication
from ringback.web.server import Server
from ringback.web.taskrouter_link import EVERYTHING, TaskRouterLink
from ringback.web.transcribing import Transcriptions
from ringback.web.webchat.waiting import Waiting
from ringback.web.webhooks.sender import WebhookSender
from ringback.wiring import leave, wire

log = logging.getLogger("ringback")


NO_NEW_CALLS = 15.0
"""Seconds for which new calls wait for a database that cannot be written; then they are refused with 503."""
KNOWN_TOKENS = 10_000
SETTLE = 5.0
"""Seconds that a stop waits, after draining, for a database that cannot be written."""
ANSWER_LEAD = 0.02
"""Seconds between an answer and the web sockets' news of what its request caused: they travel on different connections,
and a client must have read the answer first."""
LANES_SECONDS = 5.0
"""After a restart nothing is dialled until what was said before has been heard, but not longer than this."""


async def build(
    settings: Settings, patience: float = 10.0, waiting: Callable[[Holder], None] | None = None
) -> Ringback:
    """Build the product; nothing listens before :meth:`Ringback.start`. ``patience``, ``waiting``: `Store.open`."""
    _texts(settings)  # bad ones stop the start before anything is opened
    known = credentials(settings)
    store = await Store.open(
        settings.store_url, synchronous=settings.sqlite_synchronous, patience=patience, waiting=waiting
    )
    return Ringback(settings, known, store)


class Ringback:
    """The whole product in one process (with its media and speech workers beside it)."""

    def __init__(self, settings: Settings, known: Credentials, store: Store) -> None:
        self.settings = settings
        self.credentials = known
        self.store = store
        self.started_at = time.monotonic()
        self._ready = False
        self.clock = VirtualClock() if settings.clock == "virtual" else RealClock()
        self.new_sid = SidMaker(self.clock.now, random.SystemRandom().getrandbits)
        self.recordings = recordings_folder(settings.data_dir)
        self.recordings.mkdir(parents=True, exist_ok=True, mode=0o700)

        self.permissions = Permissions(
            default=settings.dialing_default,
            home=settings.home_country,
            emergency_numbers=settings.allowed_emergency_numbers,
        )
        self.lookups = Lookups(plan, [LocalLines(store, line_status.judge, plan.carrier_name)])
        """Its ``providers`` are asked in order: put an HLR service before the built-in one."""
        self.texts = _texts(settings)
        self.notices = FailureNotices(self._notification)
        self.voice = Switchboard(
            VoiceSettings(
                public_url=settings.base_url,
                time_limit=settings.time_limit,
                queue_timeout=settings.queue_timeout,
                documents_per_minute=settings.documents_per_minute,
                magic_numbers=settings.carrier == "simulated",
                refuse=self.permissions.refuse,
                ours=self.permissions.is_ours,
            ),
            new_sid=self.new_sid,
            new_token=_new_token,
        )
        self.taskrouter = TaskRouter(self.new_sid, keep_ended=settings.task_retention)
        self.listeners: list[Callable[[Announce], None]] = []
        """Who hears what happens in workspaces (the event bridge)."""
        self.sender = WebhookSender(
            allow_private=settings.private_webhooks, connections=settings.webhook_connections
        )
        self.faults = Faults()
        self.speech = Speech(
            cache_dir=settings.data_dir / "speech",
            idle_seconds=settings.speech_idle_minutes * 60,
            workers=settings.speech_workers,
        )
        self.sounds = Sounds(
            sender=self.sender, cache_dir=settings.data_dir / "sounds", workers=settings.sound_workers
        )
        self.directory = Directory(store, new_sid=self.new_sid, now=self.clock.now)
        self.customer_rights = CustomerRights(self.directory, store)
        self.timers = Timers(self.clock, self.post)
        self.dialler = Dialler(self.clock, self.post, settings.calls_per_second)
        self.documents = Documents(
            sender=self.sender,
            clock=self.clock,
            post=self.post,
            auth_token=self.token_of,
            new_token=_new_token,
            new_sid=self.new_sid,
            log=store.commit_soon,
        )
        self.taskrouter_link = TaskRouterLink(
            taskrouter=self.taskrouter, store=store, post=self.post, ask=self.ask, new_sid=self.new_sid,
            now=self.clock.now,
        )  # fmt: skip
        self.assignments = Assignments(
            sender=self.sender, clock=self.clock, post=self.post, auth_token=self.token_of, new_token=_new_token,
            log=store.commit_soon,
        )  # fmt: skip
        self.notifications = Notifications(
            sender=self.sender,
            clock=self.clock,
            auth_token=self.token_of,
            new_sid=self.new_sid,
            log=store.commit_soon,
            faults=self.faults if self.simulating else None,
            late=lambda token, records: self.outbox.finish(token, records),
            again_after=settings.callback_again_after,
        )
        spoken = Spoken(settings.data_dir / "spoken") if settings.transcription == "script" else None
        self.transcriber: Transcriber | None = None
        if settings.transcription == "whisper" and settings.transcription_workers:
            self.transcriber = Transcriber(
                engine=settings.transcription_engine,
                workers=settings.transcription_workers,
                longest_queue=settings.transcription_queue,
                idle_seconds=settings.transcription_idle_minutes * 60,
            )
        self.transcriptions = Transcriptions(
            store=store,
            clock=self.clock,
            ask=self.ask,
            listener=spoken if spoken is not None else self.transcriber,
            recordings=self.recordings,
            finished=spoken.forget if spoken is not None else None,
            faults=self.faults if self.simulating else None,
        )
        self.usage = Usage(settings.data_dir, store)
        self.disk = Disk(settings.data_dir)
        self.media = front.build_media(self)
        self.emptying = Emptying(store, self.ask)
        self.retention = Retention(
            store, self.clock, sid_at,
            kept(settings, self._forget_recording, self.media.remove, self.emptying.remove),
            ledger_days=settings.keep_requests_days, ledger_bytes=int(settings.requests_megabytes * 1e6),
            every=(self.usage.look, self.emptying.look, self.media.look),
        )  # fmt: skip
        self.outbox: Outbox = Outbox(self.clock, self.notifications.deliver, self._delivered)
        self.exchange = Exchange(
            post=self.post,
            default=settings.carrier,
            prefixes={prefix: trunk.name for trunk in settings.trunks for prefix in trunk.prefixes},
            set_up=self.dialler.started,
        )
        self.simulator = SimulatedCarrier(
            post=self.exchange.report,
            clock=self.clock,
            new_sid=self.new_sid,
            is_ours=self.is_ours,
            sound_seconds=self.sounds.seconds,
            render_speech=self.speech.render_wav,
            recordings=self.recordings,
            faults=self.faults,
            note=spoken.note if spoken is not None else None,
        )
        self.exchange.add(self.simulator)
        self.texting = TextingPart(self)
        self.sip: SipCarrier | None = None
        if settings.listeners:
            self.sip = build_sip(
                settings,
                post=self.exchange.report,
                new_sid=self.new_sid,
                voices=self.speech,
                sounds=self.sounds,
                warm=self.speech.warm,
                registrations=Contacts(store.hurried(), self.account_sid, self.clock.now),
            )
            self.exchange.add(self.sip)
        self.reconciler = Reconciler(
            store=store,
            clock=self.clock,
            ask=self.ask,
            examine=partial(
                examine, limits=Limits(after=settings.reconcile_after, queue=settings.queue_timeout)
            ),
            session=self.voice.call_status,
            carriers=self.exchange,
            hang_up=self._drop_leg,
            resend=self.outbox.send_parked,
            trouble=lambda: store.trouble,
            every=settings.reconcile_every,
            probe_after=settings.probe_after,
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._tokens: dict[str, str] = {}
        """What signed an account's webhooks last, for when the database cannot be read."""
        self.bridge = front.build_bridge(self)
        self.conversations = front.build_conversations(self)
        self.web_chats = Waiting()
        self.callbacks = front.build_callbacks(self)
        self.listeners += [self.bridge.announce, self.callbacks.follow]
        self.authenticator: Authenticator
        self.rest: RestApplication
        self.access: Access
        """Both are set by :func:`front.build_front`."""
        self.runtime = Runtime(wire(self), store, self.clock)
        store.watch(self._store_changed)
        self.front = front.build_front(self)
        self.server = Server(self.front, *settings.http_address, front.http_limits(settings))

    # --- what others ask for --------------------------------------------------------------------------

    @property
    def account_sid(self) -> str:
        """The first account."""
        return self.credentials.account_sid

    @property
    def auth_token(self) -> str:
        """The first account's auth token."""
        return self.credentials.auth_token

    @property
    def http_url(self) -> str:
        """Where the server really listens (the port may have been chosen by the system)."""
        return f"http://{self.settings.reachable_host}:{self.server.port}"

    @property
    def simulating(self) -> bool:
        """Whether ``/sim/v1`` is served (surface.md)."""
        return self.settings.carrier == "simulated" or self.settings.clock == "virtual"

    # --- life -----------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open the carriers, settle what a crash left, send what is owed, then listen."""
        self.server.bind()
        await provision(self.store.hurried(), self.credentials, self.settings, self.clock.now(), self.new_sid)
        await load(self.store, FOLLOWED, self.permissions.follow)
        await load(self.store, (LineTypeOverride,), self.lookups.follow)
        for carrier in self.exchange.carriers:
            await carrier.start()
        owed = await self.store.owed()
        hooks = [each for each in owed if isinstance(each.what, SendWebhook)]
        if hooks:
            log.warning("%d webhooks were owed when the last run ended; sending them", len(hooks))
            self.outbox.add(hooks)
        dials = [each.what for each in owed if isinstance(each.what, QueueDial)]
        waiting, lost = await recover(self.store, self.recordings, dials)
        unclear = await self.texting.start(owed)
        messages = await self.store.messages()
        self.voice.queues.load(await self.store.find(Queue, limit=EVERYTHING))
        tasks = await self.taskrouter_link.load()
        if tasks:
            log.info("%d tasks of the last run go on", tasks)
        self.dialler.shut()
        for resumed in waiting:  # first: a call that is there hears that it is to end
            self.post(resumed)
        self.runtime.resume(messages)
        for each in (*unclear, *lost):  # last: what follows from it was said later
            self.post(each)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LANES_SECONDS):
                await self.runtime.settle()
        self.dialler.open()
        self.texting.sender.open()
        self.retention.start()
        self.timers.resume(await self.store.deadlines())
        await self.server.start()
        await self.callbacks.start()
        self.reconciler.start()
        self._ready = True

    async def stop(self, drain: float = 0.0) -> None:
        """Stop in order: ``drain`` seconds for live calls, hang up the rest, send what is owed."""
        self._ready = False
        until = asyncio.get_running_loop().time() + drain + SETTLE
        await self.reconciler.stop()
        self.exchange.draining = True
        self.runtime.mending.close()
        await self._drained(drain)
        for call_sid in self.exchange.sids():
            self.post(HangUpRequested(call_sid=call_sid, reason="shutdown"))
        await self.runtime.settle(until)
        await self._drained(2.0 if self.exchange.legs else 0.0)
        self.bridge.close()
        self.web_chats.close()
        await self.callbacks.close()
        await self.texting.stop()
        await self.server.stop()
        for carrier in reversed(self.exchange.carriers):
            await carrier.stop()
        for part in (self.retention, self.media, self.emptying):
            await part.close()
        await self.runtime.settle(until)
        for edge in (self.documents, self.assignments, self.transcriptions):
            await edge.close()
        if self.transcriber is not None:
            await self.transcriber.close()
        await self.runtime.settle(until)
        await self.outbox.settle(5.0)
        await self.outbox.close()
        await self.speech.close()
        await self.sounds.close()
        await self.sender.close()
        await self.store.close()
        if isinstance(self.clock, VirtualClock):
            self.clock.close()

    async def abandon(self) -> None:
        """Another process owns the database: hang up what is live here, then stop without another word.

        Nothing can be written, so nothing is settled: the new owner has read the records and does it.
        """
        self.exchange.draining = True
        for carrier in reversed(self.exchange.carriers):
            await carrier.stop()
        await self.server.stop()
        await self.store.close()

    async def _drained(self, seconds: float) -> None:
        """Wait until no leg is live, at most ``seconds`` of real time."""
        end = time.monotonic() + seconds
        while self.exchange.legs and time.monotonic() < end:
            await asyncio.sleep(0.05)

    # --- what the parts need from each other -----------------------------------------------------------

    def post(self, event: Event) -> None:
        """Hand an event to the runtime."""
        self.runtime.post(event)

    async def ask(self, event: Event) -> Any:
        """Hand an event to the runtime and wait for its answer."""
        return await self.runtime.ask(event)

    def lead(self, effect: Effect) -> float:
        """Real seconds that an answer has to arrive before what its request caused is told: where somebody listens."""
        return ANSWER_LEAD if type(effect) is Announce and self.bridge.sessions else 0.0

    def announce(self, effect: Announce) -> None:
        """Perform ``Announce``: tell every listener."""
        for listener in self.listeners:
            listener(effect)

    def _notification(self, code: int | None) -> dict[str, Any] | None:
        """What an agent is shown for a reason code, in the texts of the settings."""
        found = notifications.render(code, self.texts)
        return None if found is None else found.to_json()

    def lane_ended(self, lane: Lane, error: Exception) -> None:
        """A lane is given up after a bug: the account's debugger says so."""
        self._start(self._lane_ended(lane, error))

    async def _lane_ended(self, lane: Lane, error: Exception) -> None:
        record = await self.store.get(Workspace, lane.sid) if lane.kind == "workspace" else None
        text = f"A defect of this server stopped the {lane.kind} ({type(error).__name__}); restart it, and see its log"
        await self._alert(
            20500, text, lane.sid, record.account_sid if record is not None else self.account_sid
        )

    async def warn(self, step: Warn) -> None:
        """A promise to a caller is not kept: the debugger says so."""
        await self._alert(14222, step.text, step.subject, self.account_sid)

    async def _alert(self, code: int, text: str, subject: str, account_sid: str) -> None:
        now = self.clock.now()
        entry = Alert(
            sid=self.new_sid("NO"), account_sid=account_sid, date_created=now, date_updated=now, error_code=code,
            message_text=text, message_date=now, resource_sid=subject, more_info=explained(code),
            call_sid=subject if subject.startswith("CA") else None,
        )  # fmt: skip
        await self.store.commit([Save(entry)])

    def _store_changed(self, why: str, seconds: float, serious: bool) -> None:
        """The database cannot be written, or can be again: new calls go elsewhere when it takes long, and the debugger
        has an entry when it is over."""
        if why:
            asyncio.get_running_loop().call_later(NO_NEW_CALLS, self._take_calls)
            return
        self._take_calls()
        if not serious:
            return
        text = f"The database could not be written for {seconds:.1f} s; what was to be written was kept, and is now"
        self._start(self._alert(20503, text, self.account_sid, self.account_sid))

    def _take_calls(self) -> None:
        self.exchange.refusing = bool(self.store.trouble)

    def keep(self, effects: Sequence[Effect]) -> None:
        """Commit what needs no handler (deadlines), in order, and arm it."""
        self.store.commit_soon(effects)
        self.timers.follow(effects)

    async def token_of(self, account_sid: str) -> str:
        """The auth token that signs an account's webhooks."""
        try:
            account = await self.authenticator.account(account_sid)
        except Unavailable:  # a live call must not end because the database is away
            if account_sid not in self._tokens:
                raise
            return self._tokens[account_sid]
        token = account.auth_token if account is not None else ""
        if len(self._tokens) > KNOWN_TOKENS:
            self._tokens.clear()
        self._tokens[account_sid] = token
        return token

    async def is_ours(self, number: str) -> bool:
        return await self.directory.routing(number) is not None

    async def _delivered(self, row_sid: str, records: Sequence[Any]) -> None:
        writes = [each if isinstance(each, SendWebhook) else Save(each) for each in records]
        leave(self, await self.store.commit([*writes, OutboxDone(row_sid)]))

    async def _forget_recording(self, record: Recording) -> None:
        """Retention removes a recording as the API does."""
        lane = Lane("recording", record.sid)
        sid, account_sid = record.sid, record.account_sid
        await self.ask(
            WriteRequested(lane=lane, noun="Recording", operation="delete", sid=sid, account_sid=account_sid)
        )
        await asyncio.to_thread(remove_sound, self.recordings, record.sid)

    def _drop_leg(self, call_sid: str) -> None:
        """End a leg that no call owns."""
        self.exchange.perform(HangUpLeg(call_sid=call_sid, reason="time-limit"))
        self.exchange.release(ReleaseCall(call_sid=call_sid))

    def check_caller_id(self, effect: CheckCallerId) -> None:
        """Perform the look-up of a caller id; answered by ``CallerIdChecked``."""
        self._start(self._check(effect, self.clock.hold()))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _check(self, effect: CheckCallerId, hold: Hold) -> None:
        try:
            sid = await self.directory.caller_id(effect.account_sid, effect.number)
            self.post(
                CallerIdChecked(
                    call_sid=effect.call_sid,
                    request=effect.request,
                    allowed=sid is not None,
                    phone_number_sid=sid,
                )
            )
        finally:
            hold.release()

    def find_application(self, effect: FindApplication) -> None:
        """Perform the look-up of an application; answered by ``ApplicationFound``."""
        self._start(self._find_application(effect, self.clock.hold()))

    async def _find_application(self, effect: FindApplication, hold: Hold) -> None:
        try:
            routing = await self.directory.dialled_application(effect.account_sid, effect.application_sid)
            self.post(ApplicationFound(call_sid=effect.call_sid, request=effect.request, routing=routing))
        finally:
            hold.release()

    def not_ready(self) -> str:
        """Why calls cannot be taken now; empty: they can."""
        return self.store.broken or self.disk.full() or ("" if self._ready else "starting or stopping")

    async def figures(self) -> Mapping[str, float]:
        """Numbers for ``/metrics``."""
        carried = await self.sip.figures() if self.sip is not None else {}
        heard = self.transcriber.figures() if self.transcriber is not None else {}
        return {
            **carried,
            **heard,
            **self.transcriptions.figures(),
            **self.reconciler.figures(),
            **self.callbacks.figures(),
            **self.sounds.figures(),
            **self.media.figures(),
            **self.speech.figures(),
            **self.sender.figures(),
            **self.rest.figures(),
            **self.server.figures(),
            "callbacks_given_up": float(self.outbox.parked),
            "callbacks_repeated_total": float(self.outbox.repeated),
            **self.store.figures(),
            **self.retention.figures(),
            **self.usage.figures(),
            **self.texting.figures(),
            "disk_free_bytes": float(self.disk.free()),
            "calls_live": float(self.exchange.legs),
            "calls_queued": float(self.dialler.waiting),
            "webhooks_owed": float(self.outbox.waiting),
            "webhooks_delivered_total": float(self.outbox.delivered),
            "documents_in_flight": float(self.documents.in_flight),
            "events_handled_total": float(self.runtime.handled),
            "bugs_total": float(self.runtime.mending.bugs),
            "lanes_ended": float(len(self.runtime.mending.ended)),
            "events_dropped_total": float(self.runtime.dropped),
            "lanes": float(self.runtime.lanes),
            "timers": float(len(self.timers)),
            "uptime_seconds": time.monotonic() - self.started_at,
        }


def _texts(settings: Settings) -> dict[str, str]:
    """What agents are told; raises :class:`SettingsError` for a text that there is not."""
    try:
        return notifications.texts(dict(settings.notifications))
    except ValueError as error:
        raise SettingsError(f"[notifications]: {error}") from None


def _new_token() -> str:
    return str(uuid.uuid4())
