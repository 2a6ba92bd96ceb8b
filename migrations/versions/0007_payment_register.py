"""The payment register: a record for each product, those that are there already included."""

import sqlalchemy as sa
from alembic import op
from flask import current_app

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

FREQUENCY = "^(monthly|quarterly|yearly|one_off|every_([1-9]|[1-9][0-9]|1[01][0-9]|120)_months)$"


def upgrade() -> None:
    op.create_table(
        "payment_infos",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("amount", sa.Numeric(15, 3), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("cardholder_name", sa.Text(), nullable=True),
        sa.Column("card_last4", sa.Text(), nullable=True),
        sa.Column("expiry_date", sa.Date(), nullable=True),
        sa.Column("payment_method", sa.Text(), nullable=True),
        sa.Column("renewal_frequency", sa.Text(), nullable=True),
        sa.Column("next_renewal_date", sa.Date(), nullable=True),
        sa.Column("auto_renew", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("notice_days", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount BETWEEN 0 AND 999999999999", name=op.f("ck_payment_infos_amount")),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_payment_infos_currency")),
        sa.CheckConstraint("card_last4 ~ '^[0-9]{4}$'", name=op.f("ck_payment_infos_card_last4")),
        sa.CheckConstraint(
            f"renewal_frequency ~ '{FREQUENCY}'", name=op.f("ck_payment_infos_renewal_frequency")
        ),
        sa.CheckConstraint("notice_days BETWEEN 0 AND 3650", name=op.f("ck_payment_infos_notice_days")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_payment_infos_product_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_infos")),
        sa.UniqueConstraint("product_id", name="uq_payment_infos_product_id"),
    )
    op.get_bind().execute(
        sa.text(
            "INSERT INTO payment_infos (product_id, currency, created_at, updated_at)"
            " SELECT id, :currency, now(), now() FROM products ORDER BY id"
        ),
        {"currency": current_app.config["CURRENCY"]},
    )


def downgrade() -> None:
    op.drop_table("payment_infos")
