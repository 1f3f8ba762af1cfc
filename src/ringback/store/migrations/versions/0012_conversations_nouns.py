"""Conversations: roles, configurations of services and addresses, credentials, bindings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and their indexes, and the columns that others get."""
    op.create_table(
        "conversations_roles",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("chat_service_sid", sa.Text(), nullable=False),
        sa.Column("friendly_name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("permissions", sa.Text(), nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index("ix_conversations_roles_account", "conversations_roles", ["account_sid", "sid"])
    op.create_index(
        "ix_conversations_roles_chat_service_sid",
        "conversations_roles",
        ["chat_service_sid", "account_sid", "sid"],
    )
    op.create_table(
        "conversations_credentials",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("friendly_name", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("sandbox", sa.Boolean(), nullable=True),
        sa.Column("certificate", sa.Text(), nullable=True),
        sa.Column("private_key", sa.Text(), nullable=True),
        sa.Column("api_key", sa.Text(), nullable=True),
        sa.Column("secret", sa.Text(), nullable=True),
        sa.Column("row_version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index(
        "ix_conversations_credentials_account", "conversations_credentials", ["account_sid", "sid"]
    )
    op.create_table(
        "conversations_bindings",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("chat_service_sid", sa.Text(), nullable=False),
        sa.Column("credential_sid", sa.Text(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("binding_type", sa.Text(), nullable=False),
        sa.Column("message_types", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=True),
        sa.Column("row_version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index("ix_conversations_bindings_account", "conversations_bindings", ["account_sid", "sid"])
    op.create_index(
        "ix_conversations_bindings_chat_service_sid",
        "conversations_bindings",
        ["chat_service_sid", "account_sid", "sid"],
    )
    op.create_index(
        "ix_conversations_bindings_credential_sid",
        "conversations_bindings",
        ["credential_sid", "account_sid", "sid"],
    )
    op.create_index(
        "ix_conversations_bindings_identity", "conversations_bindings", ["identity", "account_sid", "sid"]
    )
    op.create_index(
        "uq_conversations_bindings_device",
        "conversations_bindings",
        ["device", "chat_service_sid"],
        unique=True,
    )
    op.create_table(
        "conversations_address_configurations",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("friendly_name", sa.Text(), nullable=True),
        sa.Column("auto_creation", sa.Text(), nullable=False),
        sa.Column("address_country", sa.Text(), nullable=True),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("row_version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index(
        "ix_conversations_address_configurations_account",
        "conversations_address_configurations",
        ["account_sid", "sid"],
    )
    op.create_index(
        "uq_conversations_address_configurations_key",
        "conversations_address_configurations",
        ["key", "account_sid"],
        unique=True,
    )
    op.create_table(
        "conversations_service_configurations",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("chat_service_sid", sa.Text(), nullable=False),
        sa.Column("default_conversation_creator_role_sid", sa.Text(), nullable=False),
        sa.Column("default_conversation_role_sid", sa.Text(), nullable=False),
        sa.Column("default_chat_service_role_sid", sa.Text(), nullable=False),
        sa.Column("reachability_enabled", sa.Boolean(), nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index(
        "ix_conversations_service_configurations_account",
        "conversations_service_configurations",
        ["account_sid", "sid"],
    )
    op.create_table(
        "conversations_service_notifications",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("chat_service_sid", sa.Text(), nullable=False),
        sa.Column("new_message", sa.Text(), nullable=False),
        sa.Column("added_to_conversation", sa.Text(), nullable=False),
        sa.Column("removed_from_conversation", sa.Text(), nullable=False),
        sa.Column("log_enabled", sa.Boolean(), nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index(
        "ix_conversations_service_notifications_account",
        "conversations_service_notifications",
        ["account_sid", "sid"],
    )
    op.add_column(
        "conversations_services",
        sa.Column("removed", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column(
        "conversations_participants",
        sa.Column("notification_level", sa.Text(), server_default="default", nullable=False),
    )
    op.create_index(
        "ix_conversations_services_removed", "conversations_services", ["removed", "account_sid", "sid"]
    )
    op.create_index(
        "ix_conversations_participants_role_sid",
        "conversations_participants",
        ["role_sid", "account_sid", "sid"],
    )
    op.create_index(
        "ix_conversations_users_role_sid", "conversations_users", ["role_sid", "account_sid", "sid"]
    )
