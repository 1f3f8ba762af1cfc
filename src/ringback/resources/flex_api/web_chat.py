"""WebChat: a customer's chat, begun by the back end of the page that they write in (conversations.md §3)."""

from __future__ import annotations

from ringback.kernel.resource import Record, resource

TAKES = {
    "create": {
        "AddressSid": "Required. Address configuration of type ``chat``: it says in which service the conversation is "
        "made, and what is attached to it.",
        "ChatFriendlyName": "Name of the conversation, for people.",
        "CustomerFriendlyName": "The customer's name, as they wrote it in the page.",
        "PreEngagementData": "JSON of at most 16 KB, such as a form filled in before the chat. It is in the attributes "
        "of the conversation as ``pre_engagement_data``.",
        "Identity": "Who the customer is, when your back end knows: never what a page says. Default: one that nobody "
        "else has.",
    }
}


@resource(
    "/v2/WebChats",
    product="flex-api",
    sid="CH",
    key="web_chats",
    can=("create",),
    live=("create",),
    stored=False,
    table="flex_web_chats",
    takes=TAKES,
    refuses={
        "create": (20403, 45715, 45719, 45731, 45733, 45744, 45761, 45765),
    },
    show={"conversation_sid": "conversation_sid", "identity": "identity", "token": "token"},
    tag="Web chat",
)
class WebChat(Record):
    """A new conversation with a customer in it who writes in a browser, and the token that lets them in."""

    conversation_sid: str = ""
    """The conversation."""
    identity: str = ""
    """Who the customer is in it."""
    token: str = ""
    """An access token for this conversation, valid for six hours: give it to the page, and to nobody else."""
