"""What the portal's tables and folders say at a scrape, as metrics. The same on every host: take the largest, not the sum."""

import logging
import platform
import shutil
from collections.abc import Iterator, Mapping
from typing import Any

from flask import current_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from app import health
from app.audit import checking
from app.foundation import clock, ticking
from app.foundation.backups import last_backup
from app.foundation.database import db
from app.foundation.scoping import unscoped
from app.monitoring import tables

log = logging.getLogger(__name__)


class PortalCollector(Collector):
    """Asks everything anew at each scrape."""

    def collect(self) -> Iterator[Metric]:
        """Without a database there is what is known without one."""
        found = health.examine()
        yield gauge("ready", "Whether /readyz says so.", int(found.is_ready))
        yield gauge("redis_up", "Whether Redis answers.", int(found.redis == health.OK))
        yield build_info()
        yield from disk()
        yield from backups()
        figures = self._figures() if found.database == health.OK else None
        yield gauge("database_up", "Whether PostgreSQL answers.", int(figures is not None))
        yield from figures or ()

    @staticmethod
    def _figures() -> list[Metric] | None:
        """All of them, or None if the database goes away meanwhile."""
        try:
            with unscoped():
                return [*outbox(), *schedule(), *sign_ins(), *deliveries(), *audit()]
        except SQLAlchemyError as error:
            log.error("the database went away during a scrape: %s", error)  # noqa: TRY400 - no trace is needed
            db.session.remove()
            return None


def gauge(name: str, says: str, value: float) -> Metric:
    """One figure."""
    return GaugeMetricFamily(f"portalops_{name}", says, value=value)


def labelled(name: str, says: str, labels: list[str], values: Mapping[Any, float]) -> Metric:
    """One figure for each of several things, by the values of the labels."""
    family = GaugeMetricFamily(f"portalops_{name}", says, labels=labels)
    for key, value in values.items():
        family.add_metric(list(key), value)
    return family


def build_info() -> Metric:
    """Which version runs on what."""
    names = {"version": current_app.config["VERSION"], "python": platform.python_version()}
    return labelled("build_info", "The version that runs.", list(names), {tuple(names.values()): 1})


def disk() -> Iterator[Metric]:
    """Room for attachments, backups and, if it is embedded, the database."""
    try:
        room = shutil.disk_usage(current_app.config["DATA_DIR"])
    except OSError:
        return
    yield gauge("data_dir_free_bytes", "What is left on the disk of DATA_DIR.", room.free)
    yield gauge("data_dir_size_bytes", "The size of the disk of DATA_DIR.", room.total)


def backups() -> Iterator[Metric]:
    """The newest whole one of BACKUP_DIR. There is no figure without one."""
    try:
        made = last_backup()
    except OSError:
        return
    if made:
        yield gauge("backup_last_timestamp_seconds", "When the newest backup was made.", made.timestamp())


def outbox() -> Iterator[Metric]:
    """Work that was promised and is not done."""
    jobs, oldest = tables.promised_work(clock.now())
    yield labelled("outbox_jobs", "Jobs that were promised and are not done.", ["queue", "state"], jobs)
    yield labelled("outbox_oldest_seconds", "The age of the oldest of them.", ["queue"], oldest)


def schedule() -> Iterator[Metric]:
    """Which slots have come, and which were taken up. Paused jobs owe none."""
    table, zone, now = ticking.schedule(), clock.zone(), clock.now()
    paused, last, failed = ticking.pauses(), tables.last_runs(), tables.failed_runs()
    due = {(one.job,): one.cadence.last_slot(now, zone).timestamp() for one in table if one.job not in paused}
    slots = {(one.job,): last[one.job].slot.timestamp() if one.job in last else 0 for one in table}
    failing = {(one.job,): int(one.job in last and last[one.job].has_failed) for one in table}
    counts = {(one.job,): failed.get(one.job, 0) for one in table}
    name = "schedule_"
    yield labelled(f"{name}due_slot_timestamp_seconds", "The latest slot that has come.", ["job"], due)
    yield labelled(f"{name}last_slot_timestamp_seconds", "The latest slot taken up.", ["job"], slots)
    yield labelled(f"{name}failing", "Whether the latest run failed.", ["job"], failing)
    yield labelled(f"{name}failed_runs", "Runs that failed and were not made good.", ["job"], counts)


def sign_ins() -> Iterator[Metric]:
    """Refused ones stand in the audit log, which never shrinks."""
    count = tables.failed_sign_ins()
    yield CounterMetricFamily("portalops_sign_ins_failed", "Sign-ins that failed.", value=count)


def deliveries() -> Iterator[Metric]:
    """Messages to people, and calls of webhooks."""
    yield labelled(
        "messages",
        "Mails and chat messages that have not arrived.",
        ["channel", "state"],
        tables.messages(),
    )
    calls, oldest = tables.webhook_deliveries(clock.now())
    yield labelled("webhook_deliveries", "Webhook deliveries that have not arrived.", ["state"], calls)
    yield gauge("webhook_oldest_due_seconds", "How long the oldest delivery has been due.", oldest)


def audit() -> Iterator[Metric]:
    """What the nightly verification found. There is no figure before the first."""
    found = checking.last_check()
    if found is None:
        return
    yield gauge("audit_chain_sound", "Whether every link held.", int(found.fault is None))
    checked_at = found.checked_at.timestamp()
    yield gauge("audit_chain_checked_timestamp_seconds", "When the log was verified.", checked_at)
    yield gauge("audit_chain_entries", "How many entries the log had then.", found.entries)
