"""The composition root's web side: every application of the HTTP server, built from the product's parts."""

from __future__ import annotations

import dataclasses
import secrets
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, cast

from ringback.callbacks import doors
from ringback.callbacks.feature import Feature
from ringback.callbacks.options import read_options
from ringback.callbacks.release import allowed_now
from ringback.conversations import pre_event, users
from ringback.edges.carriers.simulated import SimulatedCarrier
from ringback.edges.exchange import Exchange
from ringback.edges.simulator.api import build_sim
from ringback.edges.simulator.faults import Faults
from ringback.edges.simulator.texts import message_endpoints
from ringback.edges.sounds.encode import encode_mp3
from ringback.effects import Effect
from ringback.effects.features import Warn
from ringback.events import Event
from ringback.firstrun import Credentials
from ringback.kernel.origins import read_origins
from ringback.outcomes import cdr
from ringback.outcomes.permissions import Permissions
from ringback.processes.descriptors import connections_within
from ringback.resources import all_nouns
from ringback.resources.conversations.user import User
from ringback.runtime.disk import Disk
from ringback.runtime.emptying import Emptying
from ringback.runtime.outbox import Outbox
from ringback.runtime.real_clock import RealClock
from ringback.runtime.reconciler import Reconciler
from ringback.runtime.runtime import Runtime
from ringback.runtime.virtual_clock import VirtualClock
from ringback.settings import Settings, SettingsError
from ringback.store.store import Store
from ringback.taskrouter import replay, statistics
from ringback.taskrouter.explanation import explain
from ringback.taskrouter.expression import Scope, compile_expression
from ringback.taskrouter.router import TaskRouter
from ringback.texting import TextingPart
from ringback.voice.switchboard import Switchboard
from ringback.voice.verbs import collect as collect_verbs
from ringback.web import audit
from ringback.web.access import Access
from ringback.web.auth import Authenticator
from ringback.web.conversations.looked_up import LookUps
from ringback.web.conversations.pairs import PairFacts
from ringback.web.conversations.pre_events import PreEvents
from ringback.web.conversations.setup import ConversationsWeb
from ringback.web.directory import Directory
from ringback.web.docs import reference
from ringback.web.docs.doors import of_features, of_paths, of_routes
from ringback.web.docs.site import Docs
from ringback.web.docs.vocabulary import Door, Sources, errors
from ringback.web.event_bridge import EventBridge
from ringback.web.features.api import Api
from ringback.web.features.application import CallbackFeature
from ringback.web.features.local import Local
from ringback.web.features.notes import Notes
from ringback.web.features.retry import Retries
from ringback.web.features.running import Runner
from ringback.web.frontline.asking import Callbacks
from ringback.web.frontline.public import Public
from ringback.web.frontline.worker_app import Frontline
from ringback.web.limits import HttpLimits
from ringback.web.lookups import Lookups
from ringback.web.mcs.files import Files
from ringback.web.mcs.media_api import PATHS as MEDIA_PATHS
from ringback.web.mcs.media_api import MediaApplication
from ringback.web.mcs.media_store import MediaStore
from ringback.web.nouns import collect
from ringback.web.nouns.ports import Ports
from ringback.web.outcomes import FailureNotices
from ringback.web.reconciliation import Reconciliation
from ringback.web.relay_tokens import RelayTokens
from ringback.web.rest.application import RestApplication, build_rest
from ringback.web.rest.context import RestSettings
from ringback.web.routes import Rule
from ringback.web.server import Front
from ringback.web.simulator_access import SimulatorAccess
from ringback.web.status import PATHS as STATUS_PATHS
from ringback.web.status import Status
from ringback.web.webchat.door import WebChatDoor
from ringback.web.webchat.shown import Shown
from ringback.web.webchat.waiting import Waiting
from ringback.web.webchat.writing import Writing
from ringback.web.webhooks.sender import WebhookSender


class Product(Protocol):
    """What of the product (``app.py``) its web side is built from."""

    settings: Settings
    credentials: Credentials
    store: Store
    clock: VirtualClock | RealClock
    recordings: Path
    permissions: Permissions
    lookups: Lookups
    notices: FailureNotices
    voice: Switchboard
    disk: Disk
    taskrouter: TaskRouter
    directory: Directory
    exchange: Exchange
    simulator: SimulatedCarrier
    texting: TextingPart
    faults: Faults
    reconciler: Reconciler
    emptying: Emptying
    media: MediaStore
    outbox: Outbox
    runtime: Runtime
    bridge: EventBridge
    callbacks: CallbackFeature
    conversations: ConversationsWeb
    web_chats: Waiting
    sender: WebhookSender
    front: Front
    authenticator: Authenticator
    rest: RestApplication
    access: Access

    @property
    def new_sid(self) -> Callable[[str], str]:
        """Makes a SID of the kind that its prefix says."""

    @property
    def http_url(self) -> str:
        """Where the server really listens."""

    @property
    def simulating(self) -> bool:
        """Whether ``/sim/v1`` is served."""

    async def ask(self, event: Event) -> Any:
        """Hand an event to the runtime and wait for its answer."""

    async def warn(self, step: Warn) -> None:
        """Tell the operator of a promise that is not kept."""

    def keep(self, effects: Sequence[Effect]) -> None:
        """Commit what needs no handler."""

    async def token_of(self, account_sid: str) -> str:
        """The auth token that signs an account's webhooks."""

    def not_ready(self) -> str:
        """Why calls cannot be taken now; empty: they can."""

    async def figures(self) -> Mapping[str, float]:
        """Numbers for ``/metrics``."""


