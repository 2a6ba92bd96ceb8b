"""A listening socket that is shut lets nobody begin, hears those who had begun, and refuses the rest once it is closed."""

import socket
import subprocess
import sys
from contextlib import closing

import pytest

from app.foundation import listening
from tests.runtime.processes import ROOT

WITHOUT_PRIVILEGES = """
import socket
from app.foundation import listening
with socket.create_server(("127.0.0.1", 0)) as listener:
    listening.shut([listener])
    try:
        socket.create_connection(listener.getsockname(), 0.3)
    except TimeoutError:
        print("nobody is let in")
"""


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as opened:
        yield opened


def test_nobody_is_let_in_who_is_not_there(listener):
    address = listener.getsockname()
    with closing(socket.create_connection(address, 5)) as early:
        listening.shut([listener])
        with pytest.raises(TimeoutError):
            socket.create_connection(address, 0.3)
        early.sendall(b"asked before")
        connection, _ = listener.accept()
        with connection:
            assert connection.recv(100) == b"asked before"
        listener.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, 5)


def test_who_came_through_meanwhile_is_heard(listener):
    """The last packet of a handshake may come after the socket was shut: then the connection begins deaf."""
    with closing(socket.create_connection(listener.getsockname(), 5)) as client:
        connection, _ = listener.accept()
        with connection:
            listening.shut([connection])
            client.sendall(b"a question")
            connection.settimeout(0.1)
            with pytest.raises(TimeoutError):
                connection.recv(100)
            listening.welcome(connection)
            connection.settimeout(10)
            assert connection.recv(100) == b"a question"


def test_it_takes_no_privilege():
    nobody = ["setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
    done = subprocess.run(
        [*nobody, sys.executable, "-c", WITHOUT_PRIVILEGES],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "nobody is let in\n", done.stderr


def test_what_is_no_connection_by_address_just_closes(tmp_path):
    with socket.socket(socket.AF_UNIX) as private:
        private.bind(str(tmp_path / "socket"))
        private.listen()
        listening.shut([private])
        with closing(socket.socket(socket.AF_UNIX)) as client:
            client.connect(str(tmp_path / "socket"))
