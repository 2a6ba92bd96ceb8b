"""What all notices of reminders share: a list that ends somewhere, and a cause that names what was told."""

import hashlib
from collections.abc import Sequence
from typing import Any

MOST_LINES = 30


def listed(lines: Sequence[str]) -> str:
    """A line for each, up to `MOST_LINES`."""
    rest = len(lines) - MOST_LINES
    return "\n".join([*lines[:MOST_LINES], *([f"and {rest} more"] if rest > 0 else [])])


def cause_of(kind: str, told: Any) -> str:
    """The same for the same news, so that a job that runs again tells nobody twice."""
    return f"{kind}:{hashlib.sha256(repr(told).encode()).hexdigest()[:32]}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number and its noun."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
