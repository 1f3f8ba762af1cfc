"""Webhooks: those of one conversation, and the settings of accounts and services (conversations.md §1.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ringback.effects import Save
from ringback.kernel.errors import Refused
from ringback.kernel.fields import http_url
from ringback.resources.conversations.webhook import POST_EVENTS, PRE_EVENTS, Webhook, WebhookSettings
from ringback.web.conversations.writing import ConversationsRules
from ringback.web.nouns import NounRules
from ringback.web.rest.answer import Answer, json_answer
from ringback.web.rest.context import Context, Params
from ringback.web.rest.params import NOT_GIVEN, read_given
from ringback.web.rest.rules import Extra

_TAKES = {
    "Method": "``GET`` or ``POST`` (default).",
    "Filters": "Events, of both kinds, that are told or asked; repeated. Empty: none.",
    "PreWebhookUrl": "Asked before.",
    "PostWebhookUrl": "Told afterwards.",
}


class WebhookRules(ConversationsRules):
    """Webhooks of one conversation."""

    noun = Webhook
    kind = "Webhook"
    asks = False
    values: ClassVar = {
        "Target": "target",
        "Configuration.Url": "url",
        "Configuration.Method": "method",
        "Configuration.FlowSid": "flow_sid",
        "Configuration.ReplayAfter": "replay_after",
    }
    numbers = frozenset({"Configuration.ReplayAfter"})

    async def read(self, ctx: Context, params: Params) -> dict[str, Any]:
        """The values; filters and triggers are lists."""
        found = await super().read(ctx, params)
        for name in ("Filters", "Triggers"):
            if f"Configuration.{name}" in params:
                given = params[f"Configuration.{name}"]
                found[name.lower()] = [] if given == [""] else list(given)
        if found.get("replay_after") == "":
            found["replay_after"] = None
        return found


class WebhookSettingsRules(NounRules):
    """One record an account and one a service, at paths without a SID; made by the first write."""

    noun = WebhookSettings

    @property
    def extras(self) -> Sequence[Extra]:
        """Their paths."""
        methods = {"GET": "fetch", "POST": "update"}
        target = {"Target": "``webhook`` or ``flex``."}
        service = "/v1/Services/{ChatServiceSid}/Configuration/Webhooks"
        return [
            Extra("/v1/Configuration/Webhooks", methods, self.of_account, takes=_TAKES | target),
            Extra(service, methods, self.of_service, takes=_TAKES),
        ]

    async def of_account(self, ctx: Context) -> Answer:
        """GET and POST /v1/Configuration/Webhooks."""
        found = await self._settings(ctx, ctx.account.sid)
        shown = {"target": found.target, "url": self._url(ctx, "/v1/Configuration/Webhooks")}
        return json_answer(200, _body(found) | shown)

    async def of_service(self, ctx: Context) -> Answer:
        """GET and POST /v1/Services/{sid}/Configuration/Webhooks."""
        service = ctx.args["ChatServiceSid"]
        found = await self._settings(ctx, service)
        url = self._url(ctx, f"/v1/Services/{service}/Configuration/Webhooks")
        return json_answer(200, _body(found) | {"chat_service_sid": service, "url": url})

    def _url(self, ctx: Context, path: str) -> str:
        return f"{ctx.services.settings.public_url}/conversations{path}"

    async def _settings(self, ctx: Context, owner: str) -> WebhookSettings:
        if ctx.method != "POST":
            return await ctx.store.first(WebhookSettings, owner=owner) or self._new(ctx, owner)
        async with ctx.services.locks(f"webhooks {owner}"):
            before = await ctx.store.first(WebhookSettings, owner=owner)
            found = before.copy() if before is not None else self._new(ctx, owner)
            for field in self.noun.__noun__.fields:
                given = read_given(field, ctx.params) if field.update else NOT_GIVEN
                if given is not NOT_GIVEN:
                    setattr(found, field.name, given)
            _check(found)
            found.date_updated = ctx.now
            await self._commit(
                ctx, Save(found), *self.told(ctx, "update", before or self._new(ctx, owner), found)
            )
            return found

    def _new(self, ctx: Context, owner: str) -> WebhookSettings:
        return WebhookSettings(
            sid=self.ports.new_sid("CX"), account_sid=ctx.account.sid, date_created=ctx.now,
            date_updated=ctx.now, owner=owner,
        )  # fmt: skip


def _body(found: WebhookSettings) -> dict[str, Any]:
    names = ("account_sid", "method", "filters", "pre_webhook_url", "post_webhook_url")
    return {name: getattr(found, name) for name in names}


def _check(settings: WebhookSettings) -> None:
    for each in settings.filters:
        if each not in PRE_EVENTS and each not in POST_EVENTS:
            raise Refused(50365, f"Invalid Filters: {each[:100]} is no event", 400)
    for param, url in (
        ("PreWebhookUrl", settings.pre_webhook_url),
        ("PostWebhookUrl", settings.post_webhook_url),
    ):
        try:
            http_url(url or "http://none")
        except ValueError:
            raise Refused(20001, f"Invalid {param}: must be an absolute http or https URL", 400) from None
