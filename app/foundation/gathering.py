"""What several web processes count, in one folder: each writes files of its own, and a scrape adds them up.

The folder is private, in memory where there is room, and made anew by each gunicorn. A process that ends takes its
gauges along; its counts are added to those of all that ended, so that replacing workers neither loses requests nor
leaves files behind that each scrape would have to read.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

_PREFIX = "portalops-metrics-"
_made: list[Path] = []


def folder_of_this_process() -> Path:
    """Made at the first call, and the same from then on: gunicorn reads its settings again when it is reloaded."""
    if not _made:
        memory = Path("/dev/shm")  # noqa: S108 - a folder of its own in it, for this user alone
        base = memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())
        _remove_orphans(base)
        _made.append(Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=base)))
    return _made[0]


def remove() -> None:
    """The last process ends in order."""
    while _made:
        shutil.rmtree(_made.pop(), ignore_errors=True)


def _remove_orphans(base: Path) -> None:
    """What a gunicorn left that was killed."""
    for folder in base.glob(f"{_PREFIX}*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if folder.stat().st_uid == os.geteuid() and owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def gathered(folder: Path) -> bytes:
    """The sum of all processes, in Prometheus's text format."""
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415 - only where metrics are on
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]
    with _held(folder, fcntl.LOCK_SH):
        return generate_latest(registry)


def bury(folder: Path, pid: int) -> None:
    """A worker ended, in order or not. No scrape sees its counts twice or not at all."""
    from prometheus_client.mmap_dict import MmapedDict  # noqa: PLC0415
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415

    with _held(folder, fcntl.LOCK_EX):
        mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
        for kind in ("counter", "histogram"):
            left = folder / f"{kind}_{pid}.db"
            if left.exists():
                _add(MmapedDict, left, folder / f"{kind}_ended.db")
                left.unlink()


def _add(kept_in: Any, left: Path, ended: Path) -> None:
    total = kept_in(str(ended))
    try:
        for key, value, _, _ in kept_in.read_all_values_from_file(str(left)):
            total.write_value(key, total.read_value(key)[0] + value, 0.0)
    finally:
        total.close()


@contextmanager
def _held(folder: Path, how: int) -> Iterator[None]:
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, how)
        yield
