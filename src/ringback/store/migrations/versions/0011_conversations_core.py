"""Conversations: configuration of accounts."""

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
