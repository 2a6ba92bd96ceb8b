"""Gunicorn: few processes with threads, the application loaded once and shared by them."""

import gc
from pathlib import Path
from typing import Any

from app.foundation import patience
from config import load  # the bare module's name would be taken for gunicorn's own setting `config`

_settings = load()
_memory = Path("/dev/shm")  # noqa: S108 - gunicorn makes its own private files there

bind = (
    f"[{_settings.host}]:{_settings.port}" if ":" in _settings.host else f"{_settings.host}:{_settings.port}"
)
worker_class = "gthread"
workers = _settings.web_workers
threads = _settings.web_threads
preload_app = True


def when_ready(_server: Any) -> None:
    """What is loaded now stays: workers share it, and their garbage collector need not look through it again."""
    gc.collect()
    gc.freeze()


def post_fork(_server: Any, _worker: Any) -> None:
    """Requests wait for a PostgreSQL that says nothing only as long as people do."""
    patience.install()


# A worker that has not answered its arbiter for this long is stuck and replaced.
timeout = 60
graceful_timeout = 30
keepalive = 5
# The workers' heartbeat files; on a busy disk a heartbeat can stall and cost a healthy worker its life.
worker_tmp_dir = str(_memory) if _memory.is_dir() else None

# Who the client is and whether it came by TLS is decided in one place, by PROXY_COUNT in the application.
forwarded_allow_ips = ""
# The socket would lie in the home folder, one for all portals of a user.
control_socket_disable = True

loglevel = _settings.log_level.lower()
accesslog = None
