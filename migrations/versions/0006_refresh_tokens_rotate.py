"""A sign-in knows which refresh token counts, and which one did before."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sign_in_sessions", sa.Column("refresh_id", sa.Text(), nullable=True))
    op.add_column("sign_in_sessions", sa.Column("previous_refresh_id", sa.Text(), nullable=True))
    op.add_column("sign_in_sessions", sa.Column("refreshed_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for name in ("refreshed_at", "previous_refresh_id", "refresh_id"):
        op.drop_column("sign_in_sessions", name)
