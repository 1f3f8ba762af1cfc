"""Conversations v1 by its public description, and what is served of it: ``scripts/docs`` writes the page.

``conversations_v1.json`` holds the facts that are compared, no more: every operation, and the names of its parameters.
That each is answered, and bad values are refused, is shown by ``tests/contract/test_conversations_walk.py`` with the
official client and by ``tests/contract/test_conversations_values.py``, which takes its values from :data:`BAD`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

FACTS = Path(__file__).with_name("conversations_v1.json")
HEADER: Final = "X-Twilio-Webhook-Enabled"
OPERATIONS: Final = {
    ("GET", False): "list", ("POST", False): "create", ("GET", True): "fetch", ("POST", True): "update",
    ("DELETE", True): "delete",
}  # fmt: skip
"""HTTP method, and whether the path ends with a SID → our operation."""

WITHOUT: Final = {
    "DateCreated": "accepted without effect: what is imported gets the time of its import",
    "DateUpdated": "accepted without effect: what is imported gets the time of its import",
    HEADER: "accepted without effect: no event says that a user was removed",
    "Type": "a credential stays of its type; another one is refused",
    "Subject": "accepted without effect: messages keep no subject",
    "ContentVariables": "accepted without effect: there are no templates to fill in",
}
"""Parameter → why it is not served, where it is not."""
NO_EFFECT: Final = frozenset({"Subject", "ContentVariables"})
"""Those that are taken everywhere and do nothing."""


_NO_SID: Final = "no SID"
_LONG: Final = "x" * 20_000
BAD: Final = {
    "AddressCountry": "CAN",
    "Address": "nobody",
    "ApiKey": _LONG,
    "Attributes": "{",
    "AutoCreation.ConversationServiceSid": _NO_SID,
    "AutoCreation.Enabled": "perhaps",
    "AutoCreation.StudioFlowSid": _NO_SID,
    "AutoCreation.StudioRetryCount": "9",
    "AutoCreation.Type": "lambda",
    "AutoCreation.WebhookFilters": "onNothing",
    "AutoCreation.WebhookMethod": "PUT",
    "AutoCreation.WebhookUrl": "ftp://h/",
    "AddedToConversation.Enabled": "perhaps",
    "AddedToConversation.Sound": _LONG,
    "AddedToConversation.Template": _LONG,
    "Author": _LONG,
    "BindingType": "sms",
    "Bindings.Email.Address": _LONG,
    "Bindings.Email.Name": _LONG,
    "Body": "x" * 1601,
    "Certificate": _LONG,
    "Configuration.Filters": "onNothing",
    "Configuration.Method": "PUT",
    "Configuration.ReplayAfter": "soon",
    "Configuration.Url": "ftp://h/",
    "ContentSid": _NO_SID,
    "DateCreated": "yesterday",
    "DateUpdated": "yesterday",
    "DefaultChatServiceRoleSid": _NO_SID,
    "DefaultChatServiceSid": _NO_SID,
    "DefaultClosedTimer": "tomorrow",
    "DefaultConversationCreatorRoleSid": _NO_SID,
    "DefaultConversationRoleSid": _NO_SID,
    "DefaultInactiveTimer": "tomorrow",
    "DefaultMessagingServiceSid": _NO_SID,
    "EndDate": "yesterday",
    "Filters": "onNothing",
    "FriendlyName": "x" * 257,
    "Identity": "x" * 257,
    "LastReadMessageIndex": "-1",
    "LastReadTimestamp": "yesterday",
    "LogEnabled": "perhaps",
    "MediaSid": _NO_SID,
    "MessagingBinding.Address": "nobody",
    "MessagingBinding.ProjectedAddress": "nobody",
    "MessagingBinding.ProxyAddress": "nobody",
    "MessagingServiceSid": _NO_SID,
    "Method": "PUT",
    "NewMessage.BadgeCountEnabled": "perhaps",
    "NewMessage.Enabled": "perhaps",
    "NewMessage.Sound": _LONG,
    "NewMessage.Template": _LONG,
    "NewMessage.WithMedia.Enabled": "perhaps",
    "NewMessage.WithMedia.Template": _LONG,
    "NotificationLevel": "loud",
    "Order": "sideways",
    "Participant": "{",
    "Permission": "fly",
    "PostWebhookUrl": "ftp://h/",
    "PreWebhookUrl": "ftp://h/",
    "PrivateKey": _LONG,
    "ReachabilityEnabled": "perhaps",
    "RemovedFromConversation.Enabled": "perhaps",
    "RemovedFromConversation.Sound": _LONG,
    "RemovedFromConversation.Template": _LONG,
    "RoleSid": _NO_SID,
    "Sandbox": "perhaps",
    "Secret": _LONG,
    "StartDate": "yesterday",
    "State": "asleep",
    "Target": "moon",
    "Timers.Closed": "tomorrow",
    "Timers.Inactive": "tomorrow",
    "Type": "fax",
    "UniqueName": "x" * 257,
}
"""Parameter → a value that is refused, wherever it is a parameter; :data:`ANYTHING` has the exceptions."""
ANYTHING: Final = {
    HEADER: "anything but true is false",
    "Configuration.FlowSid": "only of a webhook whose target is studio",
    "Configuration.Triggers": "only of a webhook whose target is trigger; any word",
    "ContentVariables": "has no effect",
    "Subject": "has no effect",
}
"""Parameter → why no value of it is refused."""
FILTERS: Final = frozenset({"Identity", "Address", "State"})
"""Parameters of lists of which any value is a question, perhaps with an empty answer."""
LEFT_ALONE: Final = "POST /v1/Conversations/{ConversationSid}/Participants/{Sid}", "Identity"
"""An identity can only be given to a participant with a projected address; of others it stays what it is."""


def facts() -> dict[str, list[str]]:
    """``METHOD /path`` → names of parameters, without those of paging."""
    found: dict[str, list[str]] = json.loads(FACTS.read_text("utf-8"))
    return found


def router() -> Any:
    """Ours, with nobody behind it."""
    from unittest.mock import MagicMock

    from ringback.resources import all_nouns
    from ringback.web.nouns import collect
    from ringback.web.rest.routing import Router
    from ringback.web.rest.rules import complete

    made = Router()
    every = complete(all_nouns(), collect(MagicMock()))  # the paths are asked for, not the answers
    for rules in every:
        made.add_noun(rules, "", every)
    return made


def served(routes: Any, key: str) -> set[str] | None:
    """The parameters of an operation that are read; None when nobody answers it."""
    method, path = key.split(" ")
    found = routes.find("conversations", re.sub(r"\{\w+\}", "XX" + "0" * 32, path))
    if found is None or method not in found[0].methods:
        return None
    target = found[0]
    rules, place = target.rules, target.view.place
    silent = method == "DELETE" and rules.noun.__name__ == "User"
    header = {HEADER} if getattr(rules, "asks", False) and not silent else set()
    if target.custom is not None:
        extra = next(one for one in rules.extras if one.path == place.path)
        return set(extra.takes) | header
    operation = OPERATIONS[method, path.endswith("}")]
    known = set(place.takes.get(operation, ())) | header
    if operation == "list":
        from ringback.web.rest.paging import filters_of, parameters_of

        return known | set(filters_of(target.view)) | set(parameters_of(target.view))
    for field in target.view.noun.fields:
        if getattr(field, operation, False):
            known |= {leaf.param for leaf in leaves(field)}
    return known


def leaves(field: Any) -> list[Any]:
    """A field, or the keys of its nested object."""
    return [leaf for part in field.shape for leaf in leaves(part)] or [field]


def page() -> str:
    """The page as Markdown."""
    routes = router()
    rows, missing, answered, total, kept = [], [], 0, 0, 0
    for key, names in facts().items():
        given = served(routes, key)
        answered += given is not None
        without = [name for name in names if given is None or name not in given or name in NO_EFFECT]
        total, kept = total + len(names), kept + len(names) - len(without)
        rows.append(
            f"| `{key}` | {'no' if given is None else 'yes'} | {len(names) - len(without)} of {len(names)} |"
        )
        if given is None:
            missing.append(f"* `{key}`: not answered")
        missing += [
            f"* `{key}`, `{name}`: {WITHOUT.get(name, 'not read')}" for name in without if given is not None
        ]
    return "\n".join(
        [
            "# Conversations coverage",
            "",
            "Every operation and parameter of the public description of Conversations v1, and whether it is answered "
            "and read here: computed from the routes and declarations of this server. Parameters of paging are not "
            "counted; all lists have them.",
            "",
            f"{answered} of {len(rows)} operations, {kept} of {total} parameters.",
            "",
            "| operation | answered | parameters |",
            "|---|---|---|",
            *rows,
            "",
            "## What is missing",
            "",
            *(missing or ["Nothing."]),
            "",
        ]
    )
