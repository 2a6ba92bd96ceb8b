"""An invoice that was attached by mistake is withdrawn: once, by somebody, for a reason; nothing else of it changes."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

NAMES = ("withdrawn_at", "withdrawn_by_id", "withdrawn_by_name", "withdrawn_why")
FUNCTION = f"""
    CREATE FUNCTION invoice_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE may_change text[] := '{{{",".join(NAMES)}}}';
    BEGIN
        IF OLD.withdrawn_at IS NULL AND NEW.withdrawn_at IS NOT NULL
            AND to_jsonb(NEW) - may_change = to_jsonb(OLD) - may_change THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
    END $$
"""
KEEP = "CREATE TRIGGER invoices_keep BEFORE UPDATE ON invoices FOR EACH ROW EXECUTE FUNCTION {}()"
WHOLE = "(withdrawn_at IS NULL) = (withdrawn_by_name IS NULL) AND (withdrawn_at IS NULL) = (withdrawn_why IS NULL)"
SAME = "uq_invoices_payment_id_sha256"


def upgrade() -> None:
    op.add_column("invoices", sa.Column("withdrawn_at", sa.DateTime(timezone=True)))
    op.add_column("invoices", sa.Column("withdrawn_by_id", sa.Integer()))
    op.add_column("invoices", sa.Column("withdrawn_by_name", sa.Text()))
    op.add_column("invoices", sa.Column("withdrawn_why", sa.Text()))
    op.create_foreign_key("fk_invoices_withdrawn_by_id", "invoices", "users", ["withdrawn_by_id"], ["id"])
    op.create_check_constraint(op.f("ck_invoices_withdrawn_whole"), "invoices", WHOLE)
    op.create_check_constraint(
        op.f("ck_invoices_withdrawn_why_not_blank"), "invoices", "btrim(withdrawn_why) <> ''"
    )
    op.drop_constraint(SAME, "invoices")
    op.create_index(
        SAME, "invoices", ["payment_id", "sha256"], unique=True, postgresql_where="withdrawn_at IS NULL"
    )
    op.create_index("ix_invoices_payment_id", "invoices", ["payment_id"])
    op.create_index("ix_invoices_withdrawn_by_id", "invoices", ["withdrawn_by_id"])
    op.execute("DROP TRIGGER invoices_keep ON invoices")
    op.execute(FUNCTION)
    op.execute(KEEP.format("invoice_refuse"))


def downgrade() -> None:
    op.execute("DROP TRIGGER invoices_keep ON invoices")
    op.execute("DROP FUNCTION invoice_refuse()")
    op.execute(KEEP.format("payment_history_refuse"))
    op.drop_index("ix_invoices_payment_id", "invoices")
    op.drop_index(SAME, "invoices")
    # What was withdrawn has no place in the older table, and its file nobody gets any more.
    op.execute("DELETE FROM invoices WHERE withdrawn_at IS NOT NULL")
    op.create_unique_constraint(SAME, "invoices", ["payment_id", "sha256"])
    for name in NAMES:
        op.drop_column("invoices", name)
