"""What PostgreSQL refuses an address, remembered for moments: a flood from one must not cost a statement an attempt.

Only a lock that was met many times is remembered, never longer than it lasts, and the database is asked again every
`MOMENT`: it may have lifted the lock, when the attempt that began it had the right password. Locks of accounts are not
remembered: a new password lifts them at once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app

MOMENT = timedelta(seconds=2)
MET_BEFORE = 10
MOST_REMEMBERED = 10_000


@dataclass(slots=True)
class Lock:
    """`refused` is how often it was met, of which the database does not yet know `untold`."""

    until: datetime
    ask_at: datetime
    refused: int
    untold: int = 0

    def holds(self, now: datetime) -> bool:
        """Whether to refuse without asking. If not, the one who asks is sent to ask for all."""
        if now >= self.until:
            return False
        if now < self.ask_at:
            self.untold += 1
            return True
        self.ask_at = now + MOMENT
        return False


def known(address: bytes) -> Lock | None:
    """The lock of this address, if it was met often."""
    return _locks().get(address)


def remember(address: bytes, now: datetime, until: datetime | None, refused: int) -> None:
    """What the database says of an address: locked until then, met so many times; or not locked."""
    locks = _locks()
    if until is None or refused <= MET_BEFORE:
        locks.pop(address, None)
        return
    if len(locks) >= MOST_REMEMBERED:
        locks.clear()
    locks[address] = Lock(until, now + MOMENT, refused)


def _locks() -> dict[bytes, Lock]:
    """Of this process."""
    locks: dict[bytes, Lock] = current_app.extensions.setdefault("locked_addresses", {})
    return locks
