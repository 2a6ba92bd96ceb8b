"""The day of a test, and a clock that tests set."""

from datetime import UTC, date, datetime

import pytest

from app.foundation import clock


@pytest.fixture
def today(context) -> date:
    return clock.today()


@pytest.fixture
def at(monkeypatch):
    """Set the clock: `at(day)` makes it noon UTC of that day."""

    def set_clock(day: date) -> None:
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        monkeypatch.setattr(clock, "now", lambda: noon)

    return set_clock
