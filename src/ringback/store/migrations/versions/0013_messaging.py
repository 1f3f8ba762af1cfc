"""Files of messages, messaging services and their senders, and who has opted out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def _record(*columns: sa.Column[object]) -> list[sa.Column[object]]:
    """The columns that every record has, with its own between them."""
    return [
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        *columns,
        sa.Column("row_version", sa.BigInteger(), server_default="1", nullable=False),
    ]


def _text(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _table(name: str, *columns: sa.Column[object], indexed: tuple[str, ...] = ()) -> None:
    op.create_table(name, *_record(*columns), sa.PrimaryKeyConstraint("sid"))
    op.create_index(f"ix_{name}_account", name, ["account_sid", "sid"])
    for each in indexed:
        op.create_index(f"ix_{name}_{each}", name, [each, "account_sid", "sid"])


def upgrade() -> None:
    """Make the tables and their indexes."""
    _table(
        "media",
        _text("parent_sid"),
        _text("content_type"),
        _text("url"),
        _text("store_sid"),
        indexed=("parent_sid",),
    )
    _table(
        "opt_outs", _text("address"), _text("scope"), sa.Column("opted_out", sa.Boolean(), nullable=False),
        _text("word"), indexed=("address",),
    )  # fmt: skip
    _table(
        "messaging_services", _text("friendly_name"), _text("inbound_request_url", nullable=True),
        _text("inbound_method"), _text("fallback_url", nullable=True), _text("fallback_method"),
        _text("status_callback", nullable=True), sa.Column("sticky_sender", sa.Boolean(), nullable=False),
        sa.Column("mms_converter", sa.Boolean(), nullable=False),
        sa.Column("smart_encoding", sa.Boolean(), nullable=False), _text("scan_message_content"),
        sa.Column("fallback_to_long_code", sa.Boolean(), nullable=False),
        sa.Column("area_code_geomatch", sa.Boolean(), nullable=False),
        sa.Column("validity_period", sa.BigInteger(), nullable=False),
        sa.Column("synchronous_validation", sa.Boolean(), nullable=False), _text("usecase"),
        sa.Column("us_app_to_person_registered", sa.Boolean(), nullable=False),
        sa.Column("use_inbound_webhook_on_number", sa.Boolean(), nullable=False),
    )  # fmt: skip
    _table(
        "messaging_phone_numbers", _text("service_sid"), _text("phone_number"), _text("country_code"),
        _text("capabilities"), indexed=("service_sid", "phone_number"),
    )  # fmt: skip
    _table(
        "messaging_alpha_senders", _text("service_sid"), _text("alpha_sender"), _text("capabilities"),
        indexed=("service_sid",),
    )  # fmt: skip
    op.create_index(
        "uq_messaging_alpha_senders_alpha_sender", "messaging_alpha_senders", ["alpha_sender", "service_sid"],
        unique=True,
    )  # fmt: skip
