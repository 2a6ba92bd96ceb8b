"""The commands as the page on backups has them, and the stock tools that do the same."""

import hashlib
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from app.foundation.backups import archive, making, shelf
from app.foundation.embedded.postgres import Postgres, binary
from app.foundation.embedded.running import process
from tests.backups.conftest import ENTRIES
from tests.runtime.processes import ROOT

OLD = Path(__file__).parent / "old_0020.tar"


def run(*words: object, **options: object) -> str:
    ran = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, check=False, **options
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def public_key(path: Path) -> str:
    return path.read_text().partition("public key: ")[2].split()[0]


def test_commands_of_the_page(app, elsewhere, tmp_path, monkeypatch):
    monkeypatch.setitem(app.config, "BACKUP_DIR", str(tmp_path / "backups"))
    flask = app.test_cli_runner().invoke
    assert flask(args=["backup", "list"]).output == ""
    made = flask(args=["backup"])
    assert (made.exit_code, "It is not encrypted" in made.output) == (0, True), made.output
    [path] = (tmp_path / "backups").iterdir()
    listed = flask(args=["backup", "list"])
    assert (str(path) in listed.output, "not encrypted" in listed.output) == (True, True)
    verified = flask(args=["backup", "verify", str(path)])
    assert (verified.exit_code, verified.output.startswith("Whole. ")) == (0, True), verified.output
    elsewhere_folder = flask(args=["backup", "--to", str(tmp_path / "usb")])
    assert elsewhere_folder.exit_code == 0, elsewhere_folder.output
    assert len(list((tmp_path / "usb").iterdir())) == 1


def test_key_of_the_stock_tool_opens_a_backup(app, used, back_up, elsewhere, monkeypatch, tmp_path):
    key = tmp_path / "portalops-backup.key"
    run("age-keygen", "-o", key)
    monkeypatch.setitem(app.config, "BACKUP_RECIPIENTS", (public_key(key),))
    ran = elsewhere.flask("restore", str(back_up()), "--identity", str(key))
    assert ran.exit_code == 0, ran.output
    assert elsewhere.statement("SELECT count(*) FROM departments WHERE name LIKE 'Department %'") == [
        (ENTRIES,)
    ]


def test_key_that_we_make_works_with_the_stock_tool(app, back_up, monkeypatch, tmp_path):
    key = tmp_path / "portalops-backup.key"
    flask = app.test_cli_runner().invoke
    said = flask(args=["backup", "make-key", str(key)])
    assert said.output == f"BACKUP_RECIPIENT={public_key(key)}\n"
    assert key.stat().st_mode & 0o777 == 0o600
    again = flask(args=["backup", "make-key", str(key)])
    assert (again.exit_code, "can't be made" in again.output) == (1, True)
    monkeypatch.setitem(app.config, "BACKUP_RECIPIENTS", (public_key(key),))
    run("age", "--decrypt", "--identity", key, "--output", tmp_path / "backup.tar", back_up())
    assert archive.verify(tmp_path / "backup.tar", [])[0]["format"] == archive.FORMAT


def test_stock_tools_do_the_same(app, used, key, back_up, elsewhere, tmp_path):
    path, folder = back_up(), tmp_path / "unpacked"
    folder.mkdir()
    with (folder / "backup.tar").open("wb") as target:
        subprocess.run(["age", "--decrypt", "--identity", key, path], stdout=target, check=True)
    run("tar", "--extract", "--file", "backup.tar", cwd=folder)
    run("sha256sum", "--check", "--quiet", "SHA256SUMS", cwd=folder)
    url = elsewhere.engines.postgres.url_of("restored").replace("+psycopg2", "")
    pieces = b"".join(one.read_bytes() for one in sorted((folder / "database").iterdir()))
    tool = [str(binary("pg_restore")), "--single-transaction", "--no-owner", f"--dbname={url}"]
    subprocess.run(tool, input=pieces, check=True)
    assert elsewhere.statement("SELECT count(*) FROM departments WHERE name LIKE 'Department %'") == [
        (ENTRIES,)
    ]
    assert (folder / "files" / "attachments" / used).stat().st_size > 0


def test_half_a_backup_never_has_its_name(context, tmp_path):
    """What the page's `--exclude '.*'` and the list of backups leave out."""
    with making.draft_of(tmp_path / "portalops-20300101T000000Z.tar") as file:
        file.write(b"half")
        assert [one.name[0] for one in tmp_path.iterdir()] == ["."]
        assert shelf.backups(tmp_path) == []
    assert len(shelf.backups(tmp_path)) == 1


def test_backup_of_an_older_version_is_brought_up_to_date(elsewhere):
    """Made at migration 0020: its tables are compared as they were, and then migrated."""
    assert OLD.stat().st_size < 200_000
    ran = elsewhere.flask("restore", str(OLD), SECRET_KEY="s" * 40)
    assert ran.exit_code == 0, ran.output
    assert "every link holds" in ran.output
    assert "SECRET_KEY is not" not in ran.output
    [(revision,)] = elsewhere.statement("SELECT version_num FROM alembic_version")
    assert revision >= "0025"
    assert elsewhere.statement("SELECT count(*) FROM users WHERE name IN ('Alice', 'Bob', 'Charlie')") == [
        (3,)
    ]
    assert elsewhere.statement("SELECT count(*) FROM reminders_sent") == [(0,)]


@pytest.mark.runtime
def test_embedded_database_is_started_for_the_restore(app, used, back_up, tmp_path):
    path, data_dir = back_up(), tmp_path / "fresh"
    env = {"PATH": os.environ["PATH"], "DATA_DIR": str(data_dir)}
    flask = [sys.executable, "-m", "flask", "--app", "app"]
    said = run(*flask, "restore", path, cwd=ROOT, env=env)
    assert "every link holds" in said
    server = Postgres(data_dir)
    assert not server.answers()
    server.prepare()
    with process(server):
        server.wait_ready()
        with closing(psycopg2.connect(server.url.replace("+psycopg2", ""))) as connection:
            cursor = connection.cursor()
            cursor.execute("SELECT sha256 FROM invoices")
            [(digest,)] = cursor.fetchall()
    kept = (data_dir / "attachments" / used).read_bytes()
    assert hashlib.sha256(kept).digest() == bytes(digest)
