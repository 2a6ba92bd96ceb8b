"""The worker and the scheduler, as processes: RQ and rq-scheduler with the settings that survive a kill -9."""

import logging
import os
from typing import Any

from flask import Flask
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq_scheduler import Scheduler
from rq_scheduler.utils import to_unix

from app.foundation import heartbeats, jobs, outbox, redis_client, ticking
from app.foundation.database import db

log = logging.getLogger(__name__)

TICK_SECONDS = 60
SWEEP_SECONDS = 10
POLL_SECONDS = 5
NICENESS = 5


def work(app: Flask, queues: list[str]) -> None:
    """Work until SIGTERM. Jobs run in this process: they are idempotent and need no fork each.

    People come first: on a busy machine a backlog of jobs leaves the processors to the requests.
    A short worker TTL and maintenance interval, or an idle worker blocks for minutes on a Redis that went away.
    """
    os.nice(NICENESS)
    jobs.bind(app)
    with app.app_context():
        db.engine.dispose()
    connection = redis_client.connect(app.config["REDIS_URL"], None)
    worker = SimpleWorker(
        [Queue(name, connection=connection) for name in queues],
        connection=connection,
        name=heartbeats.name_here(),
        worker_ttl=30,
        maintenance_interval=15,
        job_monitoring_interval=5,
    )
    worker.work(logging_level="WARNING")


class Ticker(Scheduler):
    """rq-scheduler, which may lose an entry when it dies in mid-move or Redis is emptied: so each poll looks."""

    ENTRIES = (
        ("portalops-tick", "app.foundation.processes.tick", TICK_SECONDS),
        ("portalops-sweep", "app.foundation.processes.sweep", SWEEP_SECONDS),
    )

    def heartbeat(self) -> None:
        """Make the key that says we live anew if Redis was emptied; rq-scheduler would only prolong it."""
        self.connection.hset(self.key, "heartbeat", _utcnow().isoformat())
        super().heartbeat()

    def enqueue_jobs(self) -> Any:
        """Put back what is missing, or what a clock that was set back left far ahead; then do what is due."""
        for key, function, interval in self.ENTRIES:
            due = self.connection.zscore(self.scheduled_jobs_key, key)
            if due is None or due > to_unix(_utcnow()) + interval:
                self.schedule(
                    scheduled_time=_utcnow(),
                    func=function,
                    interval=interval,
                    repeat=None,
                    id=key,
                )
        return super().enqueue_jobs()


def _utcnow() -> Any:
    from datetime import UTC, datetime  # noqa: PLC0415

    return datetime.now(UTC).replace(tzinfo=None)


def schedule(app: Flask) -> None:
    """Tick until SIGTERM."""
    connection = redis_client.connect(app.config["REDIS_URL"], 10)
    Ticker(connection=connection, interval=POLL_SECONDS, name=heartbeats.name_here()).run()


def tick() -> None:
    """What rq-scheduler fires each minute."""
    _in_app(ticking.tick)


def sweep() -> None:
    """What rq-scheduler fires every few seconds."""
    _in_app(outbox.sweep)


def _in_app(function: Any) -> None:
    with jobs.bound().app_context():
        try:
            function()
        except RedisError:
            log.warning("Redis is away; the next tick tries again")
        finally:
            db.session.remove()
