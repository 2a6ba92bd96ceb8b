"""What never becomes a request is refused in the contract's shape; what takes too long is cut and holds nobody up."""

import http.client
import json
import signal
import socket
import time
from collections.abc import Callable

import pytest

from tests.deployment import free_port
from tests.load import Load
from tests.runtime.processes import wait_until

Serve = Callable[..., int]


@pytest.fixture
def serve(start) -> Serve:
    """Gunicorn with two threads of one worker, on a port of its own."""

    def run(*options: str, worker: str = "tests.runtime.web.Hasty") -> int:
        port = free_port()
        words = ["-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "-k", worker, "--threads", "2", *options]
        limits = ["--limit-request-line", "8190", "--graceful-timeout", "5", "--no-control-socket"]
        run.process = start(*words, *limits, "tests.runtime.web:application")
        run.process.wait_for("Booting worker")
        wait_until(lambda: said(port, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
        return port

    return run


def said(port: int, request: bytes, timeout: float = 10) -> bytes:
    """Everything that is answered to these bytes, until the other side closes."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout) as line:
        line.sendall(request)
        while part := line.recv(65536):
            answer += part
    return answer


def head(path: str = "/", *headers: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: x", "Connection: close", *headers, "", ""]).encode()


REFUSED = {
    "an address of 9,000 characters": (head("/" + "a" * 9_000), 414, "payload_too_large"),
    "a header of 9,000 characters": (head("/", "X-Long: " + "a" * 9_000), 431, "payload_too_large"),
    "200 headers": (head("/", *(f"X-{number}: 1" for number in range(200))), 431, "payload_too_large"),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 <script>\r\n\r\n", 400, "invalid_input"),
    "no version of HTTP": (b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", 400, "invalid_input"),
    "a header without a name": (head("/", ": value"), 400, "invalid_input"),
    "two lengths": (head("/", "Content-Length: 1", "Content-Length: 2"), 400, "invalid_input"),
}


def test_what_is_no_request_is_refused_in_the_shape_of_the_contract(serve):
    port = serve()
    for name, (request, status, code) in REFUSED.items():
        top, _, body = said(port, request).partition(b"\r\n\r\n")
        assert top.startswith(f"HTTP/1.1 {status} ".encode()), (name, top)
        assert b"Content-Type: application/json" in top, name
        assert b"nosniff" in top, name
        answer = json.loads(body)
        assert answer.keys() == {"error", "message", "detail"}, name
        assert answer["error"] == code, name


def test_address_of_8_000_characters_reaches_the_application(serve):
    assert said(serve(), head("/" + "a" * 8_000)).startswith(b"HTTP/1.1 200")


def test_clients_that_never_finish_their_request_hold_nobody_up(serve):
    port = serve()
    lines = [socket.create_connection(("127.0.0.1", port)) for _ in range(4)]
    try:
        for line in lines[:2]:
            line.sendall(b"GET / HTTP/1.1\r\nHost:")
        for line in lines[2:]:
            line.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
        begun = time.monotonic()
        assert said(port, head()).startswith(b"HTTP/1.1 200")
        assert time.monotonic() - begun < 8
    finally:
        for line in lines:
            line.close()


def test_request_that_takes_too_long_is_cut_and_its_worker_replaced(serve):
    port = serve()

    def worker() -> bytes:
        """Whoever answers; connections wait while there is none."""
        return said(port, head()).rpartition(b"\r\n")[2]

    before = worker()
    begun = time.monotonic()
    assert said(port, head("/sleep?20")) == b""
    assert time.monotonic() - begun < 5
    wait_until(lambda: worker() != before, 40)


def test_worker_that_is_replaced_after_so_many_requests_loses_none(serve):
    port = serve("--max-requests", "40", "--max-requests-jitter", "20", "--workers", "2")
    with Load(port, ("/",), keeping=2, opening=2).on() as load:
        wait_until(lambda: sum(load.outcomes.values()) > 400, 60)
    assert load.failed == {}


@pytest.mark.parametrize("connection", ["close", "keep-alive"])
def test_answer_to_a_body_that_nobody_reads_arrives(serve, connection):
    """As what is too large is answered: what is left unread when a connection closes would cut the answer off."""
    port, size = serve(), 8_000_000
    top = f"POST /unread HTTP/1.1\r\nHost: x\r\nConnection: {connection}\r\nContent-Length: {size}\r\n\r\n"
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", port), 20) as line:
            line.sendall(top.encode() + b"a" * size)
            assert line.recv(65536).startswith(b"HTTP/1.1 200")


def test_keep_alive_connections_are_kept(serve):
    connection = http.client.HTTPConnection("127.0.0.1", serve("--keep-alive", "20"))
    for _ in range(3):
        connection.request("GET", "/")
        answer = connection.getresponse()
        answer.read()
        assert not answer.will_close
    connection.close()


def test_worker_that_is_asked_to_stop_lets_nobody_new_wait_in_vain(serve):
    """A proxy whose call is refused asks another process; one that was let in and cut off has nobody to ask."""
    port = serve("--keep-alive", "20", "--workers", "2")
    kept = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    kept.request("GET", "/")
    kept.getresponse().read()
    serve.process.signal(signal.SIGTERM)
    wait_until(lambda: refuses(port))
    assert serve.process.alive
    kept.request("GET", "/")
    answer = kept.getresponse()
    assert (answer.status, answer.getheader("Connection")) == (200, "close")
    kept.close()
    assert serve.process.end() == 0


def test_who_was_let_in_is_served_and_nobody_else_is_let_in_once_it_stops(serve):
    """The worker stands still meanwhile, as on a busy machine: the system alone decides who is let in."""
    port = serve("-c", "python:tests.runtime.web")
    [worker] = serve.process.descendants()
    worker.suspend()
    let_in = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(7)]
    serve.process.signal(signal.SIGTERM)
    try:
        wait_until(lambda: not lets_in(port))
    finally:
        worker.resume()
    for one in let_in:
        one.sendall(head())
        assert one.recv(65536).startswith(b"HTTP/1.1 200")
        one.close()
    assert serve.process.end() == 0


def test_idle_connection_of_a_proxy_is_kept_until_the_proxy_lets_go(serve):
    """Gunicorn would close it after 2 s, maybe as a request comes in; Caddy lets go after 10 (deploy/Caddyfile)."""
    kept = http.client.HTTPConnection("127.0.0.1", serve("--keep-alive", "75"))
    kept.request("GET", "/")
    kept.getresponse().read()
    serve.process.signal(signal.SIGTERM)
    kept.sock.settimeout(4)
    with pytest.raises(TimeoutError):
        kept.sock.recv(1)
    kept.request("GET", "/")
    assert kept.getresponse().status == 200
    kept.close()


def test_worker_that_is_asked_to_stop_as_it_is_born_stops(start):
    """Its parent's handlers, which it is born with, would only note the signal for the parent."""
    words = ["-m", "gunicorn", "--bind", f"127.0.0.1:{free_port()}", "-k", "tests.runtime.web.Drowsy"]
    process = start(
        *words, "--graceful-timeout", "60", "--no-control-socket", "tests.runtime.web:application"
    )
    process.wait_for("Booting worker")
    process.signal(signal.SIGTERM)
    assert process.end(timeout=20) == 0


def lets_in(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 0.5).close()
    except OSError:
        return False
    return True


def refuses(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except ConnectionRefusedError:
        return True
    return False
