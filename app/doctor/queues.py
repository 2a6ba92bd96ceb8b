"""Redis, which carries work: that it answers, forgets nothing, and that somebody is at the other end of each queue."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from redis.exceptions import RedisError
from rq import Worker

from app.doctor.findings import Finding, check, fault, ok, settings, warning
from app.foundation import courier, heartbeats, redis_client

OLDEST = 6


def info(section: str) -> dict[str, Any]:
    found: dict[str, Any] = redis_client.quick().info(section)
    return found


@check("Redis")
def answers() -> Iterator[Finding]:
    """Without it work waits; nothing is lost."""
    try:
        version = str(info("server")["redis_version"])
    except (RedisError, OSError) as error:
        host = urlsplit(settings().redis_url).hostname or "its socket"
        yield fault(
            f"Redis at {host} can't be used: {error}", "Start it, or mend REDIS_URL. Work waits meanwhile."
        )
        return
    if int(version.partition(".")[0]) < OLDEST:
        yield fault(f"Redis {version} is older than {OLDEST}.", f"Use Redis or Valkey {OLDEST} or newer.")
    else:
        yield ok(f"Redis {version} answers.")


@check("Redis memory", after="Redis")
def forgets_nothing() -> Iterator[Finding]:
    """A full Redis must refuse, not forget."""
    policy = info("memory").get("maxmemory_policy")
    if policy == "noeviction":
        yield ok("A full Redis refuses instead of forgetting.")
    else:
        yield fault(
            f"A full Redis forgets work (maxmemory-policy {policy}).", "Set maxmemory-policy noeviction."
        )


@check("Redis on disk", after="Redis")
def survives() -> Iterator[Finding]:
    """The outbox offers again what was lost; it takes half a minute or more."""
    if info("persistence").get("aof_enabled"):
        yield ok("What stands in Redis survives its restart.")
    else:
        yield warning(
            "A restart of Redis empties the queues; work is offered again only when its lease is over.",
            "Set appendonly yes.",
        )


@check("Workers", after="Redis")
def workers() -> Iterator[Finding]:
    """RQ's own list: a worker that has not been heard of for half a minute is not in it."""
    alive = Worker.all(connection=redis_client.quick())
    for queue in sorted(courier.SECONDS):
        count = sum(queue in worker.queue_names() for worker in alive)
        if count:
            yield ok(f"{count} for the queue {queue}.")
        else:
            start = f"flask --app app worker --queue {queue}"
            yield fault(f"Nobody works at the queue {queue}.", f"Start one: `{start}`.")


@check("Scheduler", after="Redis")
def scheduler() -> Iterator[Finding]:
    """Schedulers keep a key that expires when they die."""
    alive = heartbeats.alive(redis_client.quick(), heartbeats.SCHEDULERS)
    if alive:
        yield ok(f"{len(alive)} alive.")
    else:
        yield fault(
            "No scheduler is alive: nothing periodic begins.", "Start one: `flask --app app scheduler`."
        )
