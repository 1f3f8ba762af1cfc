"""Events: they alone are read from the store (taskrouter.md §10)."""

from __future__ import annotations

import dataclasses
from typing import Any

from ringback.kernel.errors import Refused
from ringback.kernel.sid import is_sid, sid_at
from ringback.resources.taskrouter.event import Event
from ringback.store import Condition, Page, Query
from ringback.web.nouns import NounRules
from ringback.web.rest.context import Context
from ringback.web.taskrouter.filters import given
from ringback.web.taskrouter.workspaces import normal, workspace_of

WINDOW = 15
"""Minutes that are shown when nothing else says how far back to look."""
KEPT = 30 * 24 * 60
"""Minutes that events are kept."""
ONE_THING = ("Sid", "TaskSid", "ReservationSid")
"""Filters that find one story: it is shown whole, however old it is."""
MARGIN = 300.0
"""Seconds by which the time in an event's SID may differ from its date."""


class EventRules(NounRules):
    """What happened in the workspace, newest first."""

    noun = Event

    def decorate(self, ctx: Context, record: Any, body: dict[str, Any], *, created: bool) -> None:
        """Events keep paths; they are shown as URLs: ``resource_url`` and ``actor_url``."""
        base = f"{ctx.services.settings.public_url}/{ctx.place.product}"
        for key in ("resource_url", "actor_url"):
            if body[key] is not None:
                body[key] = base + body[key]

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the list, with every filter of §10.

        ``Minutes`` counts back from now and is 15 by default, unless StartDate, EndDate, or one of Sid, TaskSid
        and ReservationSid is given.
        """
        workspace, params = workspace_of(self.ports.taskrouter, ctx), ctx.params
        conditions = [
            Condition(one.name, one.operator, normal(one.value) if isinstance(one.value, str) else one.value)
            for one in query.conditions
        ]
        since = _since(ctx)
        if since is not None:
            conditions.append(Condition("event_date", ">=", since))
        sid = given(params, "Sid")
        if sid:
            conditions.append(Condition("sid", "=", normal(sid)))
        channel = normal(given(params, "TaskChannel"))
        if channel:
            known = workspace.channel_names.get(channel, channel)
            conditions.append(Condition("task_channel_sid", "=", known))
        reservation = workspace.reservations.get(normal(given(params, "ReservationSid")))
        if reservation is not None:
            conditions.append(Condition("task_sid", "=", reservation.task_sid))
        conditions += _between(conditions)
        if any(one.name == "task_sid" for one in conditions):
            return await self._of_task(ctx, conditions, query, workspace.record.sid)
        return await ctx.store.page(Event, dataclasses.replace(query, conditions=conditions))

    async def _of_task(
        self, ctx: Context, conditions: list[Condition], query: Query, workspace_sid: str
    ) -> Page:
        """Events of one task: found by its index alone, and that is of one workspace.

        With a condition on the account the database would rather walk through all of the account's events.
        """
        narrow = [one for one in conditions if one.name not in ("account_sid", "workspace_sid")]
        found = await ctx.store.page(Event, dataclasses.replace(query, conditions=narrow))
        foreign = any(one.workspace_sid != workspace_sid for one in found.records)
        return Page([], more_after=False, more_before=False) if foreign else found

    async def fetch(self, ctx: Context, word: str) -> Event | None:
        """By SID."""
        workspace = workspace_of(self.ports.taskrouter, ctx)
        found = await ctx.store.get(Event, normal(word), ctx.account.sid) if is_sid(word, "EV") else None
        return found if found is not None and found.workspace_sid == workspace.record.sid else None


def _since(ctx: Context) -> float | None:
    """Unix seconds from which on ``Minutes`` shows events; None: it does not count."""
    text = given(ctx.params, "Minutes")
    if text:
        if not (text.isascii() and text.isdigit() and len(text) < 7 and 1 <= int(text) <= KEPT):
            raise Refused(20001, f"Minutes must be 1 to {KEPT}")
        return ctx.now - 60 * int(text)
    if any(given(ctx.params, name) for name in ("StartDate", "EndDate", *ONE_THING)):
        return None
    return ctx.now - 60 * WINDOW


def _between(conditions: list[Condition]) -> list[Condition]:
    """The dates once more as bounds of the SID, which is the primary key and begins with the time (kernel/sid.py)."""
    found: list[Condition] = []
    for one in conditions:
        if one.name != "event_date":
            continue
        if one.operator in (">=", ">"):
            found.append(Condition("sid", ">=", sid_at("EV", one.value - MARGIN)))
        else:
            found.append(Condition("sid", "<", sid_at("EV", one.value + MARGIN)))
    return found
