"""Attempts to sign in are counted, by account and by address."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sign_in_limits",
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.ARRAY(sa.DateTime(timezone=True)), nullable=False),
        sa.Column("locks", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", name="pk_sign_in_limits"),
    )
    op.create_index("ix_sign_in_limits_touched_at", "sign_in_limits", ["touched_at"])


def downgrade() -> None:
    op.drop_table("sign_in_limits")
