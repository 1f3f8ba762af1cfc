"""How REST treats a noun. These are the general rules; ``web/nouns/`` has a file for each noun that has others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from ringback.effects import Delete, Effect, Save
from ringback.kernel.errors import Refused
from ringback.kernel.resource import Operation, Record, pascal, snake
from ringback.kernel.sid import is_sid
from ringback.store import Condition, Conflict, DeleteIf, Page, Query, SaveIf
from ringback.web.rest.context import OWNER, Context, Params
from ringback.web.rest.params import NOT_GIVEN, read_given

Handler = Callable[[Context], Awaitable[Any]]


class Extra(NamedTuple):
    """A path below or beside a noun, with a handler of its own."""

    path: str
    """With its version and ``{CallSid}`` parts; these records must exist."""
    methods: Mapping[str, str]
    """HTTP method → operation."""
    handler: Handler
    """Gives an ``Answer``; raises ``Refused``."""
    product: str = ""
    """Empty: the noun's own."""
    takes: Mapping[str, str] = MappingProxyType({})
    """Its parameters with their documentation; ``Required.`` before it for those that must be given."""
    json: bool = False
    """Whether its body is JSON."""
    implied: tuple[str, ...] = ()
    """Parts that the path leaves out (``Place.implied``)."""


class Rules:
    """The general rules: read from the store, written to the store.

    A place's live operations (``kernel/resource.py``) must be overridden: what they do becomes an event.
    """

    noun: type[Record]
    """Whose rules they are."""
    manages = False
    """Closed to standard API keys."""
    tests = False
    """Open to test credentials."""
    audited: frozenset[Operation] = frozenset({"create", "update", "delete"})
    """Writes that the audit log tells of: those of what is configured, not of what comes and goes with the traffic."""
    owns_itself = False
    """Its records belong to nobody else: they are not looked for among what the request's account has."""
    body_limit: int | None = None
    """Bytes of a request's body, where it may be larger than the setting says."""
    media: tuple[str, ...] = ()
    """Suffixes of a record's path that lead to :meth:`sound`, not to JSON (``.wav``; empty: no suffix)."""
    open_media = False
    """Whether these are given without credentials."""

    @property
    def extras(self) -> Sequence[Extra]:
        """Further paths."""
        return ()

    # --- reading ---------------------------------------------------------------------------------------

    async def fetch(self, ctx: Context, word: str) -> Any:
        """The record that a word of the path names, as its last part or on the way; None: there is none.

        A word is a SID, or what the declaration's ``names`` says.
        """
        noun, sid = self.noun.__noun__, normal(word)
        owner = None if self.owns_itself else ctx.account.sid
        record = ctx.version = None
        if is_sid(sid, noun.prefix):
            record, ctx.version = await ctx.store.get_versioned(self.noun, sid, owner) or (None, None)
        if record is None and noun.names and "\0" not in word:  # which PostgreSQL takes in no text
            named = await self._named(ctx, word)  # a name may look like a SID
            sid = named.sid if named is not None else ""
            record, ctx.version = await ctx.store.get_versioned(self.noun, sid, owner) or (None, None)
        return record

    async def _named(self, ctx: Context, word: str) -> Any:
        noun = self.noun.__noun__
        field = noun.by_name[noun.names]
        values = {"account_sid": ctx.account.sid, noun.names: word}
        if field.unique not in ("account", "everywhere"):
            values[field.unique] = ctx.args[pascal(field.unique)]
        return await ctx.store.first(self.noun, **values)

    async def implied(self, ctx: Context) -> Any:
        """The record that a path means which leaves this noun's part out (``Place.implied``). Raises ``Refused``."""
        raise NotImplementedError(f"no {self.noun.__noun__.name} is implied in {ctx.path}")

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the list; ``memory.page_of`` does it for records in memory. Raises ``Refused``."""
        return await ctx.store.page(self.noun, query)

    def visible(self, ctx: Context, record: Any) -> bool:
        """Whether the record may be seen."""
        return True

    def only(self, ctx: Context) -> list[Condition]:
        """Conditions that every list has."""
        return []

    def decorate(self, ctx: Context, record: Any, body: dict[str, Any], *, created: bool) -> None:
        """Add to the JSON of a record."""

    async def sound(self, ctx: Context, suffix: str) -> Any:
        """The ``Answer`` with a record's media; raises ``Refused``."""
        raise NotImplementedError

    # --- writing ---------------------------------------------------------------------------------------

    def told(self, ctx: Context, operation: Operation, before: Any, after: Any) -> list[Save]:
        """The audit log's entry of a change, for the transaction of the change."""
        entry = ctx.services.settings.audit(ctx, operation, before, after)
        return [] if entry is None else [Save(entry)]

    def along(self, ctx: Context, operation: Operation, before: Any) -> Sequence[Effect]:
        """What else is written in the transaction of a write to ``ctx.record``."""
        return ()

    async def create(self, ctx: Context, params: Params) -> Any:
        """The new record, or an ``Answer`` when no record is shown. Raises ``Refused``."""
        noun, settings = self.noun.__noun__, ctx.services.settings
        values: dict[str, Any] = {}
        for field in noun.fields:
            value = read_given(field, params) if field.create else NOT_GIVEN
            if value is not NOT_GIVEN:
                values[field.name] = value
            elif field.required:
                raise Refused(field.missing_code, f"Missing {field.param}", 400)
        for name in ctx.place.scope:
            if snake(name) in noun.by_name:
                values[snake(name)] = ctx.args[name]
        values["sid"], values["account_sid"] = settings.make_sid(noun.prefix), ctx.account.sid
        values["date_created"] = values["date_updated"] = ctx.now
        ctx.record = self.noun(**values)
        async with ctx.services.locks(self.lock(ctx.record)):
            await self.before_save(ctx, None)
            if not ctx.caller.is_test:
                told = self.told(ctx, "create", None, ctx.record)
                await self._commit(ctx, Save(ctx.record), *self.along(ctx, "create", None), *told)
        self.after_save(ctx)
        return ctx.record

    async def update(self, ctx: Context, params: Params) -> Any:
        """``ctx.record`` after the update, with what was not given as it was. Raises ``Refused``."""
        before = ctx.record
        ctx.record = record = before.copy()
        for field in self.noun.__noun__.fields:
            value = read_given(field, params, getattr(before, field.name)) if field.update else NOT_GIVEN
            if value is not NOT_GIVEN:
                setattr(record, field.name, value)
        record.date_updated = max(ctx.now, before.date_updated + 1e-6)
        await self.before_save(ctx, before)
        write = Save(record) if ctx.version is None else SaveIf(record, ctx.version)
        told = self.told(ctx, "update", before, record)
        await self._commit(ctx, write, *self.along(ctx, "update", before), *told)
        self.after_save(ctx)
        return record

    async def delete(self, ctx: Context, params: Params) -> None:
        """Delete ``ctx.record``. Raises ``Refused``."""
        gone = Delete(ctx.record) if ctx.version is None else DeleteIf(ctx.record, ctx.version)
        told = self.told(ctx, "delete", ctx.record, None)
        await self._commit(ctx, gone, *self.along(ctx, "delete", ctx.record), *told)
        self.after_save(ctx)

    def lock(self, record: Any) -> str:
        """The key under which creates exclude each other."""
        return str(record.sid)

    async def before_save(self, ctx: Context, before: Any) -> None:
        """Complete and check ``ctx.record``; ``before`` is None for a create. Raises ``Refused``."""

    def after_save(self, ctx: Context) -> None:
        """It is committed."""

    def conflict(self, ctx: Context) -> Refused:
        """The refusal when the database says that a unique value is taken (by another process, perhaps)."""
        return Refused(20409, "A resource with the same unique value exists", 409)

    async def _commit(self, ctx: Context, *writes: Effect | SaveIf | DeleteIf) -> None:
        try:
            await ctx.store.commit(writes)
        except Conflict:
            raise self.conflict(ctx) from None
        ctx.audited = True


