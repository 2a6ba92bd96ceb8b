"""The log can be believed: nobody changes it, a forged entry is overwritten, and what happened stands in it."""

import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import psycopg2
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from app.audit import chain, recorder
from app.audit.models import AuditEntry
from app.directory import operations as directory
from app.directory.models import Department, Person
from app.foundation.actor import acting_as
from app.foundation.database import db
from app.foundation.errors import Conflict
from app.foundation.transactions import transaction
from app.inventory.models import Product
from app.lifecycle import operations as lifecycle
from app.lifecycle.models import AccessTemplate

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


def entries(action: str) -> list[AuditEntry]:
    db.session.expire_all()
    return list(
        db.session.scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id))
    )


def last(action: str) -> AuditEntry:
    return entries(action)[-1]


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
def test_verify_names_the_first_bad_entry(raw, app, statements, bad, fault):
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


# --- what stands in it ------------------------------------------------------------------------------------------------


def test_create_shows_what_is_after(context):
    with transaction():
        person = directory.create_person(name="Eve", email="eve@example.com", position="Gardener")
    entry = last("user.create")
    assert (entry.target_type, entry.target_id, entry.target_label) == ("user", str(person.id), "Eve")
    assert entry.before is None
    shown = {"name": "Eve", "email": "eve@example.com", "position": "Gardener", "active": True}
    assert entry.after.items() >= shown.items()
    assert not {"created_at", "updated_at"} & entry.after.keys()


def test_update_shows_only_what_changed(world, context):
    with transaction():
        directory.change_person(
            db.session.get(Person, world.people["charlie"]), name="Charlie", position="Gardener"
        )
    entry = last("user.update")
    assert (entry.before, entry.after) == ({"position": None}, {"position": "Gardener"})


def test_update_that_changes_nothing_leaves_no_entry(world, context):
    before = len(entries("user.update"))
    with transaction():
        directory.change_person(db.session.get(Person, world.people["charlie"]), name="Charlie")
    assert len(entries("user.update")) == before


def test_two_changes_in_one_transaction_show_each_step(world, context):
    with transaction():
        charlie = db.session.get(Person, world.people["charlie"])
        directory.change_person(charlie, position="Gardener")
        directory.change_person(charlie, position="Cook")
    steps = [(entry.before["position"], entry.after["position"]) for entry in entries("user.update")[-2:]]
    assert steps == [(None, "Gardener"), ("Gardener", "Cook")]


def test_update_of_an_expired_row_shows_what_was_before(world, context):
    """After a commit SQLAlchemy has forgotten the old value, and does not ask for it when a new one is set."""
    with transaction():
        sales = db.session.get(Department, world.departments["Sales"])
        directory.change_department(sales, description="They sell.")
    with transaction():
        sales.description = "They sell more."
    entry = last("department.update")
    assert (entry.before, entry.after) == (
        {"description": "They sell."},
        {"description": "They sell more."},
    )


def test_delete_shows_what_was_before(world, context):
    with transaction():
        directory.delete_department(db.session.get(Department, world.departments["Sales"]))
    entry = last("department.delete")
    assert entry.before["name"] == "Sales"
    assert entry.after is None
    assert (entry.target_id, entry.target_label) == (str(world.departments["Sales"]), "Sales")


def test_many_to_many_shows_names_before_and_after(world, context):
    template = db.session.scalars(select(AccessTemplate)).one()
    with transaction():
        lifecycle.change_template(
            template, product_ids=[world.products["Gmail"], world.products["Slack Business"]]
        )
    entry = last("access_template.update")
    assert entry.before == {"products": ["Copilot", "GitHub Enterprise", "Gmail"]}
    assert entry.after == {"products": ["Gmail", "Slack Business"]}


def test_roles_show_before_and_after(world, context):
    with transaction():
        directory.grant_role(db.session.get(Person, world.people["charlie"]), "Admin")
    entry = last("account.update")
    assert (entry.before, entry.after) == ({"roles": []}, {"roles": ["Admin"]})


def test_secrets_are_hidden(world, context):
    secret = "correct horse battery staple"
    charlie = db.session.get(Person, world.people["charlie"])
    with transaction():
        directory.change_password(charlie.account, secret)
        token = directory.invite(charlie)
    assert last("account.update").after == {"password": recorder.HIDDEN}
    assert last("account.update").before == {"password": recorder.HIDDEN}
    assert last("invitation.create").after["token_hash"] == recorder.HIDDEN
    everything = db.session.scalar(text("SELECT string_agg(audit_logs::text, ' ') FROM audit_logs"))
    for hidden in (secret, token, charlie.account.password, "scrypt:"):
        assert hidden not in everything


def test_no_entry_ever_holds_a_password_hash(context):
    everything = db.session.scalar(text("SELECT string_agg(audit_logs::text, ' ') FROM audit_logs"))
    assert "scrypt" not in everything
    assert "pbkdf2" not in everything


# --- who --------------------------------------------------------------------------------------------------------------


def test_actor_request_id_and_address_of_a_request_are_kept(root, world, context):
    answer = root.api("PUT", f"departments/{world.departments['Sales']}", {"description": "They sell."})
    assert answer.status_code == 200
    entry = last("department.update")
    assert (entry.actor_id, entry.actor_name, entry.actor_email) == (
        world.people["root"],
        "Root",
        "root@example.com",
    )
    assert entry.request_id == answer.headers["X-Request-ID"]
    assert entry.address == "127.0.0.1"


def test_failed_sign_in_is_kept_without_the_password(app, nobody, context):
    body = {"username": "bob@example.com", "password": "a wrong guess, typed by hand", "provider": "db"}
    assert app.test_client().post("/api/v1/security/login", json=body).status_code == 401
    entry = last("auth.login_failed")
    assert (entry.target_label, entry.actor_id, entry.address) == ("bob@example.com", None, "127.0.0.1")
    everything = db.session.scalar(text("SELECT string_agg(audit_logs::text, ' ') FROM audit_logs"))
    assert "typed by hand" not in everything


def test_job_acts_in_the_name_of_whoever_asked(hr, run_jobs, context):
    answer = hr("onboarding", name="Eve", email="eve@example.com", department="Engineering")
    run_jobs()
    asked = answer.headers["X-Request-ID"]
    assert [(entry.actor_name, entry.request_id) for entry in entries("task.create")] == [
        ("HR system (hr)", asked)
    ] * 3


def test_product_rename_keeps_history_readable(world, context):
    with transaction():
        gmail = db.session.get(Product, world.products["Gmail"])
        gmail.name = "Google Mail"
    assert entries("product.create")[0].target_label == "Gmail"
    assert last("product.update").target_label == "Google Mail"
