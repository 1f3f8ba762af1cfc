"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything."""
    op.create_table(
        "accounts",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("friendly_name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("auth_token", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index("ix_accounts_account", "accounts", ["account_sid", "sid"], unique=False)
    op.create_table(
        "alerts",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("log", sa.BigInteger(), nullable=False),
        sa.Column("error_code", sa.BigInteger(), nullable=True),
        sa.Column("message_text", sa.Text(), nullable=False),
        sa.Column("message_date", sa.Double(), nullable=False),
        sa.Column("more_info", sa.Text(), nullable=False),
        sa.Column("call_sid", sa.Text(), nullable=True),
        sa.Column("resource_sid", sa.Text(), nullable=True),
        sa.Column("service_sid", sa.Text(), nullable=True),
        sa.Column("api_version", sa.Text(), nullable=False),
        sa.Column("request_method", sa.Text(), nullable=True),
        sa.Column("request_url", sa.Text(), nullable=True),
        sa.Column("request_variables", sa.Text(), nullable=True),
        sa.Column("request_headers", sa.Text(), nullable=True),
        sa.Column("response_headers", sa.Text(), nullable=True),
        sa.Column("response_body", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index("ix_alerts_account", "alerts", ["account_sid", "sid"], unique=False)
    op.create_index("ix_alerts_call_sid", "alerts", ["call_sid", "account_sid"], unique=False)
    op.create_index("ix_alerts_log", "alerts", ["log", "account_sid"], unique=False)
    op.create_index("ix_alerts_message_date", "alerts", ["message_date", "account_sid"], unique=False)
    op.create_index("ix_alerts_resource_sid", "alerts", ["resource_sid", "account_sid"], unique=False)
    op.create_table(
        "applications",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("friendly_name", sa.Text(), nullable=False),
        sa.Column("api_version", sa.Text(), nullable=False),
        sa.Column("voice_url", sa.Text(), nullable=True),
        sa.Column("voice_method", sa.Text(), nullable=False),
        sa.Column("voice_fallback_url", sa.Text(), nullable=True),
        sa.Column("voice_fallback_method", sa.Text(), nullable=False),
        sa.Column("voice_caller_id_lookup", sa.Boolean(), nullable=False),
        sa.Column("status_callback", sa.Text(), nullable=True),
        sa.Column("status_callback_method", sa.Text(), nullable=False),
        sa.Column("sms_url", sa.Text(), nullable=True),
        sa.Column("sms_method", sa.Text(), nullable=False),
        sa.Column("sms_fallback_url", sa.Text(), nullable=True),
        sa.Column("sms_fallback_method", sa.Text(), nullable=False),
        sa.Column("sms_status_callback", sa.Text(), nullable=True),
        sa.Column("message_status_callback", sa.Text(), nullable=True),
        sa.Column("public_application_connect_enabled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index("ix_applications_account", "applications", ["account_sid", "sid"], unique=False)
    op.create_index(
        "ix_applications_friendly_name", "applications", ["friendly_name", "account_sid"], unique=False
    )
    op.create_table(
        "calls",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("parent_call_sid", sa.Text(), nullable=True),
        sa.Column("phone_number_sid", sa.Text(), nullable=True),
        sa.Column("to", sa.Text(), nullable=False),
        sa.Column("to_formatted", sa.Text(), nullable=False),
        sa.Column("from", sa.Text(), nullable=False),
        sa.Column("from_formatted", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("start_time", sa.Double(), nullable=True),
        sa.Column("end_time", sa.Double(), nullable=True),
        sa.Column("duration", sa.BigInteger(), nullable=True),
        sa.Column("price", sa.Text(), nullable=True),
        sa.Column("price_unit", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("api_version", sa.Text(), nullable=False),
        sa.Column("forwarded_from", sa.Text(), nullable=True),
        sa.Column("caller_name", sa.Text(), nullable=True),
        sa.Column("group_sid", sa.Text(), nullable=True),
        sa.Column("trunk_sid", sa.Text(), nullable=True),
        sa.Column("queue_time", sa.BigInteger(), nullable=False),
        sa.Column("error_code", sa.BigInteger(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.Double(), nullable=True),
        sa.Column("sip_code", sa.BigInteger(), nullable=True),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index("ix_calls_account", "calls", ["account_sid", "sid"], unique=False)
    op.create_index("ix_calls_from", "calls", ["from", "account_sid"], unique=False)
    op.create_index("ix_calls_parent_call_sid", "calls", ["parent_call_sid", "account_sid"], unique=False)
    op.create_index("ix_calls_start_time", "calls", ["start_time", "account_sid"], unique=False)
    op.create_index("ix_calls_status", "calls", ["status", "account_sid"], unique=False)
    op.create_index("ix_calls_to", "calls", ["to", "account_sid"], unique=False)
    op.create_table(
        "http_events",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("resource_sid", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_http_events_resource", "http_events", ["resource_sid", "id"], unique=False)
    op.create_table(
        "incoming_phone_numbers",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("phone_number", sa.Text(), nullable=False),
        sa.Column("friendly_name", sa.Text(), nullable=False),
        sa.Column("api_version", sa.Text(), nullable=False),
        sa.Column("voice_url", sa.Text(), nullable=True),
        sa.Column("voice_method", sa.Text(), nullable=False),
        sa.Column("voice_fallback_url", sa.Text(), nullable=True),
        sa.Column("voice_fallback_method", sa.Text(), nullable=False),
        sa.Column("voice_application_sid", sa.Text(), nullable=True),
        sa.Column("voice_caller_id_lookup", sa.Boolean(), nullable=False),
        sa.Column("voice_receive_mode", sa.Text(), nullable=False),
        sa.Column("trunk_sid", sa.Text(), nullable=True),
        sa.Column("status_callback", sa.Text(), nullable=True),
        sa.Column("status_callback_method", sa.Text(), nullable=False),
        sa.Column("sms_url", sa.Text(), nullable=True),
        sa.Column("sms_method", sa.Text(), nullable=False),
        sa.Column("sms_fallback_url", sa.Text(), nullable=True),
        sa.Column("sms_fallback_method", sa.Text(), nullable=False),
        sa.Column("sms_application_sid", sa.Text(), nullable=True),
        sa.Column("address_sid", sa.Text(), nullable=True),
        sa.Column("address_requirements", sa.Text(), nullable=False),
        sa.Column("identity_sid", sa.Text(), nullable=True),
        sa.Column("bundle_sid", sa.Text(), nullable=True),
        sa.Column("emergency_status", sa.Text(), nullable=False),
        sa.Column("emergency_address_sid", sa.Text(), nullable=True),
        sa.Column("emergency_address_status", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("beta", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("capabilities", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index(
        "ix_incoming_phone_numbers_account", "incoming_phone_numbers", ["account_sid", "sid"], unique=False
    )
    op.create_index(
        "ix_incoming_phone_numbers_phone_number",
        "incoming_phone_numbers",
        ["phone_number", "account_sid"],
        unique=False,
    )
    op.create_table(
        "keys",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("friendly_name", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("main", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index("ix_keys_account", "keys", ["account_sid", "sid"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hook", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "outgoing_caller_ids",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("phone_number", sa.Text(), nullable=False),
        sa.Column("friendly_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index(
        "ix_outgoing_caller_ids_account", "outgoing_caller_ids", ["account_sid", "sid"], unique=False
    )
    op.create_index(
        "ix_outgoing_caller_ids_phone_number",
        "outgoing_caller_ids",
        ["phone_number", "account_sid"],
        unique=False,
    )
    op.create_table(
        "recordings",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("call_sid", sa.Text(), nullable=True),
        sa.Column("conference_sid", sa.Text(), nullable=True),
        sa.Column("api_version", sa.Text(), nullable=False),
        sa.Column("channels", sa.BigInteger(), nullable=False),
        sa.Column("start_time", sa.Double(), nullable=True),
        sa.Column("duration", sa.BigInteger(), nullable=True),
        sa.Column("price", sa.Text(), nullable=True),
        sa.Column("price_unit", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("track", sa.Text(), nullable=False),
        sa.Column("error_code", sa.BigInteger(), nullable=True),
        sa.Column("encryption_details", sa.Text(), nullable=True),
        sa.Column("status_callback", sa.Text(), nullable=True),
        sa.Column("status_callback_method", sa.Text(), nullable=False),
        sa.Column("status_callback_event", sa.Text(), nullable=False),
        sa.Column("trim", sa.Boolean(), nullable=False),
        sa.Column("silent", sa.Boolean(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("leg_sid", sa.Text(), nullable=True),
        sa.Column("deleted_at", sa.Double(), nullable=True),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index("ix_recordings_account", "recordings", ["account_sid", "sid"], unique=False)
    op.create_index("ix_recordings_call_sid", "recordings", ["call_sid", "account_sid"], unique=False)
    op.create_index("ix_recordings_status", "recordings", ["status", "account_sid"], unique=False)
    op.create_table(
        "timers",
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("due", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("lane", "name"),
    )
