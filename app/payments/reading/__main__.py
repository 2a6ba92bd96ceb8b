"""The program: the file on standard input, one line of JSON for each thing found on standard output.

    python -m app.payments.reading csv|xlsx look|rows

The first line is an object: `columns`, `rows` (how many), and how the file was read. With `look` a few rows follow, with
`rows` all of them, each as `[line, [cell, ...]]`. A cell is null, a text, a boolean, or an object: `{"n": "12.5"}` a number,
`{"d": "2031-03-31"}` a date, `{"f": "=A1"}` a formula, `{"e": "#REF!"}` an error. A file that can't be taken makes a last
line `{"refused": "why, for people"}`. The process limits itself before it reads a byte.
"""

import json
import resource
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, BinaryIO

from app.payments.reading.cells import Refused

MEMORY = 512 * 1024 * 1024
CPU_SECONDS = {"look": 10, "rows": 60}
LOOKED_AT = 5
TOO_MUCH = "Reading this file takes more memory than a sheet of payments should need."
READERS = {"csv": "app.payments.reading.delimited", "xlsx": "app.payments.reading.workbook"}


def main(kind: str, task: str) -> None:
    """Raises SystemExit on nothing but a wrong call; what is wrong with the file is said on standard output."""
    limit(CPU_SECONDS[task])
    try:
        tell(reader_of(kind)(sys.stdin.buffer), LOOKED_AT if task == "look" else None)
    except Refused as refusal:
        say({"refused": str(refusal)})
    except MemoryError:
        say({"refused": TOO_MUCH})


def reader_of(kind: str) -> Callable[[BinaryIO], Iterator[Any]]:
    """Only its own module is loaded: openpyxl takes more memory than any CSV."""
    read: Callable[[BinaryIO], Iterator[Any]] = import_module(READERS[kind]).read
    return read


def limit(seconds: int) -> None:
    """No more memory, time or files than reading takes, and nothing written anywhere."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 32),
    ):
        resource.setrlimit(what, (most, most))


def tell(found: Iterator[Any], most: int | None) -> None:
    """What was found, up to so many rows."""
    say(next(found))
    for number, row in enumerate(found):
        if number == most:
            return
        say(row)


def say(thing: Any) -> None:
    """One line."""
    sys.stdout.write(json.dumps(thing, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:3])
