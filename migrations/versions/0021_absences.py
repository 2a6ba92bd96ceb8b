"""Absences with a substitute; a task says on whose behalf it is done."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "absences",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("substitute_id", sa.Integer(), nullable=True),
        sa.Column("moves_tasks", sa.Boolean(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_absences_period")),
        sa.CheckConstraint("substitute_id <> person_id", name=op.f("ck_absences_somebody_else")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["users.id"], name=op.f("fk_absences_person_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["substitute_id"], ["users.id"], name=op.f("fk_absences_substitute_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absences")),
    )
    op.execute(
        "ALTER TABLE absences ADD CONSTRAINT ex_absences_overlap EXCLUDE USING gist"
        " (int4range(person_id, person_id, '[]') WITH &&, daterange(starts_on, ends_on, '[]') WITH &&)"
    )
    op.create_index("ix_absences_person_id", "absences", ["person_id", "starts_on"])
    op.create_index("ix_absences_substitute_id", "absences", ["substitute_id"])
    op.add_column("workflow_tasks", sa.Column("on_behalf_of_id", sa.Integer(), nullable=True))
    op.create_foreign_key(
        op.f("fk_workflow_tasks_on_behalf_of_id"), "workflow_tasks", "users", ["on_behalf_of_id"], ["id"]
    )
    op.create_index("ix_workflow_tasks_on_behalf_of_id", "workflow_tasks", ["on_behalf_of_id"])


def downgrade() -> None:
    op.drop_index("ix_workflow_tasks_on_behalf_of_id", "workflow_tasks")
    op.drop_column("workflow_tasks", "on_behalf_of_id")
    op.drop_table("absences")
