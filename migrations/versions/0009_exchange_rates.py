"""Exchange rates into the company's currency."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "exchange_rates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("company_currency", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("rate", sa.Numeric(20, 10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("rate > 0 AND rate <= 1000000000", name=op.f("ck_exchange_rates_rate")),
        sa.CheckConstraint("currency <> company_currency", name=op.f("ck_exchange_rates_two_currencies")),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_exchange_rates_currency")),
        sa.CheckConstraint(
            "company_currency ~ '^[A-Z]{3}$'", name=op.f("ck_exchange_rates_company_currency")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_rates")),
        sa.UniqueConstraint(
            "currency", "company_currency", "day", name="uq_exchange_rates_currency_company_currency_day"
        ),
    )


def downgrade() -> None:
    op.drop_table("exchange_rates")
