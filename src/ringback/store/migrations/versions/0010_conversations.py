"""Conversations and messages: their tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and their indexes."""
    op.create_table(
        "conversations_services",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("friendly_name", sa.Text(), nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index("ix_conversations_services_account", "conversations_services", ["account_sid", "sid"])
    op.create_table(
        "conversations_conversations",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("chat_service_sid", sa.Text(), nullable=False),
        sa.Column("messaging_service_sid", sa.Text(), nullable=True),
        sa.Column("friendly_name", sa.Text(), nullable=True),
        sa.Column("unique_name", sa.Text(), nullable=True),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("timers", sa.Text(), nullable=False),
        sa.Column("bindings", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("next_index", sa.BigInteger(), nullable=False),
        sa.Column("inactive_after", sa.Double(), nullable=True),
        sa.Column("closed_after", sa.Double(), nullable=True),
        sa.Column("waiting_calls", sa.Text(), nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index(
        "ix_conversations_conversations_account", "conversations_conversations", ["account_sid", "sid"]
    )
    op.create_index(
        "ix_conversations_conversations_chat_service_sid",
        "conversations_conversations",
        ["chat_service_sid", "account_sid", "sid"],
    )
    op.create_index(
        "ix_conversations_conversations_state", "conversations_conversations", ["state", "account_sid", "sid"]
    )
    op.create_index(
        "uq_conversations_conversations_unique_name",
        "conversations_conversations",
        ["unique_name", "chat_service_sid"],
        unique=True,
    )
    op.create_table(
        "conversations_participants",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("chat_service_sid", sa.Text(), nullable=False),
        sa.Column("conversation_sid", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=True),
        sa.Column("messaging_binding", sa.Text(), nullable=True),
        sa.Column("role_sid", sa.Text(), nullable=True),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.Column("last_read_message_index", sa.BigInteger(), nullable=True),
        sa.Column("last_read_timestamp", sa.Double(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("pair", sa.Text(), nullable=True),
        sa.Column("row_version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index(
        "ix_conversations_participants_account", "conversations_participants", ["account_sid", "sid"]
    )
    op.create_index(
        "ix_conversations_participants_address",
        "conversations_participants",
        ["address", "account_sid", "sid"],
    )
    op.create_index(
        "ix_conversations_participants_conversation_sid",
        "conversations_participants",
        ["conversation_sid", "account_sid", "sid"],
    )
    op.create_index(
        "uq_conversations_participants_identity",
        "conversations_participants",
        ["identity", "conversation_sid"],
        unique=True,
    )
    op.create_index("uq_conversations_participants_pair", "conversations_participants", ["pair"], unique=True)
    op.create_table(
        "conversations_messages",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("chat_service_sid", sa.Text(), nullable=False),
        sa.Column("conversation_sid", sa.Text(), nullable=False),
        sa.Column("index", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("media", sa.Text(), nullable=True),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.Column("participant_sid", sa.Text(), nullable=True),
        sa.Column("delivery", sa.Text(), nullable=True),
        sa.Column("content_sid", sa.Text(), nullable=True),
        sa.Column("carrier_key", sa.Text(), nullable=True),
        sa.Column("row_version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index("ix_conversations_messages_account", "conversations_messages", ["account_sid", "sid"])
    op.create_index(
        "ix_conversations_messages_conversation_sid",
        "conversations_messages",
        ["conversation_sid", "account_sid", "sid"],
    )
    op.create_index(
        "uq_conversations_messages_carrier_key", "conversations_messages", ["carrier_key"], unique=True
    )
    op.create_table(
        "conversations_delivery_receipts",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("chat_service_sid", sa.Text(), nullable=False),
        sa.Column("conversation_sid", sa.Text(), nullable=False),
        sa.Column("message_sid", sa.Text(), nullable=False),
        sa.Column("channel_message_sid", sa.Text(), nullable=False),
        sa.Column("participant_sid", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("error_code", sa.BigInteger(), nullable=True),
        sa.Column("row_version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index(
        "ix_conversations_delivery_receipts_account",
        "conversations_delivery_receipts",
        ["account_sid", "sid"],
    )
    op.create_index(
        "ix_conversations_delivery_receipts_channel_message_sid",
        "conversations_delivery_receipts",
        ["channel_message_sid", "account_sid", "sid"],
    )
    op.create_index(
        "ix_conversations_delivery_receipts_message_sid",
        "conversations_delivery_receipts",
        ["message_sid", "account_sid", "sid"],
    )
    op.create_table(
        "conversations_users",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("chat_service_sid", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("friendly_name", sa.Text(), nullable=True),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.Column("role_sid", sa.Text(), nullable=True),
        sa.Column("is_online", sa.Boolean(), nullable=True),
        sa.Column("is_notifiable", sa.Boolean(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("avatar", sa.Text(), nullable=True),
        sa.Column("is_available", sa.Boolean(), nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index("ix_conversations_users_account", "conversations_users", ["account_sid", "sid"])
    op.create_index(
        "ix_conversations_users_chat_service_sid",
        "conversations_users",
        ["chat_service_sid", "account_sid", "sid"],
    )
    op.create_index(
        "uq_conversations_users_identity",
        "conversations_users",
        ["identity", "chat_service_sid"],
        unique=True,
    )
    op.create_table(
        "texts",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("to", sa.Text(), nullable=False),
        sa.Column("from", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("num_segments", sa.BigInteger(), nullable=False),
        sa.Column("num_media", sa.BigInteger(), nullable=False),
        sa.Column("date_sent", sa.Double(), nullable=True),
        sa.Column("messaging_service_sid", sa.Text(), nullable=True),
        sa.Column("error_code", sa.BigInteger(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("price", sa.Text(), nullable=True),
        sa.Column("price_unit", sa.Text(), nullable=False),
        sa.Column("api_version", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("carrier_id", sa.Text(), nullable=True),
        sa.Column("carrier_key", sa.Text(), nullable=True),
        sa.Column("media", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index("ix_texts_account", "texts", ["account_sid", "sid"])
    op.create_index("ix_texts_carrier_id", "texts", ["carrier_id", "account_sid", "sid"])
    op.create_index("ix_texts_from", "texts", ["from", "account_sid", "sid"])
    op.create_index("ix_texts_status", "texts", ["status", "account_sid", "sid"])
    op.create_index("ix_texts_to", "texts", ["to", "account_sid", "sid"])
    op.create_index("uq_texts_carrier_key", "texts", ["carrier_key"], unique=True)
