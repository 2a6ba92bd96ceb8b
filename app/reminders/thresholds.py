"""When somebody is reminded: date arithmetic that asks no database.

A threshold is a number of days before a day. Of those that have passed only the tightest is told, so that days without
a run leave no burst of old reminders; one that was told, or a tighter one, is told no more. `OVERDUE` is the last.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

OVERDUE = -1
# Beyond every threshold: nothing was told yet.
NOT_TOLD = 1_000
FURTHEST, MOST = 365, 10

_NUMBERS = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody said to a reminder: acknowledged, or without a word until a day. `given` is the day they said so."""

    given: date
    until: date | None = None

    def silences(self, day: date | None, today: date) -> bool:
        """Whether there is nothing to say of a thing that is due on a day.

        What was acknowledged before its day comes back when it is overdue; what was put off comes back when that ends.
        """
        if self.until is not None:
            return today < self.until
        return day is None or today <= day or self.given > day

    def ended_by(self, today: date) -> date | None:
        """When a delay ended that is over; None for every other answer."""
        return self.until if self.until is not None and self.until <= today else None


def passed(days_left: int, thresholds: Collection[int]) -> int | None:
    """The tightest threshold that has passed; None as long as none has."""
    if days_left < 0:
        return OVERDUE
    return min((one for one in thresholds if days_left <= one), default=None)


def due(days_left: int, thresholds: Collection[int], told: int = NOT_TOLD) -> int | None:
    """The threshold to tell now, if the tightest that was told so far is `told`."""
    tightest = passed(days_left, thresholds)
    return tightest if tightest is not None and tightest < told else None


def days_of(text: str) -> list[int]:
    """Thresholds from what people type, such as "60, 30 and 7", the furthest first.

    ValueError with words for people.
    """
    words = [word for word in re.split(r"[\s,;]+|\band\b", text) if word]
    if not all(_NUMBERS.fullmatch(word) for word in words):
        raise ValueError("Enter numbers of days, such as 60, 30, 14, 7, 1.")
    return checked(map(int, words))


def checked(days: Iterable[int]) -> list[int]:
    """The same numbers, the furthest first. ValueError with words for people if they can't be thresholds."""
    found = list(days)
    if len(found) > MOST:
        raise ValueError(f"At most {MOST} reminders before a day.")
    if not all(1 <= one <= FURTHEST for one in found):
        raise ValueError(f"Each must be from 1 to {FURTHEST} days.")
    if len(set(found)) < len(found):
        raise ValueError("Each number of days only once.")
    return sorted(found, reverse=True)
