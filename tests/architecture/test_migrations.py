"""The migrations are the tables: one line of them, up and down and up again, with nothing left over."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from app import demo_company
from app.foundation import ticking
from app.foundation.database import db
from tests.architecture.migrating import SCRIPT, columns, shape, state
from tests.visitor import apart

# Tables in which a migration makes rows, with the moment at which it did in them.
STAMPED = {"0007": "payment_infos"}
ALICE = {"email": "alice@larkspur.example", "password": "portalops demo"}


@pytest.fixture
def database(empty_app):
    with empty_app.app_context():
        yield db
        db.session.remove()


def test_there_is_one_head():
    assert len(SCRIPT.get_heads()) == 1
    assert len(SCRIPT.get_bases()) == 1


def test_migration_says_what_it_does():
    for revision in SCRIPT.walk_revisions():
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


def test_each_migration_goes_up_and_down_and_up_on_data(database, empty_app):
    """From the newest to the oldest, on a company's data: what was there before a migration is there after its undoing."""
    demo_company.load()
    ticking.tick()
    db.session.commit()
    apart(empty_app.test_client().post, "/api/auth/login", json=ALICE)
    db.session.remove()
    untried = {}
    for revision in SCRIPT.walk_revisions():
        name, before = revision.revision, revision.down_revision or "base"
        first, newer = shape(), columns()
        downgrade(revision=before)
        undone, done = [state()], []
        older = columns()
        for _ in range(2):
            upgrade(revision=name)
            done.append(state(stamped=STAMPED.get(name)))
            downgrade(revision=before)
            undone.append(state())
        assert undone[0] == undone[1] == undone[2], name
        assert done[0] == done[1], name
        assert done[0][0] == first, name
        changed = {table for table, had in older.items() if newer.get(table, had) != had}
        if empty := {table for table in changed if not undone[0][1][table][0]}:
            untried[name] = empty
    assert untried == {}, "these tables change, and no row of theirs was there to try it on"


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
