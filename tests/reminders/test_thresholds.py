"""Each threshold exactly once, whatever days the check ran on."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.reminders import thresholds
from app.reminders.thresholds import NOT_TOLD, OVERDUE, Answer, due, passed

# A busy machine draws slowly, which says nothing about what is drawn.
calmly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
DAYS = st.lists(st.integers(1, 365), max_size=10, unique=True)
RUNS = st.lists(st.integers(-400, 400), max_size=40).map(lambda days: sorted(set(days), reverse=True))
DAY = date(2030, 6, 15)


def told_over(runs: list[int], days: list[int]) -> list[int]:
    """What is told when the check runs with so many days left each time."""
    told: list[int] = []
    for left in runs:
        threshold = due(left, days, min(told, default=NOT_TOLD))
        if threshold is not None:
            told.append(threshold)
    return told


@calmly
@given(DAYS)
def test_daily_check_tells_each_threshold_once_and_then_overdue(days):
    assert told_over(list(range(370, -30, -1)), days) == [*sorted(days, reverse=True), OVERDUE]


@calmly
@given(RUNS, DAYS)
def test_downtime_neither_loses_nor_repeats(runs, days):
    told = told_over(runs, days)
    assert told == sorted(set(told), reverse=True)
    assert set(told) <= {*days, OVERDUE}
    for place, left in enumerate(runs):
        so_far = told_over(runs[: place + 1], days)
        # What has passed was told at its tightest, in one message at most.
        assert min(so_far, default=None) == passed(left, days)
        assert len(so_far) - len(told_over(runs[:place], days)) <= 1


@calmly
@given(RUNS, DAYS, DAYS)
def test_change_of_the_rules_repeats_nothing(runs, before, after):
    half = len(runs) // 2
    told = told_over(runs[:half], before)
    for left in runs[half:]:
        threshold = due(left, after, min(told, default=NOT_TOLD))
        told += [] if threshold is None else [threshold]
    assert told == sorted(set(told), reverse=True)


@calmly
@given(st.integers(-30, 30), st.integers(-30, 30))
def test_acknowledged_thing_is_silent_until_it_is_overdue(given_on, today):
    answer = Answer(DAY + timedelta(days=given_on))
    silent = answer.silences(DAY, DAY + timedelta(days=today))
    assert silent == (today <= 0 or given_on > 0)


@calmly
@given(st.integers(-30, 30), st.integers(-30, 30))
def test_delay_is_silent_until_its_end_and_not_longer(end, today):
    until, now = DAY + timedelta(days=end), DAY + timedelta(days=today)
    answer = Answer(DAY - timedelta(days=100), until)
    assert answer.silences(DAY, now) == (now < until)
    assert answer.ended_by(now) == (until if now >= until else None)


@pytest.mark.parametrize(
    ("text", "found"),
    [("60, 30, 14", [60, 30, 14]), ("1 7", [7, 1]), ("", []), ("60, 30 and 7", [60, 30, 7]), ("365;1", [365, 1])],
)  # fmt: skip
def test_days_are_read_as_people_type_them(text, found):
    assert thresholds.days_of(text) == found


@pytest.mark.parametrize(
    "text",
    ["0", "366", "7, 7", "-1", "1.5", "a week", "\u0667", "1," * 11, " ".join(map(str, range(1, 12))), "9" * 30, "1\x002"],
)  # fmt: skip
def test_nonsense_is_refused_in_words(text):
    with pytest.raises(ValueError, match=r"\.$"):
        thresholds.days_of(text)
