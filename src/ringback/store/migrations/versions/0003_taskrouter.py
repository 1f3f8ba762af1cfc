"""Queues, conferences, TaskRouter, transcriptions, lookups, dialling permissions; indexes that give the order."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Queues, conferences, TaskRouter, transcriptions, lookups, dialling permissions; indexes that give the order."""
    op.create_table(
        "conferences",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("api_version", sa.Text(), nullable=False),
        sa.Column("friendly_name", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason_conference_ended", sa.Text(), nullable=True),
        sa.Column("call_sid_ending_conference", sa.Text(), nullable=True),
        sa.Column("status_callback", sa.Text(), nullable=True),
        sa.Column("status_callback_method", sa.Text(), nullable=False),
        sa.Column("status_callback_event", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index("ix_conferences_account", "conferences", ["account_sid", "sid"], unique=False)
    op.create_index(
        "ix_conferences_friendly_name", "conferences", ["friendly_name", "account_sid", "sid"], unique=False
    )
    op.create_index("ix_conferences_status", "conferences", ["status", "account_sid", "sid"], unique=False)
    op.create_table(
        "lookups_overrides",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("phone_number", sa.Text(), nullable=False),
        sa.Column("original_line_type", sa.Text(), nullable=True),
        sa.Column("overridden_line_type", sa.Text(), nullable=False),
        sa.Column("override_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index("ix_lookups_overrides_account", "lookups_overrides", ["account_sid", "sid"], unique=False)
    op.create_index(
        "uq_lookups_overrides_phone_number", "lookups_overrides", ["phone_number", "account_sid"], unique=True
    )
    op.create_table(
        "queues",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("friendly_name", sa.Text(), nullable=False),
        sa.Column("max_size", sa.BigInteger(), nullable=False),
        sa.Column("current_size", sa.BigInteger(), nullable=False),
        sa.Column("average_wait_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index("ix_queues_account", "queues", ["account_sid", "sid"], unique=False)
    op.create_index("uq_queues_friendly_name", "queues", ["friendly_name", "account_sid"], unique=True)
    op.create_table(
        "taskrouter_activities",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("workspace_sid", sa.Text(), nullable=False),
        sa.Column("friendly_name", sa.Text(), nullable=False),
        sa.Column("available", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index(
        "ix_taskrouter_activities_account", "taskrouter_activities", ["account_sid", "sid"], unique=False
    )
    op.create_index(
        "ix_taskrouter_activities_workspace_sid",
        "taskrouter_activities",
        ["workspace_sid", "account_sid", "sid"],
        unique=False,
    )
    op.create_table(
        "taskrouter_events",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("workspace_sid", sa.Text(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("event_date", sa.Double(), nullable=False),
        sa.Column("event_date_ms", sa.BigInteger(), nullable=False),
        sa.Column("resource_type", sa.Text(), nullable=False),
        sa.Column("resource_sid", sa.Text(), nullable=False),
        sa.Column("resource_url", sa.Text(), nullable=True),
        sa.Column("actor_type", sa.Text(), nullable=True),
        sa.Column("actor_sid", sa.Text(), nullable=True),
        sa.Column("actor_url", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("source_ip_address", sa.Text(), nullable=True),
        sa.Column("event_data", sa.Text(), nullable=False),
        sa.Column("task_sid", sa.Text(), nullable=True),
        sa.Column("worker_sid", sa.Text(), nullable=True),
        sa.Column("task_queue_sid", sa.Text(), nullable=True),
        sa.Column("workflow_sid", sa.Text(), nullable=True),
        sa.Column("reservation_sid", sa.Text(), nullable=True),
        sa.Column("task_channel_sid", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index("ix_taskrouter_events_account", "taskrouter_events", ["account_sid", "sid"], unique=False)
    op.create_index(
        "ix_taskrouter_events_task_sid", "taskrouter_events", ["task_sid", "account_sid", "sid"], unique=False
    )
    op.create_index(
        "ix_taskrouter_events_workspace_sid",
        "taskrouter_events",
        ["workspace_sid", "account_sid", "sid"],
        unique=False,
    )
    op.create_table(
        "taskrouter_reservations",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("workspace_sid", sa.Text(), nullable=False),
        sa.Column("reservation_status", sa.Text(), nullable=False),
        sa.Column("task_sid", sa.Text(), nullable=False),
        sa.Column("worker_sid", sa.Text(), nullable=False),
        sa.Column("worker_name", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("accepted_at", sa.Double(), nullable=True),
        sa.Column("canceled_reason_code", sa.BigInteger(), nullable=True),
        sa.Column("task_queue_sid", sa.Text(), nullable=True),
        sa.Column("task_channel_sid", sa.Text(), nullable=False),
        sa.Column("call_sid", sa.Text(), nullable=True),
        sa.Column("instruction", sa.Text(), nullable=True),
        sa.Column("transfer_sid", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index(
        "ix_taskrouter_reservations_account", "taskrouter_reservations", ["account_sid", "sid"], unique=False
    )
    op.create_index(
        "ix_taskrouter_reservations_task_sid",
        "taskrouter_reservations",
        ["task_sid", "account_sid", "sid"],
        unique=False,
    )
    op.create_index(
        "ix_taskrouter_reservations_workspace_sid",
        "taskrouter_reservations",
        ["workspace_sid", "account_sid", "sid"],
        unique=False,
    )
    op.create_table(
        "taskrouter_task_channels",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("workspace_sid", sa.Text(), nullable=False),
        sa.Column("friendly_name", sa.Text(), nullable=False),
        sa.Column("unique_name", sa.Text(), nullable=False),
        sa.Column("channel_optimized_routing", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index(
        "ix_taskrouter_task_channels_account",
        "taskrouter_task_channels",
        ["account_sid", "sid"],
        unique=False,
    )
    op.create_index(
        "ix_taskrouter_task_channels_workspace_sid",
        "taskrouter_task_channels",
        ["workspace_sid", "account_sid", "sid"],
        unique=False,
    )
    op.create_table(
        "taskrouter_task_queues",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("workspace_sid", sa.Text(), nullable=False),
        sa.Column("friendly_name", sa.Text(), nullable=False),
        sa.Column("target_workers", sa.Text(), nullable=False),
        sa.Column("max_reserved_workers", sa.BigInteger(), nullable=False),
        sa.Column("task_order", sa.Text(), nullable=False),
        sa.Column("reservation_activity_sid", sa.Text(), nullable=True),
        sa.Column("reservation_activity_name", sa.Text(), nullable=True),
        sa.Column("assignment_activity_sid", sa.Text(), nullable=True),
        sa.Column("assignment_activity_name", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index(
        "ix_taskrouter_task_queues_account", "taskrouter_task_queues", ["account_sid", "sid"], unique=False
    )
    op.create_index(
        "ix_taskrouter_task_queues_workspace_sid",
        "taskrouter_task_queues",
        ["workspace_sid", "account_sid", "sid"],
        unique=False,
    )
    op.create_table(
        "taskrouter_tasks",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("workspace_sid", sa.Text(), nullable=False),
        sa.Column("assignment_status", sa.Text(), nullable=False),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.Column("addons", sa.Text(), nullable=False),
        sa.Column("age", sa.BigInteger(), nullable=False),
        sa.Column("priority", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("timeout", sa.BigInteger(), nullable=False),
        sa.Column("task_queue_sid", sa.Text(), nullable=True),
        sa.Column("task_queue_friendly_name", sa.Text(), nullable=True),
        sa.Column("task_queue_entered_date", sa.Double(), nullable=True),
        sa.Column("virtual_start_time", sa.Double(), nullable=False),
        sa.Column("workflow_sid", sa.Text(), nullable=True),
        sa.Column("workflow_friendly_name", sa.Text(), nullable=True),
        sa.Column("task_channel_sid", sa.Text(), nullable=False),
        sa.Column("task_channel_unique_name", sa.Text(), nullable=False),
        sa.Column("routing_target", sa.Text(), nullable=True),
        sa.Column("ignore_capacity", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("call_sid", sa.Text(), nullable=True),
        sa.Column("filter_index", sa.BigInteger(), nullable=True),
        sa.Column("target_index", sa.BigInteger(), nullable=False),
        sa.Column("target_entered", sa.Double(), nullable=False),
        sa.Column("target_over", sa.Boolean(), nullable=False),
        sa.Column("cycles", sa.BigInteger(), nullable=False),
        sa.Column("status_since", sa.Double(), nullable=False),
        sa.Column("accepted_at", sa.Double(), nullable=True),
        sa.Column("transfer", sa.Text(), nullable=True),
        sa.Column("conference", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index("ix_taskrouter_tasks_account", "taskrouter_tasks", ["account_sid", "sid"], unique=False)
    op.create_index(
        "ix_taskrouter_tasks_call_sid", "taskrouter_tasks", ["call_sid", "account_sid", "sid"], unique=False
    )
    op.create_index(
        "ix_taskrouter_tasks_workspace_sid",
        "taskrouter_tasks",
        ["workspace_sid", "account_sid", "sid"],
        unique=False,
    )
    op.create_table(
        "taskrouter_worker_channels",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("workspace_sid", sa.Text(), nullable=False),
        sa.Column("worker_sid", sa.Text(), nullable=False),
        sa.Column("task_channel_sid", sa.Text(), nullable=False),
        sa.Column("task_channel_unique_name", sa.Text(), nullable=False),
        sa.Column("configured_capacity", sa.BigInteger(), nullable=False),
        sa.Column("available", sa.Boolean(), nullable=False),
        sa.Column("assigned_tasks", sa.BigInteger(), nullable=False),
        sa.Column("available_capacity_percentage", sa.BigInteger(), nullable=False),
        sa.Column("last_reserved", sa.Double(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index(
        "ix_taskrouter_worker_channels_account",
        "taskrouter_worker_channels",
        ["account_sid", "sid"],
        unique=False,
    )
    op.create_index(
        "ix_taskrouter_worker_channels_workspace_sid",
        "taskrouter_worker_channels",
        ["workspace_sid", "account_sid", "sid"],
        unique=False,
    )
    op.create_table(
        "taskrouter_workers",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("workspace_sid", sa.Text(), nullable=False),
        sa.Column("friendly_name", sa.Text(), nullable=False),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.Column("activity_sid", sa.Text(), nullable=True),
        sa.Column("activity_name", sa.Text(), nullable=True),
        sa.Column("available", sa.Boolean(), nullable=False),
        sa.Column("date_status_changed", sa.Double(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index(
        "ix_taskrouter_workers_account", "taskrouter_workers", ["account_sid", "sid"], unique=False
    )
    op.create_index(
        "ix_taskrouter_workers_workspace_sid",
        "taskrouter_workers",
        ["workspace_sid", "account_sid", "sid"],
        unique=False,
    )
    op.create_table(
        "taskrouter_workflows",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("workspace_sid", sa.Text(), nullable=False),
        sa.Column("friendly_name", sa.Text(), nullable=False),
        sa.Column("configuration", sa.Text(), nullable=False),
        sa.Column("assignment_callback_url", sa.Text(), nullable=True),
        sa.Column("fallback_assignment_callback_url", sa.Text(), nullable=True),
        sa.Column("task_reservation_timeout", sa.BigInteger(), nullable=False),
        sa.Column("document_content_type", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index(
        "ix_taskrouter_workflows_account", "taskrouter_workflows", ["account_sid", "sid"], unique=False
    )
    op.create_index(
        "ix_taskrouter_workflows_workspace_sid",
        "taskrouter_workflows",
        ["workspace_sid", "account_sid", "sid"],
        unique=False,
    )
    op.create_table(
        "taskrouter_workspaces",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("friendly_name", sa.Text(), nullable=False),
        sa.Column("default_activity_sid", sa.Text(), nullable=True),
        sa.Column("default_activity_name", sa.Text(), nullable=True),
        sa.Column("timeout_activity_sid", sa.Text(), nullable=True),
        sa.Column("timeout_activity_name", sa.Text(), nullable=True),
        sa.Column("event_callback_url", sa.Text(), nullable=True),
        sa.Column("events_filter", sa.Text(), nullable=True),
        sa.Column("multi_task_enabled", sa.Boolean(), nullable=False),
        sa.Column("prioritize_queue_order", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index(
        "ix_taskrouter_workspaces_account", "taskrouter_workspaces", ["account_sid", "sid"], unique=False
    )
    op.create_table(
        "transcriptions",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("recording_sid", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("transcription_text", sa.Text(), nullable=False),
        sa.Column("duration", sa.BigInteger(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("price", sa.Text(), nullable=True),
        sa.Column("price_unit", sa.Text(), nullable=False),
        sa.Column("api_version", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("crashes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index("ix_transcriptions_account", "transcriptions", ["account_sid", "sid"], unique=False)
    op.create_index(
        "ix_transcriptions_recording_sid",
        "transcriptions",
        ["recording_sid", "account_sid", "sid"],
        unique=False,
    )
    op.create_index(
        "ix_transcriptions_status", "transcriptions", ["status", "account_sid", "sid"], unique=False
    )
    op.create_table(
        "voice_blocked_numbers",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("phone_number", sa.Text(), nullable=False),
        sa.Column("friendly_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index(
        "ix_voice_blocked_numbers_account", "voice_blocked_numbers", ["account_sid", "sid"], unique=False
    )
    op.create_index(
        "uq_voice_blocked_numbers_phone_number",
        "voice_blocked_numbers",
        ["phone_number", "account_sid"],
        unique=True,
    )
    op.create_table(
        "voice_countries",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("iso_code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("continent", sa.Text(), nullable=False),
        sa.Column("country_codes", sa.Text(), nullable=False),
        sa.Column("low_risk_numbers_enabled", sa.Boolean(), nullable=False),
        sa.Column("high_risk_special_numbers_enabled", sa.Boolean(), nullable=False),
        sa.Column("high_risk_tollfraud_numbers_enabled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index("ix_voice_countries_account", "voice_countries", ["account_sid", "sid"], unique=False)
    op.create_index(
        "uq_voice_countries_iso_code", "voice_countries", ["iso_code", "account_sid"], unique=True
    )
    op.create_table(
        "voice_high_risk_prefixes",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("friendly_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index(
        "ix_voice_high_risk_prefixes_account",
        "voice_high_risk_prefixes",
        ["account_sid", "sid"],
        unique=False,
    )
    op.create_index(
        "uq_voice_high_risk_prefixes_prefix",
        "voice_high_risk_prefixes",
        ["prefix", "account_sid"],
        unique=True,
    )
    op.create_table(
        "voice_settings",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("account_sid", sa.Text(), nullable=False),
        sa.Column("date_created", sa.Double(), nullable=False),
        sa.Column("date_updated", sa.Double(), nullable=False),
        sa.Column("dialing_permissions_inheritance", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index("ix_voice_settings_account", "voice_settings", ["account_sid", "sid"], unique=False)
    op.drop_index(op.f("ix_alerts_call_sid"), table_name="alerts")
    op.create_index("ix_alerts_call_sid", "alerts", ["call_sid", "account_sid", "sid"], unique=False)
    op.drop_index(op.f("ix_alerts_log"), table_name="alerts")
    op.create_index("ix_alerts_log", "alerts", ["log", "account_sid", "sid"], unique=False)
    op.drop_index(op.f("ix_alerts_message_date"), table_name="alerts")
    op.create_index("ix_alerts_message_date", "alerts", ["message_date", "account_sid", "sid"], unique=False)
    op.drop_index(op.f("ix_alerts_resource_sid"), table_name="alerts")
    op.create_index("ix_alerts_resource_sid", "alerts", ["resource_sid", "account_sid", "sid"], unique=False)
    op.drop_index(op.f("ix_applications_friendly_name"), table_name="applications")
    op.create_index(
        "ix_applications_friendly_name", "applications", ["friendly_name", "account_sid", "sid"], unique=False
    )
    op.drop_index(op.f("ix_calls_from"), table_name="calls")
    op.create_index("ix_calls_from", "calls", ["from", "account_sid", "sid"], unique=False)
    op.drop_index(op.f("ix_calls_parent_call_sid"), table_name="calls")
    op.create_index(
        "ix_calls_parent_call_sid", "calls", ["parent_call_sid", "account_sid", "sid"], unique=False
    )
    op.drop_index(op.f("ix_calls_start_time"), table_name="calls")
    op.create_index("ix_calls_start_time", "calls", ["start_time", "account_sid", "sid"], unique=False)
    op.drop_index(op.f("ix_calls_status"), table_name="calls")
    op.create_index("ix_calls_status", "calls", ["status", "account_sid", "sid"], unique=False)
    op.drop_index(op.f("ix_calls_to"), table_name="calls")
    op.create_index("ix_calls_to", "calls", ["to", "account_sid", "sid"], unique=False)
    op.drop_index(op.f("ix_recordings_call_sid"), table_name="recordings")
    op.create_index("ix_recordings_call_sid", "recordings", ["call_sid", "account_sid", "sid"], unique=False)
    op.drop_index(op.f("ix_recordings_status"), table_name="recordings")
    op.create_index("ix_recordings_status", "recordings", ["status", "account_sid", "sid"], unique=False)
