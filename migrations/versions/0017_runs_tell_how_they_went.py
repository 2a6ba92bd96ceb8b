"""A run of a periodic job tells how it went and who asked for it; jobs can be paused; attempts at work are counted."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

RUNS = "scheduled_runs"


def upgrade() -> None:
    op.add_column("outbox", sa.Column("begun", sa.Integer(), nullable=False, server_default="0"))
    op.alter_column("outbox", "begun", server_default=None)
    op.create_index("ix_outbox_dead", "outbox", ["id"], postgresql_where=sa.text("state = 'dead'"))
    op.create_table(
        "job_pauses",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paused_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("job", name=op.f("pk_job_pauses")),
    )
    for column in (
        sa.Column("state", sa.Text(), nullable=False, server_default="waiting"),
        sa.Column("trigger", sa.Text(), nullable=False, server_default="schedule"),
        sa.Column("asked_by", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("message_id", sa.Integer(), nullable=True),
    ):
        op.add_column(RUNS, column)
        op.alter_column(RUNS, column.name, server_default=None)
    op.execute(f"UPDATE {RUNS} SET state = 'done', attempts = 1 WHERE finished_at IS NOT NULL")  # noqa: S608
    op.execute(
        f"""
        UPDATE {RUNS} AS run SET message_id = message.id FROM outbox AS message
        WHERE message.job = 'app.foundation.ticking.run_slot' AND message.arguments = jsonb_build_array(run.id)
        """  # noqa: S608
    )
    op.execute(
        f"""
        UPDATE {RUNS} AS run SET state = 'failed', error = coalesce(message.last_error, 'It was lost.'),
               finished_at = coalesce(message.finished_at, message.created_at)
        FROM outbox AS message WHERE message.id = run.message_id AND message.state = 'dead' AND run.state = 'waiting'
        """  # noqa: S608
    )
    op.create_check_constraint("state", RUNS, "state IN ('waiting', 'running', 'done', 'failed')")
    op.create_check_constraint("trigger", RUNS, "trigger IN ('schedule', 'person')")
    op.create_foreign_key(
        op.f("fk_scheduled_runs_message_id"), RUNS, "outbox", ["message_id"], ["id"], ondelete="SET NULL"
    )
    op.create_index("ix_scheduled_runs_job_id", RUNS, ["job", "id"])
    op.create_index(
        "ix_scheduled_runs_failed", RUNS, ["job", "id"], postgresql_where=sa.text("state = 'failed'")
    )
    op.create_index("ix_scheduled_runs_message_id", RUNS, ["message_id"])


def downgrade() -> None:
    for name in ("message_id", "error", "attempts", "asked_by", "trigger", "state"):
        op.drop_column(RUNS, name)
    op.drop_index("ix_scheduled_runs_job_id", RUNS)
    op.drop_table("job_pauses")
    op.drop_index("ix_outbox_dead", "outbox")
    op.drop_column("outbox", "begun")
