"""Conversations, messages of carriers and their services, Frontline, and the media store: their tables."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TYPES: dict[str, type[sa.types.TypeEngine[Any]]] = {
    "text": sa.Text,
    "integer": sa.BigInteger,
    "double": sa.Double,
    "boolean": sa.Boolean,
}
_TABLES = {
    "conversations_address_configurations": """
        type text, address text, friendly_name text?, auto_creation text, address_country text?, key text?
    """,
    "conversations_bindings": """
        chat_service_sid text, credential_sid text, endpoint text, identity text, binding_type text,
        message_types text, device text?
    """,
    "conversations_configuration": """
        default_chat_service_sid text?, default_messaging_service_sid text?, default_inactive_timer text?,
        default_closed_timer text?, owner text
    """,
    "conversations_conversations": """
        chat_service_sid text, messaging_service_sid text?, friendly_name text?, unique_name text?,
        attributes text, state text, timers text, bindings text, created_by text, next_index integer,
        inactive_after double?, closed_after double?, waiting_calls text
    """,
    "conversations_credentials": """
        friendly_name text?, type text, sandbox boolean?, certificate text?, private_key text?,
        api_key text?, secret text?
    """,
    "conversations_delivery_receipts": """
        chat_service_sid text, conversation_sid text, message_sid text, channel_message_sid text,
        participant_sid text, status text, error_code integer?
    """,
    "conversations_messages": """
        chat_service_sid text, conversation_sid text, index integer, author text, body text?, media text?,
        attributes text, participant_sid text?, delivery text?, content_sid text?, carrier_key text?
    """,
    "conversations_participants": """
        chat_service_sid text, conversation_sid text, identity text?, messaging_binding text?,
        role_sid text?, attributes text, last_read_message_index integer?, last_read_timestamp double?,
        notification_level text, address text?, pair text?
    """,
    "conversations_roles": """
        chat_service_sid text, friendly_name text, type text, permissions text
    """,
    "conversations_service_configurations": """
        chat_service_sid text, default_conversation_creator_role_sid text,
        default_conversation_role_sid text, default_chat_service_role_sid text,
        reachability_enabled boolean
    """,
    "conversations_service_notifications": """
        chat_service_sid text, new_message text, added_to_conversation text,
        removed_from_conversation text, log_enabled boolean
    """,
    "conversations_services": """
        friendly_name text, removed boolean
    """,
    "conversations_users": """
        chat_service_sid text, identity text, friendly_name text?, attributes text, role_sid text?,
        is_online boolean?, is_notifiable boolean?, state text, avatar text?, is_available boolean
    """,
    "conversations_webhook_settings": """
        method text, filters text, pre_webhook_url text?, post_webhook_url text?, target text, owner text
    """,
    "conversations_webhooks": """
        chat_service_sid text, conversation_sid text, target text, configuration text
    """,
    "frontline_services": """
        routing text, routing_url text, crm_callback_url text, outgoing_callback_url text,
        templates_callback_url text, call_url text, call_method text
    """,
    "frontline_turns": """
        chat_service_sid text, assigned_at double
    """,
    "mcs_media": """
        chat_service_sid text, conversation_sid text, message_sid text, content_type text, filename text?,
        size integer, category text, author text
    """,
    "media": """
        parent_sid text, content_type text, url text, store_sid text
    """,
    "messaging_alpha_senders": """
        service_sid text, alpha_sender text, capabilities text
    """,
    "messaging_phone_numbers": """
        service_sid text, phone_number text, country_code text, capabilities text
    """,
    "messaging_services": """
        friendly_name text, inbound_request_url text?, inbound_method text, fallback_url text?,
        fallback_method text, status_callback text?, sticky_sender boolean, mms_converter boolean,
        smart_encoding boolean, scan_message_content text, fallback_to_long_code boolean,
        area_code_geomatch boolean, validity_period integer, synchronous_validation boolean, usecase text,
        us_app_to_person_registered boolean, use_inbound_webhook_on_number boolean
    """,
    "opt_outs": """
        address text, scope text, opted_out boolean, word text
    """,
    "text_parts": """
        channel text, whole text, from text, to text, number integer, total integer, octets text,
        data_coding integer, carrier_id text, done double?
    """,
    "texts": """
        to text, from text, body text, status text, direction text, num_segments integer,
        num_media integer, date_sent double?, messaging_service_sid text?, error_code integer?,
        error_message text?, price text?, price_unit text, api_version text, channel text,
        carrier_id text?, carrier_key text?, media text, plan text
    """,
}
"""The columns of each table, but for those that every record has; ``?``: it may be empty."""

_LISTED = {
    "conversations_bindings": "chat_service_sid credential_sid identity",
    "conversations_conversations": "chat_service_sid state",
    "conversations_delivery_receipts": "channel_message_sid message_sid",
    "conversations_participants": "address conversation_sid role_sid",
    "conversations_roles": "chat_service_sid",
    "conversations_services": "removed",
    "conversations_users": "chat_service_sid role_sid",
    "conversations_webhooks": "conversation_sid",
    "frontline_turns": "chat_service_sid",
    "mcs_media": "message_sid",
    "media": "parent_sid",
    "messaging_alpha_senders": "service_sid",
    "messaging_phone_numbers": "phone_number service_sid",
    "opt_outs": "address",
    "text_parts": "channel whole",
    "texts": "carrier_id from status to",
}
"""The columns by which lists are asked for."""

_UNIQUE = (
    "conversations_address_configurations key account_sid",
    "conversations_bindings device chat_service_sid",
    "conversations_configuration owner",
    "conversations_conversations unique_name chat_service_sid",
    "conversations_messages carrier_key",
    "conversations_participants identity conversation_sid",
    "conversations_participants pair",
    "conversations_users identity chat_service_sid",
    "conversations_webhook_settings owner",
    "messaging_alpha_senders alpha_sender service_sid",
    "texts carrier_key",
)
"""A table, its column without doubles, and the column within whose value there are none."""


def upgrade() -> None:
    """Make the tables and their indexes."""
    for table, columns in _TABLES.items():
        op.create_table(
            table,
            sa.Column("sid", sa.Text(), nullable=False),
            sa.Column("account_sid", sa.Text(), nullable=False),
            sa.Column("date_created", sa.Double(), nullable=False),
            sa.Column("date_updated", sa.Double(), nullable=False),
            *(_column(*each.split()) for each in columns.split(",")),
            sa.Column("row_version", sa.BigInteger(), server_default="1", nullable=False),
            sa.PrimaryKeyConstraint("sid"),
        )
        op.create_index(f"ix_{table}_account", table, ["account_sid", "sid"])
    for table, names in _LISTED.items():
        for name in names.split():
            op.create_index(f"ix_{table}_{name}", table, [name, "account_sid", "sid"])
    op.create_index(
        "ix_conversations_messages_index",
        "conversations_messages",
        ["conversation_sid", "account_sid", "index", "sid"],
    )
    for unique in _UNIQUE:
        table, *named = unique.split()
        op.create_index(f"uq_{table}_{named[0]}", table, named, unique=True)


def _column(name: str, kind: str) -> sa.Column[Any]:
    return sa.Column(name, _TYPES[kind.rstrip("?")](), nullable=kind.endswith("?"))
