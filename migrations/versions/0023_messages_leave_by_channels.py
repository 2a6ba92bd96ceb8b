"""Messages that leave by e-mail and chat, and how people want to be told."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "chat_channels",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kinds", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("btrim(name) <> ''", name=op.f("ck_chat_channels_name_not_blank")),
        sa.CheckConstraint("cardinality(kinds) > 0", name=op.f("ck_chat_channels_kinds_given")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_channels")),
    )
    op.create_index("uq_chat_channels_name", "chat_channels", [sa.literal_column("lower(name)")], unique=True)
    op.create_table(
        "message_choices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("channel IN ('email', 'chat')", name=op.f("ck_message_choices_channel")),
        sa.CheckConstraint("choice IN ('off', 'at_once', 'digest')", name=op.f("ck_message_choices_choice")),
        sa.CheckConstraint(
            "kind IN ('task', 'pending_tasks', 'escalation', 'payments', 'access', 'machinery')",
            name=op.f("ck_message_choices_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["users.id"], name=op.f("fk_message_choices_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_choices")),
    )
    op.create_index("ix_message_choices_person_id", "message_choices", ["person_id"], unique=False)
    op.create_index(
        "uq_message_choices",
        "message_choices",
        [sa.literal_column("coalesce(person_id, 0)"), "kind", "channel"],
        unique=True,
    )
    op.create_table(
        "message_settings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("quiet_from", sa.Time(), nullable=True),
        sa.Column("quiet_until", sa.Time(), nullable=True),
        sa.Column("digest_hour", sa.Integer(), nullable=True),
        sa.Column("chat_address", sa.LargeBinary(), nullable=True),
        sa.Column("chat_shown", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(quiet_from IS NULL) = (quiet_until IS NULL)", name=op.f("ck_message_settings_quiet_hours_whole")
        ),
        sa.CheckConstraint("digest_hour BETWEEN 0 AND 23", name=op.f("ck_message_settings_digest_hour")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["users.id"], name=op.f("fk_message_settings_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_settings")),
    )
    op.create_index("ix_message_settings_person_id", "message_settings", ["person_id"], unique=False)
    op.create_index(
        "uq_message_settings", "message_settings", [sa.literal_column("coalesce(person_id, 0)")], unique=True
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("chat_channel_id", sa.Integer(), nullable=True),
        sa.Column("notification_id", sa.Integer(), nullable=True),
        sa.Column("digest_id", sa.Integer(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("history", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("channel IN ('email', 'chat')", name=op.f("ck_messages_channel")),
        sa.CheckConstraint(
            "state IN ('waiting', 'held', 'sending', 'sent', 'kept', 'failed', 'dead', 'in_digest', 'dropped')",
            name=op.f("ck_messages_state"),
        ),
        sa.ForeignKeyConstraint(
            ["chat_channel_id"],
            ["chat_channels.id"],
            name=op.f("fk_messages_chat_channel_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["digest_id"], ["messages.id"], name=op.f("fk_messages_digest_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            ["notifications.id"],
            name=op.f("fk_messages_notification_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["users.id"], name=op.f("fk_messages_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
    )
    op.create_index("ix_messages_digest_id", "messages", ["digest_id"], unique=False)
    op.create_index(
        "ix_messages_due",
        "messages",
        ["due_at", "id"],
        unique=False,
        postgresql_where="state IN ('waiting', 'held')",
    )
    op.create_index("ix_messages_finished_at", "messages", ["finished_at"], unique=False)
    op.create_index("ix_messages_notification_id", "messages", ["notification_id"], unique=False)
    op.create_index("ix_messages_person_id", "messages", ["person_id"], unique=False)
    op.create_index(
        "ix_messages_sending", "messages", ["claimed_at"], unique=False, postgresql_where="state = 'sending'"
    )
    op.create_index("ix_messages_state", "messages", ["state", "id"], unique=False)
    op.create_index(
        "uq_messages_chat_channel_cause",
        "messages",
        ["chat_channel_id", "cause"],
        unique=True,
        postgresql_where="chat_channel_id IS NOT NULL",
    )
    op.create_index("uq_messages_message_id", "messages", ["message_id"], unique=True)
    op.add_column(
        "notifications", sa.Column("items", postgresql.JSONB(), server_default="[]", nullable=False)
    )
    op.alter_column("notifications", "items", server_default=None)


def downgrade() -> None:
    op.drop_column("notifications", "items")
    op.drop_table("messages")
    op.drop_table("message_settings")
    op.drop_table("message_choices")
    op.drop_table("chat_channels")
