"""Gunicorn's threaded worker with a time limit for each request, and refusals in the shape of every other one.

Gunicorn's own time-out only notices a worker whose main thread stands still. Here a connection that takes too long is cut,
which frees the thread that waits for a slow client; a thread that goes on regardless costs the worker its place: it serves
what it has and is replaced. The class leans on gunicorn's inside (`check_config`, `handle`, `handle_request`,
`_keepalive_after`, `notify`, `set_accept_enabled`); tests hold it.
"""

import json
import os
import select
import signal
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from gunicorn import util
from gunicorn.workers import gthread
from gunicorn.workers.gthread import ThreadWorker

from app.foundation import listening

REQUEST_SECONDS = 60.0
GRACE_SECONDS = 70
"""For who is asked to stop: longer than the longest request."""
DRAIN_SECONDS, DRAIN_BYTES = 5.0, 100 * 1024**2
PROXY_IDLE_SECONDS = 15.0
"""For idle connections of who is asked to stop, if those are kept longer otherwise: a proxy lets them go before."""

CODES = {403: "forbidden", 413: "payload_too_large", 414: "payload_too_large", 431: "payload_too_large"}


@dataclass(slots=True)
class _Limit:
    deadline: float
    is_cut: bool = False


class PortalWorker(ThreadWorker):
    """`head_seconds` is how long a thread waits for the head of a request, `stuck_seconds` how long for one that was cut."""

    head_seconds, request_seconds, stuck_seconds = 15.0, REQUEST_SECONDS, 5.0
    alive: bool
    nr_conns: int
    sockets: list[Any]

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._limits: dict[Any, _Limit] = {}

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Called once by the parent of the workers, before there are any."""
        super().check_config(cfg, log)
        if cfg.keepalive > PROXY_IDLE_SECONDS:
            gthread.STOP_KEEPALIVE_LINGER = PROXY_IDLE_SECONDS
        os.register_at_fork(
            before=_put_off_stopping, after_in_parent=_go_on_stopping, after_in_child=_stop_like_anybody
        )

    def handle(self, conn: Any) -> Any:
        """A connection that has something to read, in a thread."""
        if not conn.initialized:
            listening.welcome(conn.sock)
        self._limits[conn] = _Limit(time.monotonic() + self.head_seconds)
        try:
            return super().handle(conn)
        finally:
            self._limits.pop(conn, None)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """The head is there."""
        self._limits[conn] = _Limit(time.monotonic() + self.request_seconds)
        return super().handle_request(req, conn)

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:  # noqa: FBT001 - gunicorn's signature
        """Whether the connection can be used again. What nobody read is thrown away in any case, for some seconds.

        Gunicorn gives up after 64 KiB, and closes: bytes that are then still on their way have the system cut off the answer,
        such as that something is too large (RFC 9112, section 9.6).
        """
        is_read = conn.parser.finish_body(time.monotonic() + DRAIN_SECONDS, DRAIN_BYTES)
        return bool(keepalive and is_read)

    def notify(self) -> None:
        """Called by the main thread each second at least, also while the worker comes to its end."""
        super().notify()
        now, stuck = time.monotonic(), 0
        for conn, limit in list(self._limits.items()):
            if now > limit.deadline and not limit.is_cut:
                limit.is_cut = True
                self.log.warning("A request from %s took too long; its connection is cut", conn.client)
                with suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RDWR)
            stuck += now > limit.deadline + self.stuck_seconds
        if stuck and self.alive:
            self.log.error("A thread does not come back: this worker is replaced")
            self.alive = False
        if not self.alive and stuck >= self.nr_conns:
            self.nr_conns = 0  # nobody else is left to wait for

    def set_accept_enabled(self, enabled: bool) -> None:  # noqa: FBT001 - gunicorn's signature
        """Once the worker is asked to stop, take whom the system has accepted already, and close the door (`listening`).

        Gunicorn leaves it open until kept connections have ended: whoever came meanwhile would be accepted by the system and
        cut off unheard, where a proxy whose call is refused asks another process instead.
        """
        super().set_accept_enabled(enabled)
        if self.alive or enabled:
            return
        for listener in self.sockets:
            for _ in range(self.cfg.backlog):
                if not select.select([listener], [], [], 0)[0]:
                    break
                self.accept(listener)
            listener.close()
        self.sockets = []

    def run(self) -> None:
        """Python would wait for threads that don't come back before it ends."""
        super().run()
        if self._limits:
            os._exit(0)


_STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


def _put_off_stopping() -> None:
    """A worker is born with its parent's handlers, which only note a signal for the parent.

    Asked to stop before it had its own, it would serve on until the grace is over and it is killed.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)


def _go_on_stopping() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)


def _stop_like_anybody() -> None:
    for number in _STOPPING:
        signal.signal(number, signal.SIG_DFL)
    _go_on_stopping()


def refuse(sock: Any, status: int, reason: str, message: str) -> None:
    """What never became a request (a head that is too long or can't be read) is refused in the contract's shape."""
    error = {"error": CODES.get(status, "internal_error" if status == 500 else "invalid_input")}
    body = json.dumps({**error, "message": message or reason, "detail": []}).encode()
    head = [
        f"HTTP/1.1 {status} {reason}",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options: nosniff",
    ]
    util.write_nonblock(sock, "\r\n".join([*head, "", ""]).encode("latin-1") + body)


util.write_error = refuse
