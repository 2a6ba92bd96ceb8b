"""What somebody administers is found by index: the unique ones are partial, and a look at every row took their place."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

NAME, TABLE = "ix_permission_assignments_person_id", "permission_assignments"


def upgrade() -> None:
    op.create_index(NAME, TABLE, ["person_id"], postgresql_include=["service_id", "product_id"])


def downgrade() -> None:
    op.drop_index(NAME, TABLE)
