"""Conversations: configuration of accounts, webhooks, and lists of messages in their order."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and their indexes."""
    op.create_table(
        "conversations_configuration",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("default_chat_service_sid", sa.Text(), nullable=True),
        sa.Column("default_messaging_service_sid", sa.Text(), nullable=True),
        sa.Column("default_inactive_timer", sa.Text(), nullable=True),
        sa.Column("default_closed_timer", sa.Text(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index(
        "ix_conversations_configuration_account", "conversations_configuration", ["account_sid", "sid"]
    )
    op.create_index(
        "uq_conversations_configuration_owner", "conversations_configuration", ["owner"], unique=True
    )
    op.create_table(
        "conversations_webhooks",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("chat_service_sid", sa.Text(), nullable=False),
        sa.Column("conversation_sid", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("configuration", sa.Text(), nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index("ix_conversations_webhooks_account", "conversations_webhooks", ["account_sid", "sid"])
    op.create_index(
        "ix_conversations_webhooks_conversation_sid",
        "conversations_webhooks",
        ["conversation_sid", "account_sid", "sid"],
    )
    op.create_table(
        "conversations_webhook_settings",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("filters", sa.Text(), nullable=False),
        sa.Column("pre_webhook_url", sa.Text(), nullable=True),
        sa.Column("post_webhook_url", sa.Text(), nullable=True),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index(
        "ix_conversations_webhook_settings_account", "conversations_webhook_settings", ["account_sid", "sid"]
    )
    op.create_index(
        "uq_conversations_webhook_settings_owner", "conversations_webhook_settings", ["owner"], unique=True
    )
    op.drop_index("ix_conversations_messages_conversation_sid", "conversations_messages")
    op.create_index(
        "ix_conversations_messages_index",
        "conversations_messages",
        ["conversation_sid", "account_sid", "index", "sid"],
    )
