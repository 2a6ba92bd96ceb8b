"""Somebody else's system: a real HTTP server on loopback that answers as a test says, and remembers what it was sent."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DRIP_SECONDS = 0.05


@dataclass(frozen=True)
class Received:
    """A request as it arrived; names of headers in small letters."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`answers` are used up one by one, the last one again and again. See the functions below for what there is."""

    answers: list[Callable[[Any], None]]
    server: ThreadingHTTPServer
    scheme: str = "http"
    requests: list[Received] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def port(self) -> int:
        return self.server.server_address[1]

    def url(self, host: str = "127.0.0.1", path: str = "/hook") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"


def answer(status: int, body: bytes = b"", **headers: str) -> Callable[[Any], None]:
    """An ordinary answer; `Retry_After` is the header Retry-After."""

    def send(handler: Any) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return send


def never(handler: Any) -> None:
    """Takes the request and says nothing."""
    handler.server.receiver.over.wait(30)


def dripping(handler: Any) -> None:
    """A byte now and then, for ever."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    while not handler.server.receiver.over.wait(DRIP_SECONDS):
        handler.wfile.write(b".")
        handler.wfile.flush()


def dripping_headers(handler: Any) -> None:
    """The same before the answer has begun."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not handler.server.receiver.over.wait(DRIP_SECONDS):
        handler.wfile.write(b".")
        handler.wfile.flush()


def breaking_off(handler: Any) -> None:
    """Says how much comes, and leaves."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"half")


def no_http(handler: Any) -> None:
    """Another protocol."""
    handler.wfile.write(b"220 mail.example.com ESMTP\r\n")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        receiver = self.server.receiver
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        receiver.requests.append(Received(self.path, headers, body))
        self.close_connection = True
        chosen = receiver.answers.pop(0) if len(receiver.answers) > 1 else receiver.answers[0]
        try:
            chosen(self)
        except OSError:
            return

    def log_message(self, *_: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is what these tests are about."""


@contextmanager
def receiving(
    *answers: Callable[[Any], None], host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> Iterator[Receiver]:
    """A receiver that listens as long as the block lasts."""
    server = _Server((host, 0), _Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver = Receiver(list(answers) or [answer(200)], server, "https" if tls else "http")
    server.receiver = receiver
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
