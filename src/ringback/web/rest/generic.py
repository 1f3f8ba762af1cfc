"""The five operations, the same for every declared resource."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterable
from typing import Any

from ringback.kernel.errors import Refused
from ringback.kernel.resource import Operation, snake
from ringback.store import Condition, Stale
from ringback.web.rest import paging
from ringback.web.rest.answer import Answer, json_answer
from ringback.web.rest.context import OWNER, Context
from ringback.web.rest.routing import Target
from ringback.web.rest.rules import General

TRIES = 5
"""Times that an update or delete is tried on a record which others keep writing meanwhile."""


def not_found(path: str) -> Refused:
    """404/20404 with the usual text."""
    return Refused(20404, f"The requested resource {path} was not found", 404)


async def check_parents(ctx: Context, target: Target) -> None:
    """Every record that the path names (``CallSid`` …) must exist, below those before it; raises 20404."""
    above: list[str] = []
    for name, rules in target.parents:
        implied = name in ctx.place.implied
        found = await rules.implied(ctx) if implied else await rules.fetch(ctx, ctx.args[name])
        if found is None:
            raise not_found(ctx.path)
        _check_place(ctx, found, above)
        ctx.args[name] = found.sid
        above.append(name)


def _check_place(ctx: Context, record: Any, above: Iterable[str]) -> None:
    """A record must be where the path says: what it knows of its parents are those of the path."""
    for name in above:
        if name != OWNER and getattr(record, snake(name), ctx.args[name]) != ctx.args[name]:
            raise not_found(ctx.path)


async def run(ctx: Context, target: Target, operation: str) -> Answer:
    """Carry out one operation."""
    if operation in ctx.place.live and isinstance(target.rules, General):
        raise Refused(20503, "Nobody carries out this operation here", 503)
    if operation == "list":
        return await _list(ctx, target)
    if operation == "create":
        made = await target.rules.create(ctx, ctx.params)
        if isinstance(made, Answer):
            return made
        ctx.record = made
        await _tell(ctx, target, "create", None, made)
        return _shown(ctx, target, ctx.place.created, created=True)
    ctx.record = await _lookup(ctx, target)
    if operation == "fetch":
        return _shown(ctx, target, 200)
    async with ctx.services.locks(ctx.record.sid):
        for _ in range(TRIES):
            ctx.record = await _lookup(ctx, target)
            _check_version(ctx)
            with contextlib.suppress(Stale):
                before = ctx.record.copy()  # what is in memory is changed where it stands
                if operation == "delete":
                    await target.rules.delete(ctx, ctx.params)
                    await _tell(ctx, target, "delete", before, None)
                    return Answer(204)
                ctx.record = await target.rules.update(ctx, ctx.params)
                await _tell(ctx, target, "update", before, ctx.record)
                return _shown(ctx, target, 200)
        raise Refused(20409, "The resource is being changed by others; try again", 409)


async def _tell(ctx: Context, target: Target, operation: Operation, before: Any, after: Any) -> None:
    """Log a write that was not logged in its own transaction: of a live noun."""
    if operation in target.rules.audited and not ctx.audited:
        told = target.rules.told(ctx, operation, before, after)
        if told:
            await ctx.store.commit(told)


async def _lookup(ctx: Context, target: Target) -> Any:
    record = await target.rules.fetch(ctx, ctx.args["Sid"])
    if record is None or not target.rules.visible(ctx, record):
        raise not_found(ctx.path)
    _check_place(ctx, record, ctx.place.scope)
    return record


def etag(record: Any) -> str:
    """The version of a record: its counter when it has one, else its last change, exactly."""
    version = getattr(record, "version", None)
    return f'"{record.date_updated.hex() if version is None else version}"'


def wanted_version(ctx: Context) -> str | None:
    """The version of ``If-Match`` without its quotes; None when any will do (rest-conventions.md §8)."""
    given = ctx.headers.get(b"if-match")
    if not ctx.place.etag or given is None:
        return None
    text = given.decode("latin-1").strip().removeprefix("W/").strip('"')
    return None if text in ("", "*") else text


def _check_version(ctx: Context) -> None:
    wanted = wanted_version(ctx)
    if wanted is not None and wanted != etag(ctx.record).strip('"'):
        raise Refused(20412, "Precondition Failed", 412)


def _shown(ctx: Context, target: Target, status: int, *, created: bool = False) -> Answer:
    body = target.view.body(ctx.record, ctx.args)
    target.rules.decorate(ctx, ctx.record, body, created=created)
    answer = json_answer(status, body)
    if ctx.place.etag:
        answer.headers.append((b"etag", etag(ctx.record).encode()))
    return answer


async def _list(ctx: Context, target: Target) -> Answer:
    view, rules = target.view, target.rules
    query, number = paging.query_of(view, target.filters, ctx.params)
    fixed = [
        Condition(snake(name), "=", ctx.args[name])
        for name in ctx.place.scope
        if snake(name) in view.noun.by_name and name != OWNER
    ]
    if not rules.owns_itself:
        fixed.append(Condition("account_sid", "=", ctx.account.sid))
    fixed += rules.only(ctx)
    page = await rules.page(ctx, dataclasses.replace(query, conditions=[*fixed, *query.conditions]))
    items = view.bodies(page.records, ctx.args)
    for record, item in zip(page.records, items, strict=True):
        rules.decorate(ctx, record, item, created=False)
    path = view.list_path(None, ctx.args)
    base = "" if ctx.place.classic else f"{ctx.services.settings.public_url}/{ctx.place.product}"
    if ctx.place.classic:
        path += ".json"
    return json_answer(200, paging.envelope(view, path, base, ctx.params, page, number, query, items))
