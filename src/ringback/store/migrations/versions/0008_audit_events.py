"""The audit log: what was changed by REST, and by whom (``monitor/v1/Events``)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_INDEXED = ("actor_sid", "event_date", "event_type", "resource_sid")


def upgrade() -> None:
    """Make the table and its indexes."""
    op.create_table(
        "monitor_events",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("actor_sid", sa.Text(), nullable=True),
        sa.Column("actor_type", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("event_data", sa.Text(), nullable=False),
        sa.Column("event_date", sa.Double(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("resource_sid", sa.Text(), nullable=False),
        sa.Column("resource_type", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_ip_address", sa.Text(), nullable=True),
        sa.Column("resource_path", sa.Text(), nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index("ix_monitor_events_account", "monitor_events", ["account_sid", "sid"])
    for name in _INDEXED:
        op.create_index(f"ix_monitor_events_{name}", "monitor_events", [name, "account_sid", "sid"])
