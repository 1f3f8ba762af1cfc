"""A phone number exists once, whichever process adds it; a caller id once an account.

Where two processes had added the same number, the newest row stays: it is the one that calls were routed by.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Drop surplus rows, then replace the indexes by unique ones."""
    op.execute(
        "DELETE FROM incoming_phone_numbers WHERE sid NOT IN "
        "(SELECT MAX(sid) FROM incoming_phone_numbers GROUP BY phone_number)"
    )
    op.execute(
        "DELETE FROM outgoing_caller_ids WHERE sid NOT IN "
        "(SELECT MAX(sid) FROM outgoing_caller_ids GROUP BY phone_number, account_sid)"
    )
    op.drop_index("ix_incoming_phone_numbers_phone_number", "incoming_phone_numbers")
    op.drop_index("ix_outgoing_caller_ids_phone_number", "outgoing_caller_ids")
    op.create_index(
        "uq_incoming_phone_numbers_phone_number", "incoming_phone_numbers", ["phone_number"], unique=True
    )
    op.create_index(
        "uq_outgoing_caller_ids_phone_number",
        "outgoing_caller_ids",
        ["phone_number", "account_sid"],
        unique=True,
    )
