"""The log can be believed: nobody changes it, a forged entry is overwritten, and what happened stands in it."""

import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import psycopg2
import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, ProgrammingError

from app.audit import chain, recorder
from app.audit.models import AuditEntry
from app.directory import operations as directory
from app.directory.models import Department
from app.foundation.actor import acting_as
from app.foundation.database import db
from app.foundation.errors import Conflict
from app.foundation.transactions import transaction
from tests.audit.written import entries

FORGED = """
    INSERT INTO audit_logs (id, created_at, action, target_type, actor_name, previous_hash, hash)
    VALUES (%s, '2001-01-01', 'forged', 'nothing', 'Nobody', 'x', 'y')
    RETURNING id, created_at, previous_hash, hash
"""

COPIED = """
    INSERT INTO audit_logs (id, created_at, action, target_type, actor_name, previous_hash, hash)
    SELECT id, created_at, 'forged', target_type, actor_name, previous_hash, hash FROM audit_logs
    ON CONFLICT (id) DO UPDATE SET action = 'forged'
"""


@pytest.fixture
def raw(engines, context):
    """A connection past the application, as somebody with the database's password has it."""
    connection = psycopg2.connect(engines.postgres.url_of("test").replace("+psycopg2", ""))
    yield connection
    connection.close()


def tamper(raw, *statements: str) -> None:
    """As a superuser does it: with the triggers switched off."""
    with raw, raw.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            cursor.execute(statement)


# --- append-only ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_logs SET actor_name = 'Somebody else' WHERE id = 1",
        "UPDATE audit_logs SET hash = hash",
        "DELETE FROM audit_logs WHERE id = 1",
        "TRUNCATE audit_logs",
        "MERGE INTO audit_logs USING (SELECT 1) AS one ON audit_logs.id = 1 WHEN MATCHED THEN DELETE",
    ],
)
def test_entries_are_never_changed_or_removed(raw, statement):
    before = chain.verify()
    db.session.rollback()
    with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="audit_logs is append-only"), raw:
        raw.cursor().execute(statement)
    assert chain.verify() == before
    assert before.is_sound


def test_overwriting_on_conflict_is_one_more_entry(raw):
    """The trigger numbers an insert anew, so that it conflicts with nothing."""
    before = chain.verify()
    db.session.rollback()
    with raw:
        raw.cursor().execute(COPIED)
    assert chain.verify().entries == 2 * before.entries
    assert chain.verify().is_sound
    assert db.session.get(AuditEntry, 1).action != "forged"


def test_orm_cannot_change_an_entry(context):
    entry = db.session.get(AuditEntry, 1)
    entry.actor_name = "Somebody else"
    with pytest.raises(ProgrammingError, match="append-only"):
        db.session.flush()
    db.session.rollback()


@pytest.mark.parametrize("claimed", [-5, 0, 1, 10**9])
def test_forged_number_time_and_hash_are_overwritten(raw, claimed):
    head = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
    with raw, raw.cursor() as cursor:
        cursor.execute(FORGED, [claimed])
        key, created_at, previous, digest = cursor.fetchone()
    assert key == head.id + 1
    assert datetime.now(UTC) - created_at < timedelta(minutes=1)
    assert bytes(previous) == head.hash
    assert len(bytes(digest)) == 32
    assert chain.verify().is_sound


def test_a_change_that_is_rolled_back_leaves_no_entry(context):
    head = chain.verify()
    directory.create_department(name="Astrology")
    recorder.record("stars.ask", target_type="sky")
    db.session.rollback()
    db.session.commit()
    assert chain.verify() == head


def test_an_entry_that_cannot_be_written_undoes_the_change(context):
    """The entries are the last statement of the same transaction."""
    head = chain.verify()
    directory.create_department(name="Astrology")
    recorder.record("stars.ask", target_type=None)
    with pytest.raises(IntegrityError):
        db.session.commit()
    db.session.rollback()
    assert db.session.scalar(select(Department).where(Department.name == "Astrology")) is None
    assert chain.verify() == head


def test_a_savepoint_that_is_rolled_back_leaves_no_entry_and_the_rest_does(context):
    directory.create_department(name="Astronomy")
    with suppress(Conflict), db.session.begin_nested():
        directory.create_department(name="Astrology")
        with db.session.begin_nested():
            directory.create_department(name="Alchemy")
        with suppress(IntegrityError), db.session.begin_nested():
            directory.create_department(name="Sales")
        raise Conflict("The stars are wrong.")
    with db.session.begin_nested():
        directory.create_department(name="Botany")
        with suppress(IntegrityError), db.session.begin_nested():
            directory.create_department(name="Sales")
        directory.create_department(name="Chemistry")
    db.session.commit()
    assert [entry.target_label for entry in entries("department.create")][2:] == [
        "Astronomy",
        "Botany",
        "Chemistry",
    ]
    assert chain.verify().is_sound


