"""The audit log is verified each night, and what was found is kept; a mail names the request behind it."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_checks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_checks")),
    )
    op.add_column("messages", sa.Column("request_id", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("messages", "request_id")
    op.drop_table("audit_checks")
