"""Asking a web process how it is, from beside it: probes take any name, and plain http."""

import http.client
from contextlib import closing


def connection_to(host: str, port: int, seconds: float) -> http.client.HTTPConnection:
    """To where a process that listens at this address can be reached on the same machine."""
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return http.client.HTTPConnection(near, port, timeout=seconds)


def status_of(connection: http.client.HTTPConnection, path: str) -> int:
    """The status of the answer; the connection is closed then. OSError if there is no answer."""
    with closing(connection):
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except http.client.HTTPException as error:
            raise OSError(f"no answer of HTTP ({type(error).__name__})") from error


def is_ready(connection: http.client.HTTPConnection) -> bool:
    """Whether requests may be sent there."""
    try:
        return status_of(connection, "/readyz") == http.HTTPStatus.OK
    except OSError:
        return False
