"""FrontlineService: how a Conversations service brings customers to workers (conversations.md §2)."""

from __future__ import annotations

from typing import Literal

from ringback.kernel.resource import Record, field, resource

Routing = Literal["do-not-route", "pool", "custom"]


@resource(
    "/v1/Services",
    product="frontline-api",
    sid="IS",
    key="services",
    can=("fetch", "update"),
    table="frontline_services",
    tag="Frontline service",
)
class FrontlineService(Record):
    """The settings that the hosted product has in its console only: one for each Conversations service, whose SID it
    has. Everything is off until it is set."""

    routing: Routing = field("do-not-route", write="update")
    """What becomes of a conversation that a customer's call or message has made. ``do-not-route``: nobody is added.
    ``pool``: the active and available worker who has waited longest since their last one. ``custom``: ``routing_url``
    is asked, and adds the worker."""
    routing_url: str = field("", write="update", max_length=2048)
    """Gets the parameters of ``onConversationAdded`` by POST and adds a worker to the conversation by REST; an answer
    alone adds nobody."""
    crm_callback_url: str = field("", write="update", max_length=2048)
    """Knows the customers: ``GetCustomersList`` and ``GetCustomerDetailsByCustomerId``."""
    outgoing_callback_url: str = field("", write="update", max_length=2048)
    """Says from which of our addresses a worker may begin a conversation: ``GetProxyAddress``."""
    templates_callback_url: str = field("", write="update", max_length=2048)
    """Gives the texts that a worker may choose from: ``GetTemplatesByCustomerId``."""
    call_url: str = field("", write="update", max_length=2048)
    """Where the document of a worker's own call comes from, which has ``<Connect><Conversation>``; empty: a call that
    is joined to its conversation and nothing else."""
    call_method: Literal["GET", "POST"] = field("POST", write="update")
    """How ``call_url`` is asked."""
