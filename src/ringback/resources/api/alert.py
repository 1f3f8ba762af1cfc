"""Alert: an entry of the debugger's log; Notifications and Alerts are its two faces (voice-calls.md §12)."""

from __future__ import annotations

from ringback.kernel.resource import Record, at, field, resource


def explained(code: int) -> str:
    """``more_info`` of an error code: its page."""
    return f"/docs/errors/{code}"


LEVELS = {0: "error", 1: "warning", 2: "notice", 3: "debug"}

_NOTIFICATION = {
    key: key
    for key in (
        "sid", "account_sid", "api_version", "call_sid", "date_created", "date_updated", "error_code", "log",
        "message_date", "message_text", "more_info", "request_method", "request_url", "request_variables",
        "response_body", "response_headers",
    )
}  # fmt: skip
_ALERT = {
    "sid": "sid", "account_sid": "account_sid", "alert_text": "message_text", "api_version": "api_version",
    "date_created": "date_created", "date_generated": "message_date", "date_updated": "date_updated",
    "error_code": "error_code", "log_level": "log", "more_info": "more_info",
    "request_method": "request_method", "request_url": "request_url",
    "request_variables": "request_variables", "request_headers": "request_headers",
    "resource_sid": "resource_sid", "response_body": "response_body",
    "response_headers": "response_headers", "service_sid": "service_sid",
}  # fmt: skip
_FILTERS = {
    "MessageDate": "message_date day",
    "MessageDate>": "message_date >=",
    "MessageDate<": "message_date midnight",
    "Log": "log =",
}


@resource(
    "/2010-04-01/Accounts/{AccountSid}/Notifications",
    sid="NO",
    key="notifications",
    can=("list", "fetch"),
    show=_NOTIFICATION,
    filters=_FILTERS,
    table="alerts",
    tag="Notification",
    also=(
        at(
            "/2010-04-01/Accounts/{AccountSid}/Calls/{CallSid}/Notifications",
            key="notifications",
            can=("list", "fetch"),
            show=_NOTIFICATION,
            filters=_FILTERS,
            tag="Call notification",
        ),
        at(
            "/v1/Alerts",
            product="monitor",
            key="alerts",
            can=("list", "fetch"),
            show=_ALERT,
            wires={"log": LEVELS},
            filters={
                "LogLevel": "log =",
                "StartDate": "message_date >=",
                "EndDate": "message_date <=",
            },
            tag="Alert",
        ),
    ),
)
class Alert(Record):
    """Something that went wrong while a call or a message was being handled."""

    log: int = field(0, wire="string", index=True)
    """0 error, 1 warning, 2 notice, 3 debug."""
    error_code: int | None = field(None, wire="string")
    """A number of the error dictionary."""
    message_text: str = field("")
    """What happened, in words."""
    message_date: float = field(0.0, wire="date", index=True)
    """When it happened."""
    more_info: str = field("", wire="link")
    """Documentation of the error."""
    call_sid: str | None = field(None, index=True)
    """The call that it happened to."""
    resource_sid: str | None = field(None, index=True)
    """What it happened to: a call, a recording, a number …"""
    service_sid: str | None = field(None)
    api_version: str = field("2010-04-01")
    request_method: str | None = field(None)
    """Of the request to the customer's application, when there was one."""
    request_url: str | None = field(None)
    request_variables: str | None = field(None, detail=True)
    """The request's form, URL-encoded."""
    request_headers: str | None = field(None, detail=True)
    response_headers: str | None = field(None, detail=True)
    response_body: str | None = field(None, detail=True)
