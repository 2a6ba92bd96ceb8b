"""The day of the month that a payment renews on is remembered where a month is too short for it."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("payment_infos", sa.Column("renewal_day", sa.Integer(), nullable=True))
    op.create_check_constraint("renewal_day", "payment_infos", "renewal_day BETWEEN 29 AND 31")


def downgrade() -> None:
    op.drop_column("payment_infos", "renewal_day")
