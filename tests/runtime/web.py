"""A small application, and the portal's worker in a hurry, for tests of how requests are limited."""

import os
import time
from collections.abc import Iterable
from typing import Any

from app.foundation import listening
from app.foundation.web_worker import PortalWorker


def when_ready(server: Any) -> None:
    """As in deploy/gunicorn.conf.py: this module is a configuration of gunicorn too."""
    listening.shut_before_stopping(server)


class Hasty(PortalWorker):
    head_seconds, request_seconds, stuck_seconds = 1.0, 1.0, 1.0


class Drowsy(Hasty):
    """Takes its time before it has handlers of its own."""

    def init_process(self) -> None:
        time.sleep(2)
        super().init_process()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Says which process it is; reads what is sent, but for /unread; under /sleep it takes its time."""
    if environ["PATH_INFO"] == "/sleep":
        time.sleep(float(environ["QUERY_STRING"]))
    if environ["PATH_INFO"] != "/unread":
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
