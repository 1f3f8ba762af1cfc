"""The five operations, the same for every declared resource."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
from typing import Any

from ringback.effects import Delete, Save
from ringback.kernel.errors import Refused
from ringback.kernel.resource import Record, snake
from ringback.kernel.sid import is_sid
from ringback.store import Condition, Conflict, DeleteIf, SaveIf, Stale
from ringback.web.rest import paging, rules
from ringback.web.rest.answer import Answer, json_answer
from ringback.web.rest.context import Context
from ringback.web.rest.params import read_value
from ringback.web.rest.routing import Target
from ringback.web.rest.rule import Rule

_AUTOMATIC = ("sid", "account_sid", "date_created", "date_updated")
TRIES = 5
"""Times that an update or delete is tried on a record which others keep writing meanwhile."""


def not_found(path: str) -> Refused:
    """404/20404 with the usual text."""
    return Refused(20404, f"The requested resource {path} was not found", 404)


async def check_parents(ctx: Context, nouns: dict[str, type[Record]], rule: Rule) -> None:
    """Every record that the path names (``CallSid`` …) must exist; raises 20404."""
    for name in ctx.place.parents:
        if name == "AccountSid":
            continue
        parent = nouns.get(name)
        if parent is None:
            continue
        word = await rule.parent(ctx, name, ctx.args[name])
        source = ctx.services.sources.get(parent)
        if source is not None:
            found: Any = await source.fetch(ctx, word)
        else:
            word = _normal(word)
            found = await ctx.store.get(parent, word, ctx.account.sid) if is_sid(word) else None
        if found is None:
            raise not_found(ctx.path)
        ctx.args[name] = found.sid


async def run(ctx: Context, target: Target, operation: str) -> Answer:
    """Carry out one operation."""
    if operation == "list":
        return await _list(ctx, target)
    if operation == "create":
        return await _create(ctx, target)
    ctx.record = await _lookup(ctx, target)
    if operation == "fetch":
        return _shown(ctx, target, 200)
    async with ctx.services.locks(ctx.record.sid):
        for _ in range(TRIES):
            ctx.record = await _lookup(ctx, target)
            _check_version(ctx)
            with contextlib.suppress(Stale):
                return await (_update(ctx, target) if operation == "update" else _delete(ctx, target))
        raise Refused(20409, "The resource is being changed by others; try again", 409)


def _normal(sid: str) -> str:
    return sid[:2] + sid[2:].lower()


async def _lookup(ctx: Context, target: Target) -> Any:
    noun = target.view.noun
    source = ctx.services.sources.get(noun.record)
    if source is not None:
        found = await source.fetch(ctx, ctx.args["Sid"])
        if found is None:
            raise not_found(ctx.path)
        return found
    sid = await rules.of(noun.record).resolve(ctx, ctx.args["Sid"])
    sid = _normal(sid)
    if not is_sid(sid, noun.prefix):
        raise not_found(ctx.path)
    account_sid = None if noun.name == "Account" else ctx.account.sid
    read = await ctx.store.get_versioned(noun.record, sid, account_sid)
    record, ctx.version = read or (None, None)
    if record is None or not rules.of(noun.record).visible(ctx, record):
        raise not_found(ctx.path)
    for name in ctx.place.parents:
        if name != "AccountSid" and getattr(record, snake(name), ctx.args[name]) != ctx.args[name]:
            raise not_found(ctx.path)
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


def _shown(ctx: Context, target: Target, status: int) -> Answer:
    body = target.view.body(ctx.record, ctx.args)
    rules.of(target.view.noun.record).decorate(ctx, ctx.record, body, created=status == 201)
    answer = json_answer(status, body)
    if ctx.place.etag:
        answer.headers.append((b"etag", etag(ctx.record).encode()))
    return answer


async def _list(ctx: Context, target: Target) -> Answer:
    view = target.view
    query, number = paging.query_of(view, target.filters, ctx.params)
    fixed = [
        Condition(snake(name), "=", ctx.args[name])
        for name in ctx.place.parents
        if snake(name) in view.noun.by_name and name != "AccountSid"
    ]
    if view.noun.name != "Account":
        fixed.append(Condition("account_sid", "=", ctx.account.sid))
    fixed += rules.of(view.noun.record).only(ctx)
    query = dataclasses.replace(query, conditions=[*fixed, *query.conditions])
    source = ctx.services.sources.get(view.noun.record)
    page = await (source.page(ctx, query) if source else ctx.store.page(view.noun.record, query))
    items = [view.body(record, ctx.args, detail=False) for record in page.records]
    rule = rules.of(view.noun.record)
    for record, item in zip(page.records, items, strict=True):
        rule.decorate(ctx, record, item, created=False)
    path = view.list_path(None, ctx.args)
    base = "" if ctx.place.classic else f"{ctx.services.settings.public_url}/{ctx.place.product}"
    if ctx.place.classic:
        path += ".json"
    body = paging.envelope(view, path, base, ctx.params, page, number, query.limit, items)
    return json_answer(200, body)


def _live(ctx: Context, target: Target, operation: str) -> Any:
    if operation not in ctx.place.live:
        return None
    handler = ctx.services.live.get(target.view.noun.record)
    if handler is None:
        raise Refused(20503, "Nobody carries out this operation here", 503)
    return handler


async def _create(ctx: Context, target: Target) -> Answer:
    noun = target.view.noun
    handler = _live(ctx, target, "create")
    if handler is not None:
        ctx.record = await handler.create(ctx, ctx.params)
        return _shown(ctx, target, ctx.place.created)
    own = await rules.of(noun.record).create(ctx)
    if own is not None:
        return json_answer(ctx.place.created, own)
    values: dict[str, Any] = {}
    for field in noun.fields:
        given = ctx.params.get(field.param)
        if given is not None and field.create:
            values[field.name] = read_value(field, given)
        elif field.required:
            raise Refused(field.missing_code, f"Missing {field.param}", 400)
    for name in ctx.place.parents:
        if snake(name) in noun.by_name:
            values[snake(name)] = ctx.args[name]
    settings = ctx.services.settings
    values["sid"], values["account_sid"] = settings.make_sid(noun.prefix), ctx.account.sid
    values["date_created"] = values["date_updated"] = ctx.now
    ctx.record = noun.record(**values)
    rule = rules.of(noun.record)
    async with ctx.services.locks(rule.lock(ctx.record)):
        await rule.before_save(ctx, None)
        if not ctx.caller.is_test:
            await _commit(ctx, Save(ctx.record))
    rule.after_save(ctx)
    answer = _shown(ctx, target, 201)
    answer.status = ctx.place.created
    return answer


async def _update(ctx: Context, target: Target) -> Answer:
    handler = _live(ctx, target, "update")
    if handler is not None:
        ctx.record = await handler.update(ctx, ctx.params)
        return _shown(ctx, target, 200)
    noun = target.view.noun
    before = ctx.record
    ctx.record = record = copy.copy(before)
    for field in noun.fields:
        given = ctx.params.get(field.param)
        if given is not None and field.update and field.name not in _AUTOMATIC:
            setattr(record, field.name, read_value(field, given))
    record.date_updated = max(ctx.now, before.date_updated + 1e-6)
    rule = rules.of(noun.record)
    await rule.before_save(ctx, before)
    await _commit(ctx, Save(record) if ctx.version is None else SaveIf(record, ctx.version))
    rule.after_save(ctx)
    return _shown(ctx, target, 200)


async def _delete(ctx: Context, target: Target) -> Answer:
    handler = _live(ctx, target, "delete")
    if handler is not None:
        await handler.delete(ctx, ctx.params)
    else:
        rule = rules.of(target.view.noun.record)
        await _commit(
            ctx, DeleteIf(ctx.record, ctx.version) if ctx.version is not None else Delete(ctx.record)
        )
        rule.after_save(ctx)
    return Answer(204)


async def _commit(ctx: Context, write: Save | SaveIf | Delete | DeleteIf) -> None:
    try:
        await ctx.store.commit([write])
    except Conflict:
        raise rules.of(type(ctx.record)).conflict(ctx) from None
