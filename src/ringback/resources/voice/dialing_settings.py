"""DialingSettings: whose dialling permissions a subaccount has (call-outcomes.md §4.1)."""

from __future__ import annotations

from ringback.kernel.resource import Record, field, resource


@resource(
    "/v1/Settings",
    sid="DT",
    key="settings",
    product="voice",
    table="voice_settings",
    can=(),
    show={"dialing_permissions_inheritance": "dialing_permissions_inheritance"},
    tag="Dialling settings",
)
class DialingSettings(Record):
    """Whether a subaccount inherits dialling permissions: ``GET`` and ``POST /v1/Settings``."""

    dialing_permissions_inheritance: bool = field(True, write="update")
    """true (the default): the permissions of the main account hold. A main account has nobody to inherit from."""
