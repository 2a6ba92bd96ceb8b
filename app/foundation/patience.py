"""A PostgreSQL that accepts and never answers holds no request: who hears nothing asks whether anybody is there.

`statement_timeout` is kept by the server, and a server that stands still keeps nothing; `tcp_user_timeout` and
keepalives end a dead line, but a stopped process behind a living one, or behind a Unix socket, looks idle to them. So
psycopg2 waits here (its wait callback; 3 us of processor a statement). After `PATIENCE_SECONDS` without a word a line of
its own asks the server what every PostgreSQL answers before anybody signs in, whether it speaks TLS. If that is not
answered either, the statement fails as if the connection had broken, which is a 503 with Retry-After. A server that is
there may take as long as `statement_timeout` lets it.
"""

import os
import select
import socket
import struct
import time
from contextlib import suppress
from typing import Any

import psycopg2
from psycopg2 import extensions

PATIENCE_SECONDS = 1.2
PROBE_SECONDS = 1.0
# A request may have more than one thing to ask. Whoever waits soon after nobody was there asks at once, and briefly.
REMEMBERED_SECONDS = 5.0
HASTY_SECONDS = 0.2
# More than `statement_timeout`: a server that is there ends a statement itself, unless just this connection stands still.
LONGEST_SECONDS = 40.0
# SSLRequest of the protocol: a length and a code; the answer is one byte.
_ANYBODY_THERE = struct.pack("!ii", 8, 80877103)
_READY = {extensions.POLL_READ: select.POLLIN, extensions.POLL_WRITE: select.POLLOUT}
_nobody_there_at: list[float] = []


def install() -> None:
    """Let every connection of this process wait so. Not for processes that use COPY, which psycopg2 then refuses."""
    extensions.set_wait_callback(wait)


def wait(connection: Any) -> None:
    """Called by psycopg2 whenever it waits. OperationalError if nobody is there; the connection is of no more use."""
    begun = time.monotonic()
    while (state := connection.poll()) != extensions.POLL_OK:
        line = select.poll()
        line.register(connection.fileno(), _READY[state])
        while not line.poll((HASTY_SECONDS if _hasty() else PATIENCE_SECONDS) * 1000):
            if not _is_there(connection):
                _nobody_there_at[:] = [time.monotonic()]
                raise psycopg2.OperationalError("PostgreSQL does not answer")
            if time.monotonic() - begun > LONGEST_SECONDS:
                raise psycopg2.OperationalError("PostgreSQL does not answer on this connection")


def _hasty() -> bool:
    return bool(_nobody_there_at) and time.monotonic() - _nobody_there_at[0] < REMEMBERED_SECONDS


def _is_there(connection: Any) -> bool:
    """Whether the server at the other end answers a stranger."""
    own = socket.socket(fileno=os.dup(connection.fileno()))
    with suppress(OSError), own, socket.socket(own.family) as line:
        line.settimeout(HASTY_SECONDS if _hasty() else PROBE_SECONDS)
        line.connect(own.getpeername())
        line.sendall(_ANYBODY_THERE)
        return bool(line.recv(1))
    return False
