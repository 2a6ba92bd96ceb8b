"""Both engines for the time of a `with` block: a test run, a drill, an experiment."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.foundation.embedded.postgres import Postgres
from app.foundation.embedded.processes import bound_to_parent, wait_or_kill
from app.foundation.embedded.redis import Redis


@dataclass(frozen=True)
class Engines:
    postgres: Postgres
    redis: Redis


@contextmanager
def running(data_dir: Path, *, fast: bool = False) -> Iterator[Engines]:
    """Start PostgreSQL, with its database, and Redis on `data_dir`; stop both on the way out.

    `fast` gives up durability for speed. The servers' words go to `<engine>.log` in `data_dir`.
    """
    engines = Engines(Postgres(data_dir, fast=fast), Redis(data_dir, fast=fast))
    with ExitStack() as stack:
        for engine in (engines.postgres, engines.redis):
            engine.prepare()
            stack.enter_context(process(engine))
        engines.postgres.wait_ready()
        engines.redis.wait_ready()
        engines.postgres.create_database()
        yield engines


@contextmanager
def process(engine: Postgres | Redis) -> Iterator[None]:
    """One engine, prepared already, for the time of a `with` block."""
    command = bound_to_parent(engine.command(), engine.stop_signal)
    with (engine.data_dir / f"{engine.name}.log").open("ab") as log:
        # A session of its own: a Ctrl-C at the terminal is for the one who owns the engines.
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        yield
    finally:
        process.send_signal(engine.stop_signal)
        wait_or_kill(process, grace=30)
