"""Payments made and their invoices; what was recorded is neither changed nor deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KEEP = (
    """
    CREATE FUNCTION payment_history_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
    END $$
    """,
    (
        "CREATE TRIGGER payments_made_keep BEFORE UPDATE OR DELETE ON payments_made"
        " FOR EACH ROW EXECUTE FUNCTION payment_history_refuse()"
    ),
    (
        "CREATE TRIGGER payments_made_keep_all BEFORE TRUNCATE ON payments_made"
        " FOR EACH STATEMENT EXECUTE FUNCTION payment_history_refuse()"
    ),
    (
        "CREATE TRIGGER invoices_keep BEFORE UPDATE ON invoices"
        " FOR EACH ROW EXECUTE FUNCTION payment_history_refuse()"
    ),
)


def upgrade() -> None:
    _create_payments_made()
    _create_invoices()
    for statement in KEEP:
        op.execute(statement)


def _create_payments_made() -> None:
    op.create_table(
        "payments_made",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("amount", sa.Numeric(15, 3), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=True),
        sa.Column("period_end", sa.Date(), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("method", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("corrects_id", sa.Integer(), nullable=True),
        sa.Column("voids", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("recorded_by_id", sa.Integer(), nullable=True),
        sa.Column("recorded_by_name", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount BETWEEN 0 AND 999999999999", name=op.f("ck_payments_made_amount")),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_payments_made_currency")),
        sa.CheckConstraint(
            "(period_start IS NULL) = (period_end IS NULL)", name=op.f("ck_payments_made_period_whole")
        ),
        sa.CheckConstraint("period_end >= period_start", name=op.f("ck_payments_made_period_end")),
        sa.CheckConstraint("corrects_id < id", name=op.f("ck_payments_made_corrects_id")),
        sa.CheckConstraint("corrects_id IS NOT NULL OR NOT voids", name=op.f("ck_payments_made_voids")),
        sa.CheckConstraint("btrim(method) <> ''", name=op.f("ck_payments_made_method_not_blank")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_payments_made_product_id")),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["users.id"], name=op.f("fk_payments_made_recorded_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["corrects_id", "product_id"],
            ["payments_made.id", "payments_made.product_id"],
            name=op.f("fk_payments_made_corrects_id_product_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments_made")),
        sa.UniqueConstraint("id", "product_id", name="uq_payments_made_id_product_id"),
        sa.UniqueConstraint("corrects_id", name="uq_payments_made_corrects_id"),
    )
    op.create_index("ix_payments_made_product_id", "payments_made", ["product_id", "paid_on", "id"])
    op.create_index("ix_payments_made_recorded_by_id", "payments_made", ["recorded_by_id"])
    op.create_index("ix_payments_made_paid_on", "payments_made", ["paid_on"])


def _create_invoices() -> None:
    op.create_table(
        "invoices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("payment_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("stored_name", sa.Text(), nullable=False),
        sa.Column("mime_type", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("uploaded_by_id", sa.Integer(), nullable=True),
        sa.Column("uploaded_by_name", sa.Text(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("btrim(name) <> ''", name=op.f("ck_invoices_name_not_blank")),
        sa.CheckConstraint(
            "mime_type IN ('application/pdf', 'image/png', 'image/jpeg')", name=op.f("ck_invoices_mime_type")
        ),
        sa.CheckConstraint("size > 0", name=op.f("ck_invoices_size")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments_made.id"], name=op.f("fk_invoices_payment_id")),
        sa.ForeignKeyConstraint(["uploaded_by_id"], ["users.id"], name=op.f("fk_invoices_uploaded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoices")),
        sa.UniqueConstraint("stored_name", name="uq_invoices_stored_name"),
        sa.UniqueConstraint("payment_id", "sha256", name="uq_invoices_payment_id_sha256"),
    )
    op.create_index("ix_invoices_uploaded_by_id", "invoices", ["uploaded_by_id"])


def downgrade() -> None:
    op.drop_table("invoices")
    op.drop_table("payments_made")
    op.execute("DROP FUNCTION payment_history_refuse()")
