"""Who is alive: workers and schedulers have keys in Redis that expire unless they are heard of.

Their names begin with the host's, so that a container finds its own. The rest is random: after a kill -9 the old name
stays taken until its key expires, and process numbers come again in containers.
"""

import secrets
import socket

from redis import Redis

WORKERS = "rq:worker:"
SCHEDULERS = "rq:scheduler_instance:"


def name_here() -> str:
    """A name for a process of this host that no other process has had."""
    return f"{this_host()}.{secrets.token_hex(4)}"


def alive(redis: Redis, prefix: str, host: str = "") -> list[str]:
    """The names of those processes, of all hosts or of one: their keys are there, and they did not say that they end."""
    match = f"{prefix}{host}.*" if host else f"{prefix}*"
    keys = redis.scan_iter(match=match, count=1000, _type="HASH")
    return sorted(key.decode().removeprefix(prefix) for key in keys if not redis.hexists(key, "death"))


def this_host() -> str:
    return socket.gethostname()
