"""A sheet of 20,000 rows for a register of 20,000: export, dry run, import. Each job runs in a process of its own.

    python -m benchmarks.register_import [ROWS]

Of the rows a quarter is changed, a quarter is new, the rest is as it is. Fails over the limits.
"""

import csv
import io
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xlsxwriter
from flask import Flask
from sqlalchemy import insert, select

from app import create_app
from app.foundation import jobs
from app.foundation.database import db
from app.foundation.embedded.running import running
from app.foundation.outbox import OutboxMessage, OutboxState
from app.inventory.models import Product, Service
from app.payments import exporting, importing
from app.payments.filters import RegisterFilter
from app.payments.import_models import ImportRun
from app.payments.models import PaymentInfo
from benchmarks.register import _payment
from config import load
from tests import cast

SERVICES = 400
LIMITS = {"seconds": 20.0, "megabytes": 300.0, "longest rest": 3.0}
SECRET = "a secret only for measuring, long enough for any check of length"


def fill(count: int) -> None:
    """The cast's world, and so many products with their payments."""
    cast.settle()
    services = [{"name": f"Service {number:03}"} for number in range(SERVICES)]
    owners = db.session.execute(insert(Service).returning(Service.id), services).scalars().all()
    rows = [
        {"service_id": owners[number % SERVICES], "name": f"Product {number:05}", "status": "active"}
        for number in range(count)
    ]
    keys = db.session.execute(insert(Product).returning(Product.id), rows).scalars().all()
    db.session.execute(insert(PaymentInfo), [_payment(number, key) for number, key in enumerate(keys)])
    db.session.commit()


def exported(kind: str) -> bytes:
    """The whole register; prints how long that took."""
    began = time.perf_counter()
    with exporting.export(kind, RegisterFilter()) as file:
        content = file.read()
    db.session.commit()
    print(f"export {kind:8} {time.perf_counter() - began:6.1f} s  {len(content) / 1e6:6.1f} MB", flush=True)
    return content


def edited(content: bytes, count: int) -> list[list[str]]:
    """The exported sheet: each fourth row with another holder, each fourth the name of a new product."""
    first, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    place = {name: number for number, name in enumerate(first)}
    for number, row in enumerate(rows[:count]):
        if number % 4 == 0:
            row[place["Holder"]] = f"Somebody else {number % 7}"
        elif number % 4 == 1:
            row[place["Product ID"]], row[place["Product"]] = "", f"New product {number:05}"
    return [first, *rows[:count]]


def as_csv(rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def as_xlsx(rows: list[list[str]]) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return file.getvalue()


@dataclass
class Memory:
    """Peaks in MB: of the job's process, of the one that reads the file for it, and of both together at one moment.

    Looked at while they run: what the system counts as a child's peak begins with what its parent had when it was made.
    """

    job: float = 0.0
    reader: float = 0.0
    together: float = 0.0

    def look(self, pid: int) -> None:
        """Once more."""
        job, reader = _resident(pid), sum(map(_resident, _children(pid)))
        self.job, self.reader = max(self.job, job), max(self.reader, reader)
        self.together = max(self.together, job + reader)


def _children(pid: int) -> list[int]:
    try:
        return [
            int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        ]
    except OSError:
        return []


def _resident(pid: int) -> float:
    """Resident memory in MB, none once the process is gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0.0
    return pages * resource.getpagesize() / 1e6


@dataclass
class Job:
    """How one job went. `rest` is the longest time without progress."""

    seconds: float
    rest: float
    memory: Memory


def run_job(run_id: int, environment: dict[str, str]) -> Job:
    """The newest promise, kept by a process of its own, whose progress is looked at meanwhile."""
    rest, seen, memory = 0.0, -1, Memory()
    command = [sys.executable, "-m", "benchmarks.register_import", "--job"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        began = last = time.perf_counter()
        while process.poll() is None:
            memory.look(process.pid)
            done = db.session.scalar(select(ImportRun.done).where(ImportRun.id == run_id))
            db.session.rollback()
            now = time.perf_counter()
            if done != seen:
                rest, last, seen = max(rest, now - last), now, done
            time.sleep(0.02)
    return Job(time.perf_counter() - began, max(rest, time.perf_counter() - last), memory)


def keep_promise() -> None:
    """The child: what the worker does."""
    app = create_app()
    jobs.bind(app)
    with app.app_context():
        query = select(OutboxMessage.id).where(OutboxMessage.state == OutboxState.WAITING)
        key = db.session.scalars(query.order_by(OutboxMessage.id.desc())).first()
        db.session.remove()
    print("ready", flush=True)
    if key is not None:
        jobs.perform(key)


def measure(kind: str, content: bytes, environment: dict[str, str], *, whole: bool) -> list[str]:
    """Print the dry run, and with `whole` the import; returns what is over its limit."""
    run = importing.receive(f"register.{kind}", content)
    importing.start_check(run, importing.guess(run.look["columns"]))
    db.session.commit()
    key = run.id
    faults = show(f"dry run {kind}", run_job(key, environment), key)
    if whole:
        importing.start_import(_fresh(key))
        db.session.commit()
        show(f"import {kind}", run_job(key, environment), key)
    return faults


def show(name: str, job: Job, key: int) -> list[str]:
    run = _fresh(key)
    print(
        f"{name:15} {job.seconds:6.1f} s  {job.memory.together:4.0f} MB (job {job.memory.job:.0f}, "
        f"reader {job.memory.reader:.0f})  longest rest {job.rest:.1f} s  {run.state} {run.counts or ''} {run.message or ''}",
        flush=True,
    )
    values = {"seconds": job.seconds, "megabytes": job.memory.together, "longest rest": job.rest}
    return [f"{name}: {what}" for what, most in LIMITS.items() if values[what] > most]


def _fresh(key: int) -> Any:
    db.session.expire_all()
    return db.session.get_one(ImportRun, key)


def main(count: int) -> int:
    """Start the engines, fill, measure, print; exit code 1 over a limit."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as engines:
        given = {"DATABASE_URL": engines.postgres.url, "REDIS_URL": engines.redis.url, "DATA_DIR": folder}
        environment = {**os.environ, **given, "SECRET_KEY": SECRET, "JWT_SECRET_KEY": SECRET}
        app: Flask = create_app(load(environment))
        assert app.test_cli_runner().invoke(args=["setup"]).exit_code == 0
        with app.app_context():
            fill(count)
            exported("xlsx")
            rows = edited(exported("csv"), count)
            faults = measure("xlsx", as_xlsx(rows), environment, whole=False)
            faults += measure("csv", as_csv(rows), environment, whole=True)
            db.session.remove()
    print("over the limit:", *faults) if faults else print("within the limits")
    return 1 if faults else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--job"]:
        keep_promise()
    else:
        sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
