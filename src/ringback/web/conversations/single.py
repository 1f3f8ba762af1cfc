"""Resources of which there is one: a path without a SID, read by GET and changed by POST."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ringback.kernel.resource import snake
from ringback.web.nouns import NounRules
from ringback.web.rest.answer import Answer, json_answer
from ringback.web.rest.context import Context
from ringback.web.rest.render import View
from ringback.web.rest.rules import Extra


class SingleRules(NounRules):
    """The path is that of the noun's place; the fields that an update may set are its parameters."""

    @property
    def extras(self) -> list[Extra]:
        """The path."""
        noun = self.noun.__noun__
        takes = dict(_takes(noun.fields, noun.docs))
        return [Extra(noun.places[0].path, {"GET": "fetch", "POST": "update"}, self.answer, takes=takes)]

    async def current(self, ctx: Context) -> Any:
        """The record as it is; raises ``Refused``."""
        raise NotImplementedError

    async def answer(self, ctx: Context) -> Answer:
        """Show it, changed by a POST. Raises ``Refused``."""
        if ctx.method == "POST":
            async with ctx.services.locks(f"{self.noun.__name__} {ctx.account.sid} {ctx.path}"):
                ctx.record = await self.current(ctx)
                ctx.version = None  # what it holds by now is that of a record that the path names
                ctx.record = await self.update(ctx, ctx.params)
        else:
            ctx.record = await self.current(ctx)
        settings, place = ctx.services.settings, self.noun.__noun__.places[0]
        body = View(self.noun.__noun__, place, settings.public_url).body(ctx.record, ctx.args)
        path = place.path
        for name in place.parents:
            path = path.replace("{" + name + "}", getattr(ctx.record, snake(name)))
        body["url"] = f"{settings.public_url}/{place.product}{path}"
        return json_answer(200, body)


def _takes(fields: Any, docs: Mapping[str, str]) -> Any:
    """Parameter → documentation of what an update may set, nested ones too."""
    for one in fields:
        if one.shape and one.update:
            yield from ((leaf.param, f"{docs.get(one.name, '')}") for leaf in _leaves(one))
        elif one.update:
            yield one.param, docs.get(one.name, "")


def _leaves(one: Any) -> list[Any]:
    return [leaf for part in one.shape for leaf in _leaves(part)] or [one]
