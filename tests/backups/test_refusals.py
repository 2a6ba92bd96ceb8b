"""What is refused, and that nothing is half done then."""

import os
import resource
import subprocess
import sys
import tarfile
import threading

import pytest
from sqlalchemy import text

from app.directory.models import Department
from app.foundation import scheduling, ticking
from app.foundation.backups import archive, making, postgres, shelf
from app.foundation.backups.shelf import BackupError
from app.foundation.database import db
from app.foundation.storage import store
from tests.runtime.processes import ROOT


def rewritten(path, change):
    """The same backup with another manifest, and sums that fit it."""
    manifest, _ = archive.verify(path, [])
    change(manifest)
    target = path.with_name(f"portalops-203001{len(list(path.parent.iterdir())):02}T000000Z.tar")
    with target.open("wb") as file:
        writer = archive.Writer(file, 0)
        for name, content in archive.members(path, []):
            if name not in {archive.MANIFEST, archive.SUMS}:
                with tarfile.open(path) as tar:
                    writer.add(name, content, tar.getmember(name).size)
        writer.finish(manifest)
    return target


def refused(ran, *words):
    assert ran.exit_code == 1, ran.output
    assert ran.output.startswith("Error: "), ran.output
    for word in words:
        assert word in ran.output


def untouched(elsewhere):
    assert elsewhere.is_empty()
    left = {one.name for one in elsewhere.data_dir.rglob("*") if one.is_file()}
    assert left == set()


@pytest.mark.parametrize("damage", ["cut", "cut at a member", "changed", "empty", "no tar"])
def test_damaged_backup_changes_nothing(app, back_up, elsewhere, damage):
    path = back_up()
    content = bytearray(path.read_bytes())
    if damage == "changed":
        content[len(content) // 2] ^= 1
    harmed = {
        "cut": content[: len(content) // 2],
        "cut at a member": content[:1024],
        "changed": content,
        "empty": b"",
        "no tar": b"Dear backup," * 5000,
    }
    path.write_bytes(harmed[damage])
    refused(elsewhere.flask("restore", str(path)), "damaged or was cut off")
    refused(app.test_cli_runner().invoke(args=["backup", "verify", str(path)]), "damaged or was cut off")
    untouched(elsewhere)


def test_damaged_encrypted_backup_changes_nothing(app, back_up, elsewhere, key):
    path = back_up()
    content = bytearray(path.read_bytes())
    for harmed in (content[: len(content) // 2], content[:-200] + b"x" * 200, content[:30]):
        path.write_bytes(harmed)
        refused(elsewhere.flask("restore", str(path), "--identity", str(key)), "damaged or was cut off")
        untouched(elsewhere)


def test_file_without_a_key_is_no_identity(app, back_up, elsewhere, key, tmp_path):
    path = back_up()
    for words in ("hello", "", "# only a comment"):
        (tmp_path / "no.txt").write_text(words)
        refused(
            elsewhere.flask("restore", str(path), "--identity", str(tmp_path / "no.txt")), "no private key"
        )


def test_database_with_anything_in_it_is_left_alone(app, back_up, elsewhere):
    path = back_up()
    elsewhere.statement("CREATE TABLE somebodys AS SELECT 1 AS one")
    refused(elsewhere.flask("restore", str(path)), "not empty", "somebodys", "createdb")
    assert elsewhere.statement("SELECT * FROM somebodys") == [(1,)]


def test_backup_of_a_newer_version_is_refused(app, back_up, elsewhere):
    path = rewritten(back_up(), lambda manifest: manifest.update(migration="9999", version="99.0"))
    refused(elsewhere.flask("restore", str(path)), "99.0", "newer")
    path = rewritten(path, lambda manifest: manifest.update(format=2))
    refused(elsewhere.flask("restore", str(path)), "newer")
    untouched(elsewhere)


def test_rows_that_come_back_otherwise_are_taken_out_again(app, back_up, elsewhere):
    path = rewritten(back_up(), lambda manifest: manifest["tables"]["users"].update(checksum="1"))
    refused(elsewhere.flask("restore", str(path)), "did not come back", "users")
    untouched(elsewhere)


def test_other_secrets_give_way_only_if_somebody_says_so(app, back_up, elsewhere, settings):
    (settings.data_dir / "secrets").mkdir(exist_ok=True)
    (settings.data_dir / "secrets" / "token").write_text("of the portal")
    path = back_up()
    (elsewhere.data_dir / "secrets").mkdir(parents=True)
    (elsewhere.data_dir / "secrets" / "token").write_text("of somebody else")
    refused(elsewhere.flask("restore", str(path)), "secrets/token", "--replace-files")
    assert elsewhere.is_empty()
    ran = elsewhere.flask("restore", str(path), "--replace-files")
    assert ran.exit_code == 0, ran.output
    assert (elsewhere.data_dir / "secrets" / "token").read_text() == "of the portal"
    [kept] = elsewhere.data_dir.glob("replaced-*/secrets/token")
    assert kept.read_text() == "of somebody else"
    (settings.data_dir / "secrets" / "token").unlink()


def test_other_secret_key_is_said(app, back_up, elsewhere):
    ran = elsewhere.flask("restore", str(back_up()))
    assert "SECRET_KEY is not the one of that portal" in ran.output
    assert ran.exit_code == 0


def test_missing_attachment_is_said_and_stops_nothing(app, back_up, used):
    with app.app_context():
        store().delete(used)
    manifest, _ = archive.verify(back_up(), [])
    assert (manifest["attachments"], manifest["missing"]) == (0, [used])


def test_two_backups_at_once_are_one(context, settings, tmp_path):
    with postgres.snapshot(settings.database_url), pytest.raises(BackupError, match="Another backup"):
        making.make(tmp_path / "backups")
    assert list((tmp_path / "backups").iterdir()) == []
    making.make(tmp_path / "backups")


def test_draft_of_a_dead_process_goes_with_the_next_backup(context, tmp_path):
    (tmp_path / ".portalops-20300101T000000Z.tar.unfinished").write_bytes(b"half")
    made = making.make(tmp_path)
    assert list(tmp_path.iterdir()) == [made.path]


def test_full_disk_is_said_and_leaves_nothing(app, settings, tmp_path):
    """A limit on the size of files fails the same call as a full disk does."""

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))

    env = {
        "DATABASE_URL": settings.database_url,
        "DATA_DIR": str(tmp_path / "data"),
        "PATH": os.environ["PATH"],
    }
    for recipient in ("", "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"):
        ran = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "app", "backup", "--to", str(tmp_path / "backups")],
            cwd=ROOT,
            env=env | {"BACKUP_RECIPIENT": recipient},
            preexec_fn=limit,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ran.returncode, "can't be written" in ran.stderr) == (1, True), ran.stderr
        assert list((tmp_path / "backups").iterdir()) == []


