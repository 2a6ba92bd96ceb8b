"""What the register is sorted by stands with each payment, so that one index has its order."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# \x01 comes before whatever a name may hold: a key sorts as its two names do one after the other.
TRIGGERS = """
CREATE FUNCTION register_key(service text, product text) RETURNS text IMMUTABLE LANGUAGE sql
    RETURN lower(service) || chr(1) || lower(product);

CREATE FUNCTION payment_takes_its_place() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT register_key(services.name, products.name) INTO NEW.sort_key
    FROM products JOIN services ON services.id = products.service_id WHERE products.id = NEW.product_id;
    RETURN NEW;
END $$;

CREATE FUNCTION payments_follow_names() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE payment_infos SET sort_key = register_key(services.name, products.name)
    FROM products JOIN services ON services.id = products.service_id
    WHERE payment_infos.product_id = products.id
        AND CASE TG_TABLE_NAME WHEN 'products' THEN products.id ELSE services.id END = NEW.id;
    RETURN NULL;
END $$;

CREATE TRIGGER payment_takes_its_place BEFORE INSERT ON payment_infos
    FOR EACH ROW EXECUTE FUNCTION payment_takes_its_place();

CREATE TRIGGER payments_follow_names AFTER UPDATE OF name, service_id ON products
    FOR EACH ROW EXECUTE FUNCTION payments_follow_names();
CREATE TRIGGER payments_follow_names AFTER UPDATE OF name ON services
    FOR EACH ROW EXECUTE FUNCTION payments_follow_names();
"""


def upgrade() -> None:
    op.add_column("payment_infos", sa.Column("sort_key", sa.Text(), nullable=True))
    op.execute(TRIGGERS)
    op.execute(
        "UPDATE payment_infos SET sort_key = register_key(services.name, products.name)"
        " FROM products JOIN services ON services.id = products.service_id WHERE payment_infos.product_id = products.id"
    )
    op.alter_column("payment_infos", "sort_key", nullable=False)
    op.create_index(
        "ix_payment_infos_register",
        "payment_infos",
        [
            sa.text(
                "(amount IS NOT NULL AND cardholder_name IS NOT NULL AND expiry_date IS NOT NULL"
                " AND payment_method IS NOT NULL)"
            ),
            "sort_key",
            "product_id",
        ],
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER payments_follow_names ON services")
    op.execute("DROP TRIGGER payments_follow_names ON products")
    op.execute("DROP TRIGGER payment_takes_its_place ON payment_infos")
    op.execute("DROP FUNCTION payments_follow_names()")
    op.execute("DROP FUNCTION payment_takes_its_place()")
    op.execute("DROP FUNCTION register_key(text, text)")
    op.drop_index("ix_payment_infos_register", "payment_infos")
    op.drop_column("payment_infos", "sort_key")
