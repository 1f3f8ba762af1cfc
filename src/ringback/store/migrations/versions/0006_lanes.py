"""Lanes have a kind, messages between them a table, and the outbox rows of several kinds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_KIND = (
    "CASE substr(lane, 1, 2) WHEN 'WS' THEN 'workspace' WHEN 'RE' THEN 'recording' "
    "WHEN 'TR' THEN 'transcription' ELSE 'call' END"
)


def upgrade() -> None:
    """What was owed stays owed, in its order; calls that are queued get their row."""
    sqlite = op.get_context().dialect.name == "sqlite"
    digits = "printf('%032x', id)" if sqlite else "lpad(to_hex(id), 32, '0')"
    op.rename_table("outbox", "outbox_0004")
    op.create_table(
        "outbox",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.execute(f"INSERT INTO outbox SELECT 'OX' || {digits}, 'webhook', hook FROM outbox_0004")  # noqa: S608
    op.execute(
        """INSERT INTO outbox SELECT sid, 'dial', '{"call_sid":"' || sid || '","account_sid":"' || account_sid """
        """|| '"}' FROM calls WHERE status = 'queued'"""
    )
    op.drop_table("outbox_0004")
    op.create_table(
        "messages",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("failed", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.rename_table("timers", "timers_0004")
    op.create_table(
        "timers",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("due", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "lane", "name"),
    )
    op.execute(f"INSERT INTO timers SELECT {_KIND}, lane, name, due FROM timers_0004")  # noqa: S608
    op.drop_table("timers_0004")
