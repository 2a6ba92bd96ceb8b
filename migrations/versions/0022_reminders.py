"""Reminders: the rules, what was told, what people answered, which tasks were escalated."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

DAYS = "cardinality(days) <= 10 AND 1 <= ALL (days) AND 365 >= ALL (days)"
KINDS = "kind IN ('cancel_by', 'renewal', 'expiry')"


def upgrade() -> None:
    op.create_table(
        "reminder_rules",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("days", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("escalate_after", sa.Integer(), nullable=False),
        sa.Column("access_days", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_reminder_rules_only_one")),
        sa.CheckConstraint(DAYS, name=op.f("ck_reminder_rules_days")),
        sa.CheckConstraint("escalate_after BETWEEN 1 AND 60", name=op.f("ck_reminder_rules_escalate_after")),
        sa.CheckConstraint("access_days BETWEEN 0 AND 365", name=op.f("ck_reminder_rules_access_days")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder_rules")),
    )
    op.execute(
        "INSERT INTO reminder_rules (id, days, escalate_after, access_days) VALUES (1, '{60,30,14,7,1}', 3, 7)"
    )
    op.create_table(
        "product_reminders",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("days", sa.ARRAY(sa.Integer()), nullable=False),
        sa.CheckConstraint(DAYS, name=op.f("ck_product_reminders_days")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_product_reminders_product_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_reminders")),
        sa.UniqueConstraint("product_id", name="uq_product_reminders_product_id"),
    )
    _create_sent()
    _create_answers()
    op.create_table(
        "task_escalations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("told", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("level BETWEEN 1 AND 2", name=op.f("ck_task_escalations_level")),
        sa.ForeignKeyConstraint(
            ["task_id"], ["workflow_tasks.id"], name=op.f("fk_task_escalations_task_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_escalations")),
        sa.UniqueConstraint("task_id", "level", name="uq_task_escalations_task_id_level"),
    )


def _create_sent() -> None:
    op.create_table(
        "reminders_sent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("after", sa.Date(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(KINDS, name=op.f("ck_reminders_sent_kind")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_reminders_sent_product_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["users.id"], name=op.f("fk_reminders_sent_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminders_sent")),
    )
    op.create_index(
        "uq_reminders_sent_once",
        "reminders_sent",
        ["product_id", "kind", "day", "person_id", "after", "threshold"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_index("ix_reminders_sent_person_id", "reminders_sent", ["person_id"])


def _create_answers() -> None:
    op.create_table(
        "reminder_answers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("task_id", sa.Integer(), nullable=True),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("given_by_id", sa.Integer(), nullable=True),
        sa.Column("given_by_name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(KINDS, name=op.f("ck_reminder_answers_kind")),
        sa.CheckConstraint(
            "(task_id IS NULL) = (product_id IS NOT NULL AND kind IS NOT NULL AND day IS NOT NULL)"
            " AND num_nonnulls(product_id, kind, day) IN (0, 3)",
            name=op.f("ck_reminder_answers_one_thing"),
        ),
        sa.CheckConstraint(
            "task_id IS NULL OR person_id IS NOT NULL", name=op.f("ck_reminder_answers_task_of_one")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_reminder_answers_product_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["task_id"], ["workflow_tasks.id"], name=op.f("fk_reminder_answers_task_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["users.id"], name=op.f("fk_reminder_answers_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["given_by_id"], ["users.id"], name=op.f("fk_reminder_answers_given_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder_answers")),
    )
    op.create_index(
        "uq_reminder_answers_payment",
        "reminder_answers",
        ["product_id", "kind", "day", "person_id"],
        unique=True,
        postgresql_where=sa.text("product_id IS NOT NULL"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_index(
        "uq_reminder_answers_task",
        "reminder_answers",
        ["task_id", "person_id"],
        unique=True,
        postgresql_where=sa.text("task_id IS NOT NULL"),
    )
    op.create_index("ix_reminder_answers_person_id", "reminder_answers", ["person_id"])
    op.create_index("ix_reminder_answers_given_by_id", "reminder_answers", ["given_by_id"])


def downgrade() -> None:
    for table in (
        "task_escalations",
        "reminder_answers",
        "reminders_sent",
        "product_reminders",
        "reminder_rules",
    ):
        op.drop_table(table)
