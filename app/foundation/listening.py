"""The end of a listening socket that lets nobody in who would then be cut off.

The system accepts connections by itself, and resets those that no process took before the socket closed. A proxy may
repeat a call that was refused, but not a request that it had begun to send. So first the system is told to overlook those
who want to begin a connection (it drops their SYN, RFC 9293, section 3.5, which they send again a second later), then
whoever it had let in is taken, and then the socket closes, which refuses the late ones. Linux only; elsewhere a socket just
closes.
"""

import ctypes
import socket
import struct
import sys
import time
from collections.abc import Iterable
from functools import partial
from typing import Any

HANDSHAKE_SECONDS = 0.2
"""What a handshake that has begun may still take: longer than a packet is on its way within a site."""

# linux/filter.h: the flags of TCP are the 14th byte of its header; with SYN set nothing is kept, else everything.
_LOAD_BYTE, _JUMP_IF_SET, _RETURN = 0x30, 0x45, 0x06
_FLAGS, _SYN = 13, 0x02
_PROGRAM = (
    (_LOAD_BYTE, 0, 0, _FLAGS),
    (_JUMP_IF_SET, 0, 1, _SYN),
    (_RETURN, 0, 0, 0),
    (_RETURN, 0, 0, 0xFFFFFFFF),
)
_SO_ATTACH_FILTER = 26


def shut(listeners: Iterable[socket.socket]) -> None:
    """Let nobody begin a connection any more, in no process that shares these sockets, and wait for those who have begun."""
    addressed = [one for one in listeners if one.family in {socket.AF_INET, socket.AF_INET6}]
    if sys.platform != "linux" or not addressed:
        return
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in _PROGRAM))
    for one in addressed:
        one.setsockopt(
            socket.SOL_SOCKET,
            _SO_ATTACH_FILTER,
            struct.pack("@HP", len(_PROGRAM), ctypes.addressof(program)),
        )
    time.sleep(HANDSHAKE_SECONDS)


def shut_before_stopping(arbiter: Any) -> None:
    """Have gunicorn do so, unless others gave it its sockets and keep them. Call it once they are open."""
    if not any(isinstance(address, int) for address in arbiter.cfg.address):
        arbiter.stop = partial(_shut_and_stop, arbiter, arbiter.stop)


def _shut_and_stop(arbiter: Any, stop: Any, graceful: bool = True) -> None:  # noqa: FBT001, FBT002 - gunicorn's signature
    if graceful:
        shut(one.sock for one in arbiter.LISTENERS)
    stop(graceful)
