"""What all notices of reminders share: a cause that names what was told, and how many there are in words."""

import hashlib
from typing import Any


def cause_of(kind: str, told: Any) -> str:
    """The same for the same news, so that a job that runs again tells nobody twice."""
    return f"{kind}:{hashlib.sha256(repr(told).encode()).hexdigest()[:32]}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number and its noun."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
