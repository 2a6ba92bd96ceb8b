"""People are found by parts of their texts, and lists by name are read in order, without going through the tables.

The embedded PostgreSQL has no pg_trgm: `trigrams` gives every run of three letters of some texts, in lower case. A
text holds another only if it has all of the other's runs, and GIN finds the rows that have them all. Every third run
(`step`) of what is looked for says nearly as much, and costs a third.

Without statistics PostgreSQL takes each run for a rare one and asks the index. It would otherwise find that it might as
well work the runs of every row out where many rows have them, which takes a hundred times as long as reading the rows.

The orders by name carry what a list of names looks at, or PostgreSQL would not see that it can skip rows in the index
alone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TRIGRAMS = """
    CREATE FUNCTION trigrams(texts text[], step int) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 5000
    RETURN ARRAY(
        SELECT DISTINCT substr(lowered, n, 3)
        FROM unnest(texts) AS given, lower(given) AS lowered, generate_series(1, length(lowered) - 2, step) AS n
    )
"""
BY_NAME = (
    ("ix_users_lower_name", "users", ["name", "department_id"]),
    ("ix_products_lower_name", "products", ["name"]),
)


def upgrade() -> None:
    op.execute(TRIGRAMS)
    op.create_index(
        "ix_users_trigrams",
        "users",
        [sa.text("trigrams(ARRAY[name, email, department_given], 1)")],
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    )
    op.execute("ALTER INDEX ix_users_trigrams ALTER COLUMN 1 SET STATISTICS 0")
    for name, table, seen in BY_NAME:
        op.create_index(name, table, [sa.text("lower(name)"), "id"], postgresql_include=seen)


def downgrade() -> None:
    for name, table, _ in BY_NAME:
        op.drop_index(name, table)
    op.drop_index("ix_users_trigrams", "users")
    op.execute("DROP FUNCTION trigrams(text[], int)")
