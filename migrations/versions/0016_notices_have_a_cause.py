"""A notice has a kind, and a cause that tells a person once."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

KINDS = "kind IN ('task', 'pending_tasks', 'escalation', 'payments', 'access', 'machinery')"


def upgrade() -> None:
    op.add_column("notifications", sa.Column("kind", sa.Text(), server_default="task", nullable=False))
    op.alter_column("notifications", "kind", server_default=None)
    op.add_column("notifications", sa.Column("cause", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("ck_notifications_kind"), "notifications", KINDS)
    op.create_index("uq_notifications_cause", "notifications", ["person_id", "cause"], unique=True)


def downgrade() -> None:
    op.drop_index("uq_notifications_cause", "notifications")
    op.drop_constraint(op.f("ck_notifications_kind"), "notifications")
    op.drop_column("notifications", "cause")
    op.drop_column("notifications", "kind")
