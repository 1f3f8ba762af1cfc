"""Frontline: how services route, and whose turn it is in their pools."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0013"
branch_labels = None
depends_on = None

_AUTOMATIC = (
    ("sid", sa.Text),
    ("account_sid", sa.Text),
    ("date_created", sa.Double),
    ("date_updated", sa.Double),
)
_TABLES = {
    "frontline_services": (
        ("routing", sa.Text), ("routing_url", sa.Text), ("crm_callback_url", sa.Text),
        ("outgoing_callback_url", sa.Text), ("templates_callback_url", sa.Text), ("call_url", sa.Text),
        ("call_method", sa.Text),
    ),
    "frontline_turns": (("chat_service_sid", sa.Text), ("assigned_at", sa.Double)),
}  # fmt: skip


def upgrade() -> None:
    """Make the tables and their indexes."""
    for table, columns in _TABLES.items():
        op.create_table(
            table,
            *(sa.Column(name, kind(), nullable=False) for name, kind in (*_AUTOMATIC, *columns)),
            sa.Column("row_version", sa.BigInteger(), server_default="1", nullable=False),
            sa.PrimaryKeyConstraint("sid"),
        )
        op.create_index(f"ix_{table}_account", table, ["account_sid", "sid"])
    op.create_index(
        "ix_frontline_turns_chat_service_sid", "frontline_turns", ["chat_service_sid", "account_sid", "sid"]
    )
