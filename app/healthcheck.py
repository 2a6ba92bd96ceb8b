"""`python -m app.healthcheck web|worker|scheduler`: whether that process of this container lives and does its work.

It asks from outside, as people and jobs do, and without Flask: an orchestrator asks often. Exit status 0 or 1, and a line
that says why.
"""

import http.client
import sys
from collections.abc import Callable

from redis.exceptions import RedisError

from app.foundation import heartbeats, probing, redis_client
from config import ConfigError, Settings, load

SECONDS = 5.0


class Unwell(Exception):
    """The process does not do its work; the message says what was seen."""


def main(words: list[str]) -> int:
    if len(words) != 1 or words[0] not in CHECKS:
        print(f"usage: python -m app.healthcheck {'|'.join(CHECKS)}", file=sys.stderr)
        return 2
    try:
        print(CHECKS[words[0]](load()))
    except (ConfigError, Unwell) as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


def web(settings: Settings) -> str:
    """Whether it answers. A database that is away is no reason to end it; the proxy asks whether it is ready."""
    try:
        status = probing.status_of(probing.connection_to(settings.host, settings.port, SECONDS), "/livez")
    except OSError as error:
        raise Unwell(f"the web process does not answer: {error}") from None
    if status != http.HTTPStatus.OK:
        raise Unwell(f"the web process answers {status}")
    return "the web process answers"


def worker(settings: Settings) -> str:
    """Whether a worker of this machine takes work; one that is at a job has until the job's time-out."""
    return _beats(settings, heartbeats.WORKERS, "worker")


def scheduler(settings: Settings) -> str:
    """Whether a scheduler of this machine looks what is due."""
    return _beats(settings, heartbeats.SCHEDULERS, "scheduler")


def _beats(settings: Settings, prefix: str, kind: str) -> str:
    try:
        alive = heartbeats.alive(
            redis_client.connect(settings.redis_url, SECONDS), prefix, heartbeats.this_host()
        )
    except (RedisError, OSError) as error:
        raise Unwell(f"Redis does not answer, so no {kind} can work: {error}") from None
    if not alive:
        raise Unwell(f"no {kind} of this host has been heard of lately")
    return f"{kind} {', '.join(alive)} was heard of"


CHECKS: dict[str, Callable[[Settings], str]] = {"web": web, "worker": worker, "scheduler": scheduler}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
