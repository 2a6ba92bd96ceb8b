"""run.py: what it refuses, in one sentence and without a traceback."""

import fcntl
import signal
import socket
import stat
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil

import run
from app.foundation import outbox
from tests.runtime.processes import Started


def test_bad_settings_are_one_message(data_dir: Path, start: Callable[..., Started]) -> None:
    process = start("run.py", DATA_DIR=str(data_dir), PORT="many", TIMEZONE="Moon/Base")
    assert process.end() == 2
    assert [line.split(":")[0].strip() for line in process.output.splitlines()[1:]] == ["TIMEZONE", "PORT"]


def test_long_jobs_have_a_worker_that_nobody_else_waits_for() -> None:
    queues = {program.name: program.command[-1] for program in run._workers(2)}
    assert queues == {
        "worker.1": outbox.DEFAULT,
        "worker.2": outbox.DEFAULT,
        "worker.messages": outbox.MESSAGES,
        "worker.long": outbox.LONG,
    }


def test_a_second_start_on_the_same_data_is_refused(data_dir: Path, start: Callable[..., Started]) -> None:
    data_dir.mkdir(mode=0o700)
    with (data_dir / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = start("run.py", DATA_DIR=str(data_dir))
        assert process.end() == 1
    assert process.output == f"PortalOps is already running on {data_dir}.\n"


def test_a_taken_port_is_named(data_dir: Path, start: Callable[..., Started]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start("run.py", DATA_DIR=str(data_dir), PORT=str(port))
        assert process.end() == 1
    assert process.output.startswith(f"Can't listen on 127.0.0.1, port {port} (Address already in use)")
    assert not (data_dir / "postgres").exists()


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path, start: Callable[..., Started]) -> None:
    (tmp_path / "file").touch()
    process = start("run.py", DATA_DIR=str(tmp_path / "file" / "data"))
    assert process.end() == 2
    assert "DATA_DIR: " in process.output
    assert "choose another DATA_DIR" in process.output
    assert len(process.output.splitlines()) == 2


def test_the_data_folder_is_private(data_dir: Path, start: Callable[..., Started]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        start("run.py", DATA_DIR=str(data_dir), PORT=str(taken.getsockname()[1])).end()
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700


def test_the_portal_serves_stops_whole_and_tells_its_password_once(
    data_dir: Path, start: Callable[..., Started]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    password = ""
    for first in (True, False):
        process = start("run.py", DATA_DIR=str(data_dir), PORT=port)
        process.wait_for("PortalOps is ready", timeout=120)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health") as answer:
            assert answer.status == 200
        password = password or (data_dir / "secrets" / "admin_password").read_text()
        everybody = process.descendants()
        assert len(everybody) > 5
        process.signal(signal.SIGTERM)
        assert process.end() == 0
        assert (password in process.output) is first
        assert "Traceback" not in process.output
        assert not psutil.wait_procs(everybody, timeout=5)[1]