class General(Rules):
    """The rules of a noun without others; its live operations nobody carries out."""

    def __init__(self, noun: type[Record]) -> None:
        self.noun = noun


def normal(sid: str) -> str:
    """A SID with its digits in lower case (rest-conventions.md §6)."""
    return sid[:2] + sid[2:].lower()


def complete(nouns: Iterable[type[Record]], own: Mapping[type[Record], Rules]) -> list[Rules]:
    """The rules of every noun, in order; raises ``TypeError`` for own ones that leave a live operation general."""
    found = [own.get(noun) or General(noun) for noun in nouns]
    for rules in found:
        for place in rules.noun.__noun__.places:
            missing = [each for each in place.live if not overrides(rules, each)]
            if missing and not isinstance(rules, General):
                raise TypeError(f"{type(rules).__name__} has no {', '.join(missing)} for {place.path}")
    return found


def overrides(rules: Rules, operation: Operation) -> bool:
    """Whether these rules carry out a write in a way of their own."""
    return getattr(type(rules), operation) is not getattr(Rules, operation)


def parents_of(parts: Sequence[str], product: str, every: Iterable[Rules]) -> tuple[tuple[str, Rules], ...]:
    """The rules of the nouns that a path's parts name (``RoomSid``), those of the path's own product before others.

    A part that names no noun is left to the handler. Raises ``TypeError`` when only other products have nouns of
    the name, and several do.
    """
    found: list[tuple[str, Rules]] = []
    for part in parts:
        named = [rules for rules in every if rules.noun.__noun__.name + "Sid" == part and part != OWNER]
        own = [
            rules for rules in named if any(place.product == product for place in rules.noun.__noun__.places)
        ]
        if len(own or named) > 1:
            raise TypeError(f"{{{part}}} in a path of {product} may be a noun of several products")
        found += [(part, rules) for rules in own or named]
    return tuple(found)
