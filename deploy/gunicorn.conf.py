"""Gunicorn: few processes with threads, the application loaded once and shared by them."""

import ctypes
import gc
from contextlib import suppress
from pathlib import Path
from typing import Any

from app.foundation import gathering, listening, logs, patience
from app.foundation.web_worker import GRACE_SECONDS

# The bare module's name would be taken for gunicorn's own setting `config`.
from config import METRICS_VARIABLE, load_or_exit

# What an application is made of is made to stay: looking through it for garbage all the while is a tenth of its start.
gc.disable()
_settings = load_or_exit()
logs.configure(_settings.log_level, json=_settings.logs_are_json)
# M_ARENA_MAX, where the C library knows it: threads that take turns share two heaps, instead of a half empty one each.
with suppress(AttributeError):
    ctypes.CDLL(None).mallopt(-8, 2)
_memory = Path("/dev/shm")  # noqa: S108 - gunicorn makes its own private files there

bind = (
    f"[{_settings.host}]:{_settings.port}" if ":" in _settings.host else f"{_settings.host}:{_settings.port}"
)
worker_class = "app.foundation.web_worker.PortalWorker"
workers = _settings.web_workers
threads = _settings.web_threads
preload_app = True
# prometheus_client looks for it as it is imported, and gunicorn sets it before it loads the application.
_metrics = gathering.folder_of_this_process() if _settings.metrics_token else None
raw_env = [f"{METRICS_VARIABLE}={_metrics}"] if _metrics else []


def when_ready(server: Any) -> None:
    """What is loaded now stays: workers share it, and their garbage collector need not look through it again."""
    listening.shut_before_stopping(server, listening.NOTICE_SECONDS if _settings.proxy_count else 0)
    gc.collect()
    gc.freeze()
    gc.enable()


def post_fork(_server: Any, _worker: Any) -> None:
    """Requests wait for a PostgreSQL that says nothing only as long as people do."""
    patience.install()


def child_exit(_server: Any, worker: Any) -> None:
    """What a worker that ended counted is kept; what it was just doing is not."""
    if _metrics:
        gathering.bury(_metrics, worker.pid)


def on_exit(_server: Any) -> None:
    """The counts go with the last process."""
    gathering.remove()


# A worker whose main thread says nothing for this long is stuck and replaced; web_worker.py limits single requests.
timeout = 60
graceful_timeout = GRACE_SECONDS
# Behind a proxy the proxy lets idle connections go first: it must not send a request into one that we just closed.
keepalive = 75 if _settings.proxy_count else 5
# What leaks in years of uptime leaks away. The jitter keeps workers from leaving at the same time.
max_requests = 50_000
max_requests_jitter = 10_000
# The most that gunicorn takes, so that it is the portal that answers; what is longer still gets 414.
limit_request_line = 8190
limit_request_fields = 100
limit_request_field_size = 8190
# The workers' heartbeat files; on a busy disk a heartbeat can stall and cost a healthy worker its life.
worker_tmp_dir = str(_memory) if _memory.is_dir() else None

# Who the client is and whether it came by TLS is decided in one place, by PROXY_COUNT in the application.
forwarded_allow_ips = ""
# The socket would lie in the home folder, one for all portals of a user.
control_socket_disable = True

loglevel = _settings.log_level.lower()
logger_class = "app.foundation.logs.web_server.WebServerLogger"
accesslog = None
