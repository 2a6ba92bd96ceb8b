"""When a periodic job's slots are: arithmetic with local time, without a database or a clock of its own.

A slot is an instant that stands for a local time. A local time that the change to summer time skips, or that comes
twice in the autumn, is one slot all the same.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import IntEnum
from typing import Protocol
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
_UNITS = ((24 * 60, "day"), (60, "hour"), (1, "minute"))


class Weekday(IntEnum):
    """Days as `date.weekday()` counts them."""

    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6


class Cadence(Protocol):
    """When a job's slots are. As text it is what people call it: "Mondays at 10:00"."""

    def last_slot(self, now: datetime, zone: ZoneInfo) -> datetime:
        """The latest slot at or before now, in UTC."""

    def next_slot(self, now: datetime, zone: ZoneInfo) -> datetime:
        """The first slot after now, in UTC."""

    @property
    def period(self) -> timedelta:
        """How far slots lie apart, give or take a change of the clock."""


@dataclass(frozen=True, slots=True)
class Every:
    """A slot every so many minutes, counted from the epoch, so that every process agrees on them."""

    minutes: int

    def last_slot(self, now: datetime, zone: ZoneInfo) -> datetime:  # noqa: ARG002 - a cadence is asked with a zone
        """The start of the period that now lies in."""
        seconds = self.minutes * 60
        return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)

    def next_slot(self, now: datetime, zone: ZoneInfo) -> datetime:
        """The start of the next period."""
        return self.last_slot(now, zone) + self.period

    @property
    def period(self) -> timedelta:
        """Exactly that long."""
        return timedelta(minutes=self.minutes)

    def __str__(self) -> str:
        size, unit = next(one for one in _UNITS if self.minutes % one[0] == 0)
        count = self.minutes // size
        return f"Every {unit}" if count == 1 else f"Every {count} {unit}s"


@dataclass(frozen=True, slots=True)
class Daily:
    """A slot at a local time each day, or on one weekday only."""

    at: time
    weekday: Weekday | None = None

    def last_slot(self, now: datetime, zone: ZoneInfo) -> datetime:
        """Looks back day by day: at most a week and a day."""
        day = now.astimezone(zone).date()
        while not self._is_on(day) or self._slot(day, zone) > now:
            day -= DAY
        return self._slot(day, zone)

    def next_slot(self, now: datetime, zone: ZoneInfo) -> datetime:
        """Looks ahead day by day, as `last_slot` looks back."""
        day = now.astimezone(zone).date()
        while not self._is_on(day) or self._slot(day, zone) <= now:
            day += DAY
        return self._slot(day, zone)

    @property
    def period(self) -> timedelta:
        """A day or a week."""
        return DAY if self.weekday is None else 7 * DAY

    def _is_on(self, day: date) -> bool:
        return self.weekday is None or day.weekday() == self.weekday

    def _slot(self, day: date, zone: ZoneInfo) -> datetime:
        return datetime.combine(day, self.at, zone).astimezone(UTC)

    def __str__(self) -> str:
        days = "Daily" if self.weekday is None else f"{self.weekday.name.capitalize()}s"
        return f"{days} at {self.at:%-H:%M}"
