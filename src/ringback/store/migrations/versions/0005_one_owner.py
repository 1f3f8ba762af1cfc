"""The lease of the one owner, and a version for every record."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NOUNS = (
    "accounts", "alerts", "applications", "calls", "conferences", "incoming_phone_numbers", "keys",
    "lookups_overrides", "outgoing_caller_ids", "queues", "recordings", "taskrouter_activities",
    "taskrouter_events", "taskrouter_reservations", "taskrouter_task_channels", "taskrouter_task_queues",
    "taskrouter_tasks", "taskrouter_worker_channels", "taskrouter_workers", "taskrouter_workflows",
    "taskrouter_workspaces", "transcriptions", "voice_blocked_numbers", "voice_countries",
    "voice_high_risk_prefixes", "voice_registrations", "voice_settings",
)  # fmt: skip


def upgrade() -> None:
    """The lease of the one owner, and a version for every record."""
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("expires", sa.Double(), nullable=False),
        sa.Column("commits", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        if_not_exists=True,  # on PostgreSQL who migrates holds the lease already
    )
    for table in NOUNS:
        op.add_column(table, sa.Column("row_version", sa.BigInteger(), nullable=False, server_default="1"))
