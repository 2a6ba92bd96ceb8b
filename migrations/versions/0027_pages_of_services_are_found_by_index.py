"""A page in the middle of the services is found in an index alone; before, each service in front of it was read and sorted."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

NAME, TABLE = "ix_services_lower_name", "services"


def upgrade() -> None:
    op.create_index(NAME, TABLE, [sa.text("lower(name)"), "id"], postgresql_include=["name"])


def downgrade() -> None:
    op.drop_index(NAME, TABLE)
