"""The composition root's web side: every application of the HTTP server, built from the product's parts."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, cast

from ringback.callbacks import doors
from ringback.callbacks.feature import Feature
from ringback.callbacks.options import read_options
from ringback.callbacks.release import allowed_now
from ringback.edges.simulator.api import build_sim
from ringback.edges.sounds.encode import encode_mp3
from ringback.outcomes import cdr
from ringback.resources import all_nouns
from ringback.resources.api.call import Call
from ringback.resources.api.conference import Conference
from ringback.resources.api.participant import Participant
from ringback.resources.api.queue import Member, Queue
from ringback.resources.api.recording import Recording
from ringback.resources.api.transcription import Transcription
from ringback.resources.voice.country import Country
from ringback.settings import SettingsError
from ringback.taskrouter import replay, statistics
from ringback.taskrouter.explanation import explain
from ringback.taskrouter.expression import compile_expression
from ringback.web.auth import read_token
from ringback.web.caller_ids import CallerIds
from ringback.web.calls import LiveCalls, LiveRecordings
from ringback.web.conferences import ConferenceSource, LiveConferences, LiveParticipants, ParticipantSource
from ringback.web.dialing_permissions import CountrySource, DialingPermissions
from ringback.web.event_bridge import EventBridge
from ringback.web.features.api import Api
from ringback.web.features.application import CallbackFeature
from ringback.web.features.local import Local
from ringback.web.features.notes import Notes
from ringback.web.features.retry import Retries
from ringback.web.features.running import Runner
from ringback.web.outcomes import outcome_views
from ringback.web.queues import LiveMembers, LiveQueues, MemberSource, QueueSource
from ringback.web.reconciliation import Reconciliation
from ringback.web.rest.application import build_rest
from ringback.web.rest.context import RestSettings
from ringback.web.server import Front
from ringback.web.status import Status
from ringback.web.taskrouter import live_taskrouter, sources_taskrouter
from ringback.web.taskrouter_views import taskrouter_views
from ringback.web.token_validation import token_validation
from ringback.web.transcriptions import LiveTranscriptions

if TYPE_CHECKING:
    from ringback.app import Ringback
    from ringback.taskrouter.expression import Scope


def build_bridge(product: Ringback) -> EventBridge:
    """What the worker SDK speaks to (taskrouter-js.md)."""
    return EventBridge(
        taskrouter=product.taskrouter,
        ask=product.ask,
        read_token=lambda token: read_token(product.store, token, product.clock.now()),
        clock=product.clock,
        new_sid=product.new_sid,
        compile_expression=lambda text, scope: compile_expression(text, cast("Scope", scope)),
        keep=product.keep,
        offline_after=product.settings.agent_offline_after,
        notice=product.notices.of_news,
    )


def build_callbacks(product: Ringback) -> CallbackFeature:
    """Callback and voicemail: a customer of the public API. Raises ``SettingsError`` for a bad ``[callback]``."""
    settings = product.settings
    try:
        options = read_options(settings.callback, settings.base_url)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    known = product.credentials
    token = options.auth_token or known.auth_token
    api = Api(
        lambda: options.base_url or product.http_url,
        options.account_sid or known.account_sid,
        token,
        Retries(options.retry_limit, options.min_backoff, options.max_backoff),
        local=None if options.base_url else Local(lambda: product.front),
    )
    return CallbackFeature(
        doors=doors,
        allowed=allowed_now,
        feature=Feature(options),
        runner=Runner(api, Notes(settings.data_dir / "callbacks")),
        clock=product.clock,
        public_url=settings.base_url,
        auth_token=token,
        read_token=lambda text: read_token(product.store, text, product.clock.now()),
    )


def build_front(product: Ringback) -> Front:
    """Everything that is served; also tells the product its authenticator."""
    directory, ask, settings, taskrouter = (
        product.directory,
        product.runtime.ask,
        product.settings,
        product.taskrouter,
    )
    rest = build_rest(
        product.store,
        all_nouns(),
        {
            Call: LiveCalls(
                directory=directory,
                ask=ask,
                new_sid=product.new_sid,
                closed=lambda: product.exchange.draining,
            ),
            Recording: LiveRecordings(ask=ask, new_sid=product.new_sid),
            Transcription: LiveTranscriptions(ask),
            Queue: LiveQueues(ask=ask, new_sid=product.new_sid),
            Member: LiveMembers(ask=ask),
            Conference: LiveConferences(ask),
            Participant: LiveParticipants(
                numbers=directory, ask=ask, new_sid=product.new_sid, closed=lambda: product.exchange.draining
            ),
            **live_taskrouter(ask, product.new_sid),
        },
        RestSettings(
            public_url=settings.base_url,
            now=product.clock.now,
            make_sid=product.new_sid,
            make_secret=lambda: secrets.token_hex(16),
            recordings=product.recordings,
            encode_mp3=encode_mp3,
            recording_auth=settings.recording_auth,
            test_account_sid=product.credentials.test_account_sid,
            test_auth_token=product.credentials.test_auth_token,
        ),
        sources={
            Queue: QueueSource(product.voice.queues),
            Member: MemberSource(product.voice.queues),
            Conference: ConferenceSource(product.voice.conferences, product.new_sid),
            Participant: ParticipantSource(product.voice.conferences, product.voice.call_status),
            Country: CountrySource(product.permissions),
            **sources_taskrouter(taskrouter, product.store, compile_expression=compile_expression),
        },
        extra=(
            *taskrouter_views(
                taskrouter.workspaces,
                statistics=statistics,
                explain=explain,
                replay=replay,
                ask=ask,
                new_sid=product.new_sid,
            ),
            *DialingPermissions(product.permissions).extras,
            *outcome_views(taskrouter.workspaces, product.notices),
            *product.lookups.extras,
            token_validation(taskrouter),
        ),
        follow=lambda record, gone: product.permissions.follow(record, gone=gone),
    )
    product.authenticator = rest.services.auth
    if settings.verify_caller_ids == "call":
        rest.services.verify = CallerIds(
            ask=ask,
            new_sid=product.new_sid,
            new_code=lambda: f"{secrets.randbelow(1_000_000):06d}",
            closed=lambda: product.exchange.draining,
        ).verify
    status = Status(ready=product.not_ready, figures=product.figures)
    prefixes: dict[str, Any] = dict.fromkeys(("health", "ready", "metrics", "welcome"), status)
    prefixes["event-bridge"] = product.bridge
    prefixes["features"] = product.callbacks
    prefixes["reconcile"] = Reconciliation(
        rounds=product.reconciler,
        operates=product.operates,
        read=cdr.read,
        seconds=cdr.seconds,
        bad_file=cdr.BadFile,
    )
    if product.simulating:
        prefixes["sim"] = build_sim(product.simulator, product.clock, product.faults, product.signed_in)
    return Front(rest, prefixes, by_host={"event-bridge": product.bridge})