def build_bridge(product: Product) -> EventBridge:
    """What the worker SDK speaks to (taskrouter-js.md)."""
    return EventBridge(
        taskrouter=product.taskrouter,
        ask=product.ask,
        admit=lambda token: product.access.agent(token, product.taskrouter),
        still=lambda grant: product.access.still(grant, product.taskrouter),
        clock=product.clock,
        new_sid=product.new_sid,
        compile_expression=lambda text, scope: compile_expression(text, cast("Scope", scope)),
        keep=product.keep,
        offline_after=product.settings.agent_offline_after,
        notice=product.notices.of_news,
    )


def build_media(product: Product) -> MediaStore:
    """The files of messages."""
    return MediaStore(
        store=product.store,
        files=Files(product.settings.data_dir / "media"),
        clock=product.clock,
        limits=product.settings,
        new_sid=product.new_sid,
        secret_of=product.token_of,
        full=product.disk.full,
        public_url=product.settings.base_url,
    )


def build_conversations(product: Product) -> ConversationsWeb:
    """What the lane of conversations has looked up, and who is asked before it."""
    pre_events = PreEvents(
        store=product.store,
        sender=product.sender,
        clock=product.clock,
        auth_token=product.token_of,
        new_token=lambda: str(uuid.uuid4()),
        new_sid=product.new_sid,
        form=pre_event.form,
        changes=pre_event.changes,
    )
    return ConversationsWeb(
        look_ups=LookUps(product.store),
        pairs=PairFacts(product.store, pre_events, product.new_sid, product.clock.now, product.ask),
        pre_events=pre_events,
    )


def build_callbacks(product: Product) -> CallbackFeature:
    """Callback and voicemail: a customer of the public API. Raises ``SettingsError`` for a bad ``[callback]``."""
    settings = product.settings
    try:
        options = read_options(settings.callback, settings.base_url, settings.home_country)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    known = product.credentials
    token, account_sid = options.auth_token or known.auth_token, options.account_sid or known.account_sid
    elsewhere = bool(options.base_url)
    api = Api(
        lambda: options.base_url or product.http_url,
        account_sid,
        token,
        Retries(options.retry_limit, options.min_backoff, options.max_backoff),
        local=None if options.base_url else Local(lambda: product.front),
    )
    return CallbackFeature(
        doors=doors,
        allowed=allowed_now,
        feature=Feature(options),
        runner=Runner(api, Notes(settings.data_dir / "callbacks"), product.warn),
        clock=product.clock,
        public_url=settings.base_url,
        auth_token=token,
        admit=lambda text: product.access.agent(text, product.taskrouter, account_sid, elsewhere=elsewhere),
    )


