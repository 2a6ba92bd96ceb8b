"""deploy/make-secrets.sh: made once, kept, shown to nobody."""

import os
import stat
import subprocess

from tests.architecture.sources import ROOT


def make(folder):
    done = subprocess.run(
        [ROOT / "deploy/make-secrets.sh", folder], capture_output=True, text=True, check=True
    )
    return done.stdout + done.stderr


def contents(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_secrets_are_made_once_and_never_printed(tmp_path):
    folder = tmp_path / "secrets"
    said = make(folder)
    first = contents(folder)
    said += make(folder)
    assert contents(folder) == first
    assert len(first) == 8
    assert not [name for name, value in first.items() if value.strip().rpartition(" ")[2] in said]
    assert [line.split()[0] for line in said.splitlines()] == ["made"] * 8 + ["kept"] * 8


def test_each_is_for_one_reader(tmp_path):
    folder = tmp_path / "secrets"
    make(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    root = os.geteuid() == 0
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == (0o600 if root else 0o444), path.name
        if root:
            assert path.stat().st_uid == (999 if path.name in {"postgres_password", "redis_auth"} else 10001)


def test_passwords_are_the_same_on_both_sides(tmp_path):
    make(tmp_path)
    secret = contents(tmp_path)
    assert f":{secret['postgres_password']}@postgres:5432/" in secret["database_url"]
    assert secret["redis_auth"].removeprefix("requirepass ").strip() in secret["redis_url"]
    assert len({value for name, value in secret.items() if not name.endswith("url")}) == 6


def test_half_a_secret_is_made_anew(tmp_path):
    (tmp_path / "secret_key").touch()
    make(tmp_path)
    assert len((tmp_path / "secret_key").read_text()) == 64
