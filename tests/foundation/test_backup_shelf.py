"""The folder of backups: what counts as one, which is the newest, and what goes."""

from datetime import UTC, datetime, timedelta

import pytest

from app.foundation import clock
from app.foundation.backups import last_backup
from app.foundation.backups.shelf import backups, delete_old, name_of

NOW = datetime(2031, 5, 20, 2, 0, tzinfo=UTC)


@pytest.fixture
def folder(context, tmp_path, monkeypatch):
    monkeypatch.setitem(context.config, "BACKUP_DIR", str(tmp_path / "backups"))
    monkeypatch.setattr(clock, "now", lambda: NOW)
    return tmp_path / "backups"


def put(folder, days_ago, *, encrypted=False):
    folder.mkdir(exist_ok=True)
    path = folder / name_of(NOW - timedelta(days=days_ago), encrypted=encrypted)
    path.write_bytes(b"whole")
    return path


def test_without_a_folder_there_is_no_backup(folder):
    assert last_backup() is None


def test_newest_whole_one_counts_encrypted_or_not(folder):
    put(folder, 3)
    put(folder, 1, encrypted=True)
    (folder / f".{name_of(NOW, encrypted=False)}.unfinished").write_bytes(b"half")
    (folder / "notes.txt").write_text("somebody's")
    assert last_backup() == NOW - timedelta(days=1)
    assert [one.encrypted for one in backups(folder)] == [True, False]


def test_old_ones_go_and_the_newest_stays_however_old(folder):
    kept, old = put(folder, 5), put(folder, 31)
    (folder / "notes.txt").write_text("somebody's")
    assert [one.path for one in delete_old(folder, 30)] == [old]
    assert {one.name for one in folder.iterdir()} == {kept.name, "notes.txt"}
    assert delete_old(folder, 1) == []
    assert last_backup() == NOW - timedelta(days=5)
