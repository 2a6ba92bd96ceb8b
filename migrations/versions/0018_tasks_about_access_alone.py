"""A task may be about access alone, without a case; then its key is its own."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TABLE = "workflow_tasks"


def upgrade() -> None:
    op.drop_constraint(op.f("ck_workflow_tasks_type"), TABLE)
    op.create_check_constraint("type", TABLE, "type IN ('onboarding', 'offboarding', 'access')")
    op.create_index(
        "uq_workflow_tasks_key", TABLE, ["key"], unique=True, postgresql_where=sa.text("case_id IS NULL")
    )


def downgrade() -> None:
    """What is about access alone has no place any more: it was somebody leaving, as far as the older portal knows."""
    op.drop_index("uq_workflow_tasks_key", TABLE)
    op.execute(f"UPDATE {TABLE} SET type = 'offboarding' WHERE type = 'access'")  # noqa: S608
    op.drop_constraint(op.f("ck_workflow_tasks_type"), TABLE)
    op.create_check_constraint("type", TABLE, "type IN ('onboarding', 'offboarding')")
