"""RQ carries the numbers of outbox rows to workers; nothing that matters is known to it alone."""

import logging
from collections.abc import Iterable
from contextlib import suppress

from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import DuplicateJobError

from app.foundation import redis_client

log = logging.getLogger(__name__)

KEPT = {"result_ttl": 0, "failure_ttl": 3600}
# Work that takes minutes has a queue of its own, which a worker looks at when there is nothing else. So has what waits for
# other systems: one that is slow holds up nobody's tasks.
DEFAULT, LONG, MESSAGES = "default", "long", "messages"
SECONDS = {DEFAULT: 60, LONG: 900, MESSAGES: 120}


def offer_id(key: int, attempt: int) -> str:
    """What RQ knows an offer by, so that none stands in a queue twice."""
    return f"outbox-{key}-{attempt}"


def in_queues(names: Iterable[str]) -> set[str]:
    """The offers that a worker will still come to; as good as none, while Redis is away."""
    try:
        return {
            found for name in names for found in Queue(name, connection=redis_client.quick()).get_job_ids()
        }
    except (RedisError, OSError):
        return set()


def offer(offers: list[tuple[int, int, str]]) -> None:
    """Hand rows (id, attempt, queue) to RQ. A Redis that can't take them is no fault: the sweeper comes again."""
    try:
        for key, attempt, queue in offers:
            with suppress(DuplicateJobError):
                Queue(queue, connection=redis_client.quick()).enqueue(
                    "app.foundation.jobs.perform",
                    key,
                    job_id=offer_id(key, attempt),
                    unique=True,
                    job_timeout=SECONDS.get(queue, SECONDS[DEFAULT]),
                    **KEPT,
                )
    except (RedisError, OSError) as error:
        log.warning(
            "Redis took no work (%s); %d rows wait for the sweeper", type(error).__name__, len(offers)
        )
