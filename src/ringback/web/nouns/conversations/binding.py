"""Bindings: lists by type and identity, of which several may be given."""

from __future__ import annotations

from dataclasses import replace

from ringback.kernel.errors import Refused
from ringback.resources.conversations.binding import Binding
from ringback.store import Condition, Page, Query
from ringback.web.nouns import NounRules
from ringback.web.rest.context import Context

MOST = 100
"""Values of one filter."""
_FILTERS = {"BindingType": "binding_type", "Identity": "identity"}


class BindingRules(NounRules):
    """They come from the SDKs and are removed here."""

    noun = Binding

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the list. Raises ``Refused``."""
        more: list[Condition] = []
        for param, name in _FILTERS.items():
            values = tuple(value for value in ctx.params.get(param, ()) if value)
            if len(values) > MOST:
                raise Refused(20001, f"More than {MOST} values of {param}", 400)
            wrong = [
                value for value in values if name == "binding_type" and value not in ("apn", "gcm", "fcm")
            ]
            if wrong:
                raise Refused(20001, "Invalid BindingType: must be one of apn, gcm, fcm", 400)
            if values:
                more.append(Condition(name, "in", values))
        return await super().page(ctx, replace(query, conditions=[*query.conditions, *more]))