def build_front(product: Product) -> Front:
    """Everything that is served; also tells the product who decides whom it lets in."""
    settings = product.settings
    ports = Ports(
        ask=product.runtime.ask,
        new_sid=product.new_sid,
        closed=lambda: product.exchange.draining,
        directory=product.directory,
        new_code=_code if settings.verify_caller_ids == "call" else None,
        queues=product.voice.queues,
        conferences=product.voice.conferences,
        call_status=product.voice.call_status,
        recordings=product.recordings,
        recording_auth=settings.recording_auth,
        encode_mp3=encode_mp3,
        media=product.media,
        media_auth=settings.media_auth,
        permissions=product.permissions,
        lookups=product.lookups,
        notices=product.notices,
        taskrouter=product.taskrouter,
        compile_expression=compile_expression,
        relay=RelayTokens(settings.relays, settings.turn_secret),
        simulates=settings.carrier == "simulated",
        statistics=statistics,
        explain=explain,
        replay=replay,
        owe=product.outbox.add,
        user_told=users.told,
        service_removed=product.emptying.start,
        pre_events=product.conversations.pre_events,
    )
    rest = build_rest(
        product.store.hurried(),
        all_nouns(),
        collect(ports),
        RestSettings(
            public_url=settings.base_url,
            now=product.clock.now,
            make_sid=product.new_sid,
            make_secret=lambda: secrets.token_hex(16),
            audit=audit.entry,
            operator_sid=product.credentials.account_sid,
            test_account_sid=product.credentials.test_account_sid,
            test_auth_token=product.credentials.test_auth_token,
            at_once=settings.api_requests,
        ),
    )
    auth, access = rest.services.auth, rest.services.access
    product.authenticator, product.access, product.rest = auth, access, rest
    status = Status(ready=product.not_ready, figures=product.figures, channels=product.texting.troubles)
    prefixes: dict[str, Any] = dict.fromkeys(("", "health", "ready", "metrics", "welcome"), status)
    prefixes["event-bridge"] = product.bridge
    prefixes["features"] = product.callbacks
    prefixes["frontline"] = frontline = build_frontline(product, access)
    prefixes["webchat"] = chat = build_web_chat(product, access)
    prefixes["carriers"] = product.texting.door
    prefixes["reconcile"] = Reconciliation(
        rounds=product.reconciler,
        admit=lambda header: access.admit(header, Rule.OPERATOR),
        read=cdr.read,
        seconds=cdr.seconds,
        bad_file=cdr.BadFile,
        trouble=lambda: product.store.broken,
    )
    prefixes["mcs"] = media = MediaApplication(
        product.media, product.store.hurried(), auth, access, product.clock.now, product.new_sid
    )
    simulator: list[Door] = []
    if product.simulating:
        testers = SimulatorAccess(
            access, auth, product.store, product.directory, product.credentials.account_sid
        )
        prefixes["sim"] = sim = build_sim(
            product.simulator,
            product.clock,
            product.faults,
            testers,
            message_endpoints(product.texting.simulated, testers),
        )
        simulator += of_routes(sim.endpoints, "Simulator")
    prefixes["docs"] = build_docs(
        product,
        rest,
        [
            *of_routes(frontline.endpoints, "Frontline: a worker's app"),
            *of_routes(chat.endpoints, "Web chat: a customer's browser"),
            *simulator,
        ],
    )
    by_host: dict[str, Any] = {"event-bridge": product.bridge, "mcs": media}
    return Front(rest, prefixes, by_host=by_host, own=frozenset({"sim"}))


def build_frontline(product: Product, access: Access) -> Frontline:
    """What a worker's app asks."""
    store = product.store.hurried()

    async def user(account_sid: str, service_sid: str, identity: str) -> User | None:
        return await store.first(
            User, account_sid=account_sid, chat_service_sid=service_sid, identity=identity
        )

    return Frontline(
        store=store,
        admit=lambda token: access.worker(token, user),
        callbacks=Callbacks(
            sender=product.sender, now=product.clock.now, auth_token=product.token_of,
            new_sid=product.new_sid, new_token=lambda: str(uuid.uuid4()), log=product.store.commit_soon,
        ),
        public=Public(Local(lambda: product.front), product.token_of),
        public_url=product.settings.base_url,
    )  # fmt: skip


def build_web_chat(product: Product, access: Access) -> WebChatDoor:
    """What a customer's browser asks."""
    store, clock = product.store.hurried(), product.clock
    return WebChatDoor(
        store=store,
        admit=access.visitor,
        waiting=product.web_chats,
        writing=Writing(
            store=store, ask=product.runtime.ask, pre_events=product.conversations.pre_events,
            media=product.media, new_sid=product.new_sid, now=clock.now,
        ),
        shown=Shown(store, product.media),
        now=clock.now,
        origins=read_origins(product.settings.web_chat_origins),
        public_url=product.settings.base_url,
    )  # fmt: skip


def http_limits(settings: Settings) -> HttpLimits:
    """What strangers may ask of the HTTP server."""
    given = {each.name: getattr(settings, f"http_{each.name}") for each in dataclasses.fields(HttpLimits)}
    return HttpLimits(**given | {"connections": connections_within(settings.http_connections, 0.5)})


def build_docs(product: Product, rest: RestApplication, simulator: Sequence[Door]) -> Docs:
    """The documentation of what was built. The account SID is in its examples only where nobody but this machine can
    read them: whoever knows it has half of the credentials, and a proxy lets strangers in."""
    settings = product.settings

    def sources() -> Sources:
        products, verbs = reference.products(rest.rules), tuple(collect_verbs().values())
        return Sources(
            products=products,
            prefixes=reference.prefixes(rest.rules),
            verbs=verbs,
            doors=(
                *of_features("/features/callback-and-voicemail/", doors.STUDIO, doors.FLEX),
                *simulator,
                *of_paths(MEDIA_PATHS, "Media store"),
                *of_paths(STATUS_PATHS, "Operation"),
            ),
            errors=errors(products, verbs),
        )

    return Docs(
        sources,
        base_url=lambda: settings.base_url if settings.public_url else product.http_url,
        account_sid=product.credentials.account_sid if settings.seen_from_here_only else "",
    )


def _code() -> str:
    """Six random digits."""
    return f"{secrets.randbelow(1_000_000):06d}"
