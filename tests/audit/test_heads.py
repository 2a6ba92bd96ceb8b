"""What the chain can't show by itself is seen against the heads that were exported: an end cut off, a log made anew."""

import json
import stat

import psycopg2
import pytest
from sqlalchemy import select

from app.audit import chain, checking, heads, recorder
from app.directory.queries import people_with_role
from app.foundation import jobs
from app.foundation.database import db
from app.foundation.transactions import transaction
from app.notifications.models import Notification

# What a superuser does who knows the trigger: the chain is made anew and holds.
REFORGED = """
    DO $$ DECLARE entry audit_logs; link bytea := '\\x'; BEGIN
      FOR entry IN SELECT * FROM audit_logs ORDER BY id LOOP
        entry.previous_hash := link;
        UPDATE audit_logs SET previous_hash = link, hash = audit_log_digest(entry) WHERE id = entry.id
        RETURNING hash INTO link;
      END LOOP;
    END $$
"""


@pytest.fixture
def folder(context, tmp_path, monkeypatch):
    """A data directory of this test's own."""
    monkeypatch.setitem(context.config, "DATA_DIR", str(tmp_path))
    return tmp_path / "audit-heads"


@pytest.fixture
def raw(engines, context):
    connection = psycopg2.connect(engines.postgres.url_of("test").replace("+psycopg2", ""))
    yield connection
    connection.close()


def tamper(raw, *statements: str) -> None:
    """As a superuser does it: with the triggers switched off."""
    db.session.rollback()
    with raw, raw.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            cursor.execute(statement)


def note(action: str = "stars.ask") -> None:
    with transaction():
        recorder.record(action, target_type="sky")


def export_twice() -> None:
    heads.export()
    note()
    heads.export()


def verify(app) -> tuple[int, str]:
    """What `flask audit verify` says, and its exit status."""
    db.session.rollback()
    result = app.test_cli_runner().invoke(args=["audit", "verify"])
    return result.exit_code, result.output


def rewrite(folder, change) -> None:
    [path] = folder.glob("*.jsonl")
    lines = path.read_text().splitlines()
    path.write_text("".join(f"{line}\n" for line in change(lines)))


def test_head_is_appended_and_the_log_agrees(context, folder):
    export_twice()
    assert heads.check() == 2
    [path] = folder.glob("*.jsonl")
    first, second = (json.loads(line) for line in path.read_text().splitlines())
    assert second["hash"] == chain.verify().head
    assert second["entry"] == first["entry"] + 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert verify(context) == (0, verify(context)[1])
    assert "2 exported heads, each as the log has it" in verify(context)[1]


def test_same_head_is_written_down_once(folder):
    assert heads.export().startswith("entry ")
    assert heads.export().endswith("stands there already")
    assert heads.check() == 1


def test_without_exported_heads_the_chain_alone_is_checked(context, folder):
    code, output = verify(context)
    assert code == 0
    assert "0 exported heads" in output


def test_end_that_was_cut_off_is_noticed(context, folder, raw):
    """The chain that is left holds; only the exported head knows better."""
    export_twice()
    last = chain.verify().entries
    tamper(raw, "DELETE FROM audit_logs WHERE id = (SELECT max(id) FROM audit_logs)")
    assert chain.verify().is_sound
    code, output = verify(context)
    assert code == 1
    assert f"entry {last} is gone" in output


def test_log_that_was_cut_and_grew_again_is_noticed(context, folder, raw):
    export_twice()
    tamper(raw, "DELETE FROM audit_logs WHERE id = (SELECT max(id) FROM audit_logs)")
    note("moon.ask")
    assert chain.verify().is_sound
    code, output = verify(context)
    assert code == 1
    assert "is not what it was on" in output


def test_log_that_was_made_anew_is_noticed(context, folder, raw):
    export_twice()
    tamper(raw, "UPDATE audit_logs SET actor_name = 'Somebody else' WHERE id = 2", REFORGED)
    assert chain.verify().is_sound
    code, output = verify(context)
    assert code == 1
    assert "is not what it was on" in output


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: [lines[0].replace('"entry": ', '"entry": 1'), lines[1]],
        lambda lines: [lines[1]],
        lambda lines: [lines[1], lines[0]],
        lambda lines: [*lines, lines[1]],
        lambda lines: [lines[0], lines[1].replace('"signature": "', '"signature": "0')],
    ],
    ids=["changed", "left out", "out of order", "twice", "unsigned"],
)
def test_heads_that_were_tampered_with_are_noticed(context, folder, change):
    export_twice()
    rewrite(folder, change)
    code, output = verify(context)
    assert code == 1
    assert "was not written by this portal" in output


@pytest.mark.parametrize("line", ["", "{", "[]", '{"entry": 1}', "\x00\xff"])
def test_line_that_is_no_head_is_noticed(context, folder, line):
    export_twice()
    rewrite(folder, lambda lines: [*lines, line])
    code, output = verify(context)
    assert code == 1
    assert "line 3 of" in output


def test_another_portals_secret_signs_nothing_here(context, folder, tmp_path):
    export_twice()
    (tmp_path / "secrets" / heads.SECRET).write_text("another secret")
    assert "was not written by this portal" in verify(context)[1]


def test_scheduled_job_exports(folder):
    assert jobs.resolve("app.audit.jobs.export_head")().startswith("entry ")
    assert heads.check() == 1


def test_nightly_check_keeps_what_it_found(context, folder, raw):
    export_twice()
    assert checking.last_check() is None
    assert jobs.resolve("app.audit.jobs.verify_log")().endswith("entries, every link holds")
    db.session.commit()
    assert checking.last_check().fault is None
    tamper(raw, "UPDATE audit_logs SET actor_name = 'Somebody else' WHERE id = 3")
    found = jobs.resolve("app.audit.jobs.verify_log")()
    db.session.commit()
    assert found.startswith("entry 3 of ")
    assert found.endswith("its content was changed")
    assert checking.last_check().fault == found


def test_admins_are_told_of_a_broken_log_once_a_day(context, folder, raw, root):
    export_twice()
    assert "Checked" not in root.get("/audit/").text
    checking.check()
    db.session.commit()
    assert "every link holds" in root.get("/audit/").text
    tamper(raw, "UPDATE audit_logs SET actor_name = 'Somebody else' WHERE id = 3")
    for _ in range(2):
        checking.check()
        db.session.commit()
    told = db.session.execute(select(Notification.person_id, Notification.body)).all()
    admins = [person.id for person in people_with_role("Admin")]
    assert [person for person, _ in told] == admins
    assert "entry 3 of " in told[0].body
    page = root.get("/audit/").text
    assert "This log was changed." in page
    assert "its content was changed" in page


def test_nightly_check_sees_an_end_that_was_cut_off(context, folder, raw):
    export_twice()
    tamper(raw, "DELETE FROM audit_logs WHERE id = (SELECT max(id) FROM audit_logs)")
    assert "its end was cut off since" in checking.check().fault
