"""The end of a listening socket that lets nobody in who would then be cut off.

The system accepts connections by itself, and resets those that no process took before the socket closed. A proxy may
repeat a call that was refused, but not a request that it had begun to send. So first the system is told to drop the packets
of those who want to begin a connection (they send them again a second later), then whoever it had let in is taken, and then
the socket closes, which refuses the late ones. Elsewhere than on Linux a socket just closes.

Not every proxy can repeat a call that was refused either: Caddy 2.6 has closed the body of a POST by then. So behind one
`/readyz` says for a while that this process leaves, before anybody is refused.
"""

import mmap
import socket
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import Any

HANDSHAKE_SECONDS = 0.2
"""What a handshake that has begun may still take: longer than a packet is on its way within a site."""

NOTICE_SECONDS = 2.5
"""For a proxy to notice: more than two of the questions that deploy/Caddyfile has it ask."""

# Shared by a process and those that it forks.
_leaving = mmap.mmap(-1, 1)

# The least time to live that a packet must have left (ip(7), ipv6(7), RFC 5082), which takes no privilege to ask for.
# Systems send with 64 or 128. Linux looks at it for connections, not for the end of a handshake.
_OF_IP, _OF_IPV6 = (socket.IPPROTO_IP, 21), (socket.IPPROTO_IPV6, 73)
_LEAST_TTL = (
    {socket.AF_INET: (_OF_IP,), socket.AF_INET6: (_OF_IP, _OF_IPV6)} if sys.platform == "linux" else {}
)
_MORE_THAN_ANYBODY_HAS, _ANY = 255, 0


def shut(listeners: Iterable[socket.socket]) -> None:
    """Let nobody begin a connection any more, in no process that shares these sockets, and wait for those who have begun."""
    for one in listeners:
        _demand(one, _MORE_THAN_ANYBODY_HAS)
    time.sleep(HANDSHAKE_SECONDS)


def welcome(connection: socket.socket) -> None:
    """Hear what somebody says who came through a socket that was shut meanwhile: what it asks for is inherited."""
    _demand(connection, _ANY)


def is_leaving() -> bool:
    """Whether this process will soon be refusing everybody, so that a proxy should ask another one."""
    return _leaving[0] == 1


def shut_before_stopping(arbiter: Any, notice: float = 0) -> None:
    """Have gunicorn do so, unless others gave it its sockets and keep them. Call it once they are open.

    `notice`: for how many seconds it says before that it leaves.
    """
    if not any(isinstance(address, int) for address in arbiter.cfg.address):
        arbiter.stop = partial(_shut_and_stop, arbiter, arbiter.stop, notice)


def _shut_and_stop(arbiter: Any, stop: Any, notice: float, graceful: bool = True) -> None:  # noqa: FBT001, FBT002 - gunicorn's
    if graceful:
        _leaving[0] = 1
        time.sleep(notice)
        shut(one.sock for one in arbiter.LISTENERS)
    stop(graceful)


def _demand(sock: socket.socket, ttl: int) -> None:
    for level, option in _LEAST_TTL.get(sock.family, ()):
        with suppress(OSError):  # a system that only looks like Linux
            sock.setsockopt(level, option, ttl)
