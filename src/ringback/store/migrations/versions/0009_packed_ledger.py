"""The ledger of requests has a place for packed entries; rows of before keep their texts until they are too old."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("http_events", sa.Column("packed", sa.LargeBinary(), nullable=True))