def test_server_without_a_fitting_tool_is_said():
    with pytest.raises(BackupError, match="postgresql-client-98"):
        postgres.tool("pg_dump", 98)
    assert postgres.tool("pg_dump", 18).name == "pg_dump"


def test_database_that_is_gone_is_said(tmp_path):
    with (
        pytest.raises(BackupError, match="does not answer"),
        postgres.connected(f"postgresql://x@/x?host={tmp_path}"),
    ):
        pass


def test_backup_while_others_write_is_of_one_moment(app, back_up, elsewhere):
    """Two departments are made in each transaction: no backup has one without the other."""
    stop = threading.Event()

    def write():
        with app.app_context():
            for number in range(10_000):
                if stop.is_set():
                    break
                db.session.add_all([Department(name=f"left {number}"), Department(name=f"right {number}")])
                db.session.commit()
            db.session.remove()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        path = back_up()
    finally:
        stop.set()
        writer.join()
    assert elsewhere.flask("restore", str(path)).exit_code == 0
    [(left, right)] = elsewhere.statement(
        "SELECT count(*) FILTER (WHERE name LIKE 'left %'), count(*) FILTER (WHERE name LIKE 'right %') FROM departments"
    )
    assert left == right


def test_nightly_run_tells_what_it_made_and_stands_in_the_log(app, run_jobs, tmp_path, monkeypatch):
    monkeypatch.setitem(app.config, "BACKUP_DIR", str(tmp_path / "nightly"))
    with app.app_context():
        [periodic] = [
            one for one in ticking.schedule() if one.job == "app.foundation.backups.jobs.make_backup"
        ]
        scheduling.run_now(periodic.job)
        db.session.commit()
    run_jobs()
    with app.app_context():
        status = scheduling.status_of(periodic.job)
        [made] = shelf.backups(tmp_path / "nightly")
        assert made.path.name in status.last.result
        assert shelf.last_backup() == made.made_at
        action = db.session.execute(
            text("SELECT action FROM audit_logs WHERE target_id = :name"), {"name": made.path.name}
        )
        assert action.scalars().all() == ["backup.create"]
        db.session.remove()
