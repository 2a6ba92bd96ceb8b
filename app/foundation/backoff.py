"""How long to wait before something that failed is tried again: seconds first, then hours, three days in all."""

import random
from datetime import timedelta

WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
_JITTER = 0.2
_chance = random.SystemRandom()


def wait_after(attempt: int) -> timedelta | None:
    """The wait after the nth attempt, give or take a fifth so that what failed together comes apart; None: give up."""
    if attempt > len(WAITS):
        return None
    return WAITS[max(attempt, 1) - 1] * _chance.uniform(1 - _JITTER, 1 + _JITTER)
