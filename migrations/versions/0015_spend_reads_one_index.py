"""The report of spend reads one index of payments made, and never the table."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

NAME, TABLE = "ix_payments_made_paid_on", "payments_made"
READ = ["product_id", "currency", "method", "amount", "voids", "id"]


def upgrade() -> None:
    op.drop_index(NAME, TABLE)
    op.create_index(NAME, TABLE, ["paid_on"], postgresql_include=READ)


def downgrade() -> None:
    op.drop_index(NAME, TABLE)
    op.create_index(NAME, TABLE, ["paid_on"])
