"""Calls to other systems, guarded where the connection is made.

A host is looked up once, each of its addresses is checked, and one of those is connected to: a name that means
something else a moment later gains nothing. Redirects are answers like any other, and neither proxies nor passwords of
the environment are used. One deadline holds for everything, looking up the name and reading slowly included.
"""

import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from dataclasses import dataclass
from functools import cache
from typing import Any

import certifi
import httpcore
from flask import current_app

from app.foundation.reachable import Refused, Rules, target

SECONDS = 10.0
LARGEST_ANSWER = 64 * 1024
_MOST_ADDRESSES = 4
_CHUNK = 16 * 1024
# Looking up a name has no deadline of its own in Python, so somebody else does it and may be left behind.
_lookups = ThreadPoolExecutor(8, "lookup")


class NoAnswer(Exception):
    """Called, or tried to, and no whole answer came; the message is for people."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `body` is cut at `LARGEST_ANSWER` and is as it was sent, never unpacked."""

    status: int
    headers: dict[str, str]
    body: bytes
    is_cut: bool
    milliseconds: int
    address: str


def rules() -> Rules:
    """What this portal's settings allow."""
    allowed: Rules = current_app.config["OUTGOING"]
    return allowed


def post(
    url: str, body: bytes, headers: Mapping[str, str], allowed: Rules, seconds: float = SECONDS
) -> Answer:
    """Send a body and wait for the answer, `seconds` for all of it. Raises Refused or NoAnswer.

    Needs no application and no database, so that threads may call it.
    """
    return call("POST", url, body, headers, allowed, seconds)


def call(
    method: str,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    allowed: Rules,
    seconds: float = SECONDS,
) -> Answer:
    """`post` by any method."""
    found = target(url, allowed)
    deadline = _Deadline(seconds)
    backend = _Guarded(allowed, deadline)
    request = httpcore.URL(scheme=found.scheme, host=found.host, port=found.port, target=found.path)
    sent = {
        **headers,
        "Host": found.authority,
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    try:
        with (
            httpcore.ConnectionPool(ssl_context=_tls(), network_backend=backend) as pool,
            pool.stream(method, request, headers=list(sent.items()), content=body) as response,
        ):
            content, is_cut = _beginning(response.iter_stream())
            return Answer(
                response.status,
                _as_text(response.headers),
                content,
                is_cut,
                deadline.spent(),
                backend.address,
            )
    except httpcore.TimeoutException:
        raise NoAnswer(f"No answer within {seconds:g} seconds.") from None
    except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError, OSError) as error:
        raise NoAnswer(_reason(error)) from None


def _beginning(chunks: Iterable[bytes]) -> tuple[bytes, bool]:
    content = b""
    for chunk in chunks:
        content += chunk
        if len(content) > LARGEST_ANSWER:
            return content[:LARGEST_ANSWER], True
    return content, False


def _as_text(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Names in small letters; what came several times stands once, with commas."""
    found: dict[str, str] = {}
    for name, value in headers:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def _reason(error: Exception) -> str:
    """What to tell people of a connection that failed."""
    text = str(error) or type(error).__name__
    if isinstance(error, httpcore.ProtocolError):
        return f"The answer is not HTTP, or broke off: {text}"
    if isinstance(error, ssl.SSLError) or "CERTIFICATE" in text or "SSL" in text:
        return f"No secure connection: {text}"
    return f"No connection: {text}"


class _Deadline:
    """How much time is left of what there was."""

    def __init__(self, seconds: float) -> None:
        self.began = time.monotonic()
        self.ends = self.began + seconds

    def left(self) -> float:
        left = self.ends - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout
        return left

    def spent(self) -> int:
        return round((time.monotonic() - self.began) * 1000)


class _Guarded(httpcore.NetworkBackend):
    """Connects to addresses that were checked, and to nothing else."""

    def __init__(self, allowed: Rules, deadline: _Deadline) -> None:
        self.allowed, self.deadline, self.address = allowed, deadline, ""
        self.sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - httpcore's signature; one deadline holds for everything
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        """One host, one lookup. All of its addresses must be allowed: whoever mixes them means no good."""
        addresses = [str(self.allowed.admit(one)) for one in _addresses(host, port, self.deadline)]
        chosen = addresses[:_MOST_ADDRESSES]
        for place, address in enumerate(chosen):
            share = self.deadline.left() / (len(chosen) - place)
            try:
                stream = self.sockets.connect_tcp(address, port, share, None, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if place == len(chosen) - 1:
                    raise
            else:
                self.address = address
                return _Timed(stream, self.deadline)
        raise httpcore.ConnectError(f"{host} has no address")


class _Timed(httpcore.NetworkStream):
    """A connection each of whose steps gets what is left of the time, so that a drip does not last for ever."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self.inner, self.deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self.inner.read(max_bytes, self.deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        for start in range(0, len(buffer), _CHUNK):
            self.inner.write(buffer[start : start + _CHUNK], self.deadline.left())

    def close(self) -> None:
        self.inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        stream = self.inner.start_tls(ssl_context, server_hostname, self.deadline.left())
        return _Timed(stream, self.deadline)

    def get_extra_info(self, info: str) -> Any:
        return self.inner.get_extra_info(info)


def lookup(host: str, port: int) -> list[str]:
    """The addresses of a host, in the system's order."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _addresses(host: str, port: int, deadline: _Deadline) -> list[str]:
    try:
        return _lookups.submit(lookup, host, port).result(deadline.left())
    except NotInTime:
        raise httpcore.ConnectTimeout from None
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise httpcore.ConnectError(f"{host} is not known ({reason})") from None


@cache
def _tls() -> ssl.SSLContext:
    """What the system trusts, a company's own authorities included, and what the web does where a system has nothing."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


__all__ = ["Answer", "NoAnswer", "Refused", "Rules", "call", "lookup", "post", "rules"]