@pytest.fixture(params=[20_000, 3, 1])
def part(request, monkeypatch):
    monkeypatch.setattr(chain, "PART", request.param)


# --- verification -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statements", "bad", "fault"),
    [
        (["UPDATE audit_logs SET actor_name = 'Somebody else' WHERE id = 7"], 7, "its content was changed"),
        (
            ["UPDATE audit_logs SET created_at = created_at - interval '1 day' WHERE id = 7"],
            7,
            "its content was changed",
        ),
        (
            ["UPDATE audit_logs SET after = after || '{\"x\": 1}' WHERE id = 7"],
            7,
            "its content was changed",
        ),
        (["DELETE FROM audit_logs WHERE id = 7"], 8, "an entry is missing before it"),
        (
            [
                "CREATE TEMPORARY TABLE copied AS SELECT * FROM audit_logs WHERE id = 7",
                "UPDATE copied SET id = -7",
                "INSERT INTO audit_logs SELECT * FROM copied",
            ],
            -7,
            "an entry is missing before it",
        ),
        (["DELETE FROM audit_logs WHERE id <= 3"], 4, "an entry is missing before it"),
        (
            [
                "DELETE FROM audit_logs WHERE id = 7",
                "UPDATE audit_logs SET id = id - 1 WHERE id > 7",
            ],
            7,
            "it does not follow the entry before it",
        ),
        (
            [
                "UPDATE audit_logs SET action = 'innocent' WHERE id = 7",
                "UPDATE audit_logs SET hash = audit_log_digest(audit_logs) WHERE id = 7",
            ],
            8,
            "it does not follow the entry before it",
        ),
    ],
)
@pytest.mark.usefixtures("part")
def test_verify_names_the_first_bad_entry(raw, app, statements, bad, fault):
    """However long the parts are that it looks at: what is bad may be the first or the last of one."""
    assert chain.verify().is_sound
    db.session.rollback()
    tamper(raw, *statements)
    verdict = chain.verify()
    assert (verdict.bad_id, verdict.fault) == (bad, fault)
    db.session.rollback()
    result = app.test_cli_runner().invoke(args=["audit", "verify"])
    assert result.exit_code == 1
    assert f"entry {bad} of" in result.output
    assert fault in result.output


def test_verify_says_how_many_entries_hold_and_the_head(app, context):
    result = app.test_cli_runner().invoke(args=["audit", "verify"])
    verdict = chain.verify()
    assert result.exit_code == 0
    assert (
        result.output.splitlines()[0] == f"{verdict.entries} entries, every link holds; head {verdict.head}"
    )
    assert len(verdict.head) == 64


@pytest.mark.parametrize("part", [1, 2, 5])
def test_verify_finds_the_same_in_parts(context, monkeypatch, part):
    whole = chain.verify()
    monkeypatch.setattr(chain, "PART", part)
    assert chain.verify() == whole
    monkeypatch.setattr(chain, "PART", whole.entries)
    assert chain.verify() == whole


def test_a_cut_tail_shows_in_the_head_only(raw):
    """Which is why the head is to be kept elsewhere."""
    before = chain.verify()
    db.session.rollback()
    tamper(raw, f"DELETE FROM audit_logs WHERE id = {before.entries}")
    after = chain.verify()
    assert after.is_sound
    assert after.head != before.head


def test_the_digest_does_not_depend_on_the_sessions_settings(raw):
    with raw, raw.cursor() as cursor:
        cursor.execute("SET timezone = 'Pacific/Auckland'; SET datestyle = 'German, DMY'")
        cursor.execute(
            "SELECT count(*) FROM audit_logs WHERE hash IS DISTINCT FROM audit_log_digest(audit_logs)"
        )
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize("writers", [8])
def test_concurrent_writers_leave_a_sound_chain(app, context, writers):
    before = chain.verify().entries
    db.session.rollback()
    faults = []

    def write(number: int) -> None:
        with app.app_context():
            try:
                for count in range(10):
                    with transaction(), acting_as(f"writer {number}"):
                        department = directory.create_department(name=f"Writers {number}.{count}")
                        directory.change_department(department, description="changed")
                    if count % 3 == 0:
                        directory.create_department(name=f"Undone {number}.{count}")
                        db.session.rollback()
            except Exception as error:  # noqa: BLE001 - told below
                faults.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=write, args=[number]) for number in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    verdict = chain.verify()
    assert (verdict.is_sound, verdict.entries - before) == (True, writers * 10 * 2)
    assert len({entry.actor_name for entry in entries("department.update")}) == writers
