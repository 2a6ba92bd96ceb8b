"""The courier's connection: short time-outs and no retry of its own, because the outbox is the retry."""

from flask import Flask, current_app
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

QUICK_SECONDS = 1.0


def init_app(app: Flask) -> None:
    """One connection pool an app. A Redis that accepts and never answers must not hold a request."""
    app.extensions["redis_quick"] = connect(app.config["REDIS_URL"], QUICK_SECONDS)


def connect(url: str, timeout: float | None) -> Redis:
    """A client whose connects and answers take at most `timeout` seconds (None: as long as they take)."""
    return Redis.from_url(
        url, socket_timeout=timeout, socket_connect_timeout=timeout, retry=Retry(NoBackoff(), 0)
    )


def quick() -> Redis:
    """The client for requests."""
    client: Redis = current_app.extensions["redis_quick"]
    return client
