"""The migrations are the tables: one line of them, up and down and up again, with nothing left over."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from app.foundation.database import db
from tests.architecture.sources import ROOT

SHAPE = """
    SELECT c.relname || ' ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind = 'r'
    UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT tgrelid::regclass || ' ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT p.oid::regprocedure || md5(prosrc) FROM pg_proc p WHERE pronamespace = 'public'::regnamespace
"""


@pytest.fixture
def database(empty_app):
    with empty_app.app_context():
        yield db
        db.session.remove()


def shape() -> list[str]:
    """Every column, constraint, index, trigger and function of the database."""
    with db.engine.connect() as connection:
        return sorted(connection.scalars(text(SHAPE)))


def test_there_is_one_head():
    script = ScriptDirectory(str(ROOT / "migrations"))
    assert len(script.get_heads()) == 1
    assert len(script.get_bases()) == 1


def test_migration_says_what_it_does():
    for revision in ScriptDirectory(str(ROOT / "migrations")).walk_revisions():
        assert revision.doc, revision.revision
        assert len(revision.path.rpartition("/")[2]) > len("0001_.py") + 5, revision.path


def test_models_and_migrations_agree(database):
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, db.metadata) == []


def test_every_foreign_key_rule_of_the_models_is_in_the_database(database):
    """What happens on deletion is no difference to Alembic."""
    inspector = inspect(db.engine)
    for table in db.metadata.sorted_tables:
        stored = {
            key["name"]: key["options"].get("ondelete") for key in inspector.get_foreign_keys(table.name)
        }
        modelled = {key.name: key.ondelete for key in table.foreign_key_constraints}
        assert {name: rule for name, rule in modelled.items() if stored.get(name, rule) != rule} == {}


def test_down_and_up_again_gives_the_same_database(database):
    before = shape()
    downgrade(revision="base")
    with db.engine.connect() as connection:
        left = connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
        functions = connection.scalar(
            text("SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
        )
    assert (list(left), functions) == (["alembic_version"], 0)
    upgrade()
    assert shape() == before


def test_each_migration_can_be_undone_alone(database):
    script = ScriptDirectory(str(ROOT / "migrations"))
    for revision in script.walk_revisions():
        upgrade(revision=revision.revision)
        before = shape()
        downgrade(revision=revision.down_revision or "base")
        upgrade(revision=revision.revision)
        assert shape() == before, revision.revision
        downgrade(revision=revision.down_revision or "base")


def test_audit_log_is_guarded_by_triggers(database):
    query = "SELECT tgname FROM pg_trigger WHERE tgrelid = 'audit_logs'::regclass AND NOT tgisinternal AND tgenabled = 'O'"
    with db.engine.connect() as connection:
        assert set(connection.scalars(text(query))) == {
            "audit_logs_chain",
            "audit_logs_keep",
            "audit_logs_keep_all",
        }


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_logs SET action = ''", "DELETE FROM audit_logs", "TRUNCATE audit_logs"]
)
def test_audit_log_refuses_change(database, statement):
    with db.engine.connect() as connection, pytest.raises(DBAPIError, match="append-only"):
        connection.execute(text(statement))
