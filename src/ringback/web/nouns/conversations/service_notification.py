"""Push notifications of a service: kept, and shown as they were set."""

from __future__ import annotations

from ringback.resources.conversations.service_notification import ServiceNotification, notification_sid
from ringback.web.conversations.single import SingleRules
from ringback.web.rest.context import Context


class ServiceNotificationRules(SingleRules):
    """One a service, all off until it is changed."""

    noun = ServiceNotification

    async def current(self, ctx: Context) -> ServiceNotification:
        """The path's service's."""
        service = ctx.args["ChatServiceSid"]
        found = await ctx.store.get(ServiceNotification, notification_sid(service))
        return found or ServiceNotification(
            sid=notification_sid(service), account_sid=ctx.account.sid, chat_service_sid=service,
            date_created=ctx.now, date_updated=ctx.now,
        )  # fmt: skip
