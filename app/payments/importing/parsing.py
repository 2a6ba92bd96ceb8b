"""A stranger's file is read by a process of its own (`app.payments.reading`), which has little memory and little time."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any

from app.foundation.errors import InvalidInput

ROOT = Path(__file__).resolve().parents[3]
# Longer than the processor time that the process allows itself: the machine may be busy.
SECONDS = {"look": 20, "rows": 240}
OVER = "Reading this file takes longer than a sheet of payments should need. Split it into several files."
BROKEN = "This file can't be read. Save it anew in your spreadsheet program."


def look(content: bytes, kind: str) -> dict[str, Any]:
    """`columns`, `rows`, how the file was read, and the first rows as `sample`. InvalidInput at `file` for what can't be."""
    with _reading(content, kind, "look") as found:
        head = _head(found)
        return {**head, "sample": list(found)}


@contextmanager
def rows(content: bytes, kind: str) -> Iterator[tuple[int, Iterator[Any]]]:
    """How many rows there are, more or less, and each of them as `[line, [cell, ...]]`."""
    with _reading(content, kind, "rows") as found:
        yield _head(found)["rows"], found


@contextmanager
def _reading(content: bytes, kind: str, task: str) -> Iterator[Iterator[Any]]:
    """What the process says, line by line. It ends with the block."""
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-s", "-m", "app.payments.reading", kind, task],
            cwd=ROOT,
            # Nothing of this process's: no secret, no setting.
            env={"PYTHONIOENCODING": "ascii", "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    alarm = Timer(SECONDS[task], process.kill)
    alarm.start()
    try:
        yield _said(process)
    finally:
        alarm.cancel()
        process.kill()
        if process.stdout:
            process.stdout.close()
        process.wait()


def _said(process: "subprocess.Popen[bytes]") -> Iterator[Any]:
    for line in process.stdout or ():
        said = json.loads(line)
        if isinstance(said, dict) and "refused" in said:
            raise InvalidInput(file=said["refused"])
        yield said
    status = process.wait()
    if status:
        # Below zero is the signal that ended it: its own limit of time, or our alarm.
        raise InvalidInput(file=OVER if status < 0 else BROKEN)


def _head(found: Iterator[Any]) -> dict[str, Any]:
    head = next(found, None)
    if head is None:
        raise InvalidInput(file=BROKEN)
    return dict(head)
