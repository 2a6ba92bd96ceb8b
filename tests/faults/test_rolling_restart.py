"""A new release under load: the web process replaces what serves, and no request is refused or lost."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from tests.deployment import Deployment, free_port
from tests.load import Load
from tests.runtime.processes import ROOT, wait_until

pytestmark = pytest.mark.faults

PATHS = ("/login/", "/health", "/static/portal/css/base.css", "/livez")


@pytest.fixture
def front(house: Deployment) -> Iterator[Deployment]:
    """The portal's database and Redis, and a web process of its own, as it is deployed."""
    house.revive("postgres", "redis")
    port, house.port = house.port, free_port()
    house.env["PORT"] = str(house.port)
    try:
        house.start("front")
        yield house
    finally:
        if "front" in house.running:
            house.kill("front")
        house.port = port
        house.env["PORT"] = str(port)
        house.report()


def serving(portal: Deployment) -> set[int]:
    """The gunicorns of the web process."""
    return {child.pid for child in psutil.Process(portal.running["front"].pid).children()}


def replace(portal: Deployment) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "deploy/web.py", "--replace", str(portal.running["front"].pid)]
    return subprocess.run(command, cwd=ROOT, env=portal.env, capture_output=True, text=True, check=False)


def test_replacing_what_serves_refuses_nobody(front):
    [before] = serving(front)
    with Load(front.port, PATHS).on() as load:
        assert replace(front).returncode == 0
        [after] = serving(front)
    assert before != after
    assert load.failed == {}
    assert load.outcomes["200"] > 100


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_another_user_replaces_nothing(front):
    before = serving(front)
    asking = "import socket, sys; line = socket.socket(socket.AF_UNIX); line.connect(sys.argv[1]); print(line.recv(1))"
    address = f"\\0portalops-web-{front.running['front'].pid}"
    done = subprocess.run(
        ["/usr/bin/python3", "-c", asking.replace("sys.argv[1]", repr(address).replace("\\\\", "\\"))],
        user=65534,
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "b''\n"
    assert serving(front) == before


def test_replacing_nobody_is_said():
    command = [sys.executable, "deploy/web.py", "--replace", str(os.getpid())]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, "does not answer" in done.stderr) == (1, True)


def test_new_one_that_does_not_start_changes_nothing(front, monkeypatch):
    """Settings that make no sense any more: a secret's file that was emptied."""
    secret = front.folder / "secret"
    front.kill("front")
    secret.write_text("s" * 40)
    monkeypatch.setitem(front.env, "SECRET_KEY_FILE", str(secret))
    monkeypatch.delitem(front.env, "SECRET_KEY")
    front.start("front")
    before = serving(front)
    secret.write_text("")
    with Load(front.port, PATHS, keeping=1, opening=1).on() as load:
        done = replace(front)
    assert done.returncode == 1
    assert "goes on serving" in done.stderr
    assert serving(front) == before
    assert load.failed == {}


def test_stop_ends_everything_and_answers_what_was_asked(front):
    whole = psutil.Process(front.running["front"].pid)
    wait_until(lambda: len(whole.children(recursive=True)) == 3)  # gunicorn and two workers
    children = whole.children(recursive=True)
    process = front.running.pop("front")
    with Load(front.port, PATHS).on() as load:
        wait_until(lambda: load.outcomes["200"] > 20)
        process.signal(signal.SIGTERM)
        assert process.end() == 0
    assert [outcome for outcome in load.failed if not outcome.startswith("ConnectionRefusedError")] == []
    assert [child for child in children if child.is_running()] == []


def test_gunicorn_that_dies_ends_the_web_process_too(front):
    """Whoever watches over it starts it again."""
    [child] = serving(front)
    family = psutil.Process(child).children()
    psutil.Process(child).kill()
    process = front.running.pop("front")
    assert process.end() != 0
    wait_until(lambda: not any(one.is_running() for one in family))


def test_socket_that_is_given_is_served(front):
    """As systemd does, which keeps it open whatever becomes of the web process."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.fileno()
        command = [sys.executable, "deploy/web.py", "--fd", str(number)]
        process = subprocess.Popen(command, cwd=ROOT, env=front.env, pass_fds=[number])
        try:
            with Load(listener.getsockname()[1], PATHS, keeping=1, opening=1).on() as load:
                wait_until(lambda: load.outcomes["200"] > 20, 60)
        finally:
            process.terminate()
            process.wait()
        socket.create_connection(
            listener.getsockname(), 5
        ).close()  # whoever comes now waits for the next one
    assert load.failed == {}
