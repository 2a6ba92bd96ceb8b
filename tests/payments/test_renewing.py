"""The arithmetic of renewals: known cases, and what holds of every date, frequency and notice."""

from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import assume, given
from hypothesis import strategies as any_of

from app.payments.renewing import (
    Plan,
    Renewal,
    anchor_of,
    cancel_bys,
    day_to_keep,
    expected,
    expected_by_month,
    months_of,
    next_after,
    next_from,
    plan_of,
    renewals,
    still_cancellable,
)

DAYS = any_of.dates(date(1990, 1, 1), date(2190, 12, 31))
MONTHS = any_of.integers(1, 120)
NOTICES = any_of.integers(0, 3_650)
SPANS = any_of.integers(0, 4_000).map(lambda days: timedelta(days=days))
AMOUNTS = any_of.decimals(0, 999_999, places=2)


@any_of.composite
def plans(draw) -> Plan:
    """A plan somewhere in its course: the coming renewal may stand in a month that is too short for its day."""
    coming, months = draw(DAYS), draw(any_of.none() | MONTHS)
    begun = draw(any_of.sampled_from([coming.day, 29, 30, 31]))
    return Plan(coming, anchor_of(coming, begun), months, draw(any_of.none() | NOTICES))


def payment(**fields) -> SimpleNamespace:
    known = {"renewal_frequency": "monthly", "auto_renew": True, "notice_days": 30, "renewal_day": None}
    return SimpleNamespace(**{**known, **fields})


@pytest.mark.parametrize(
    ("frequency", "months"),
    [("monthly", 1), ("quarterly", 3), ("yearly", 12), ("every_1_months", 1), ("every_18_months", 18), ("one_off", None),
     (None, None)],
)  # fmt: skip
def test_frequency_in_months(frequency, months):
    assert months_of(frequency) == months


@pytest.mark.parametrize(
    ("coming", "months", "following"),
    [
        ("2026-01-31", 1, ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
        ("2028-01-31", 1, ["2028-02-29", "2028-03-31", "2028-04-30"]),
        ("2026-01-30", 1, ["2026-02-28", "2026-03-30", "2026-04-30"]),
        ("2026-11-30", 3, ["2027-02-28", "2027-05-30", "2027-08-30"]),
        ("2024-02-29", 12, ["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]),
        ("2096-02-29", 48, ["2100-02-28", "2104-02-29"]),
        ("2026-12-15", 1, ["2027-01-15"]),
        ("2026-08-31", 18, ["2028-02-29", "2029-08-31"]),
    ],
)
def test_renewals_keep_to_their_day_of_the_month(coming, months, following):
    begun = date.fromisoformat(coming)
    plan = Plan(begun, begun.day, months, None)
    last = date.fromisoformat(following[-1])
    assert [day.isoformat() for day in renewals(plan, begun, last)] == [coming, *following]


def test_day_that_february_lost_comes_back():
    """What is stored after 28 February are that day and the 31 beside it."""
    plan = plan_of(payment(next_renewal_date=date(2026, 2, 28), renewal_day=31))
    assert next_after(plan, date(2026, 2, 28)) == date(2026, 3, 31)
    assert next_after(plan_of(payment(next_renewal_date=date(2026, 2, 28))), date(2026, 2, 28)) == date(
        2026, 3, 28
    )


def test_day_kept_beside_a_date_that_somebody_changed_is_forgotten():
    assert anchor_of(date(2026, 3, 15), 31) == 15
    assert [day_to_keep(date(2026, *day), 31) for day in ((2, 28), (4, 30), (3, 31), (4, 29))] == [
        31,
        31,
        None,
        None,
    ]
    assert (day_to_keep(None, 31), day_to_keep(date(2026, 2, 28), None)) == (None, None)


@pytest.mark.parametrize(
    "fields",
    [{"auto_renew": False}, {"renewal_frequency": "one_off"}, {"renewal_frequency": None}],
)
def test_what_does_not_go_on_by_itself_has_one_renewal(fields):
    plan = plan_of(payment(next_renewal_date=date(2026, 1, 31), **fields))
    assert list(renewals(plan, date(2020, 1, 1), date(2040, 1, 1))) == [date(2026, 1, 31)]
    assert next_after(plan, date(2026, 1, 31)) is None


def test_nothing_is_known_of_a_payment_without_a_renewal():
    assert plan_of(payment(next_renewal_date=None)) is None


@pytest.mark.parametrize(
    ("coming", "frequency", "notice", "today", "renewal", "cancel_by"),
    [
        # a month's end, and a leap year's
        ("2026-03-31", "monthly", 30, "2026-03-01", "2026-03-31", "2026-03-01"),
        ("2026-03-31", "monthly", 30, "2026-03-02", "2026-04-30", "2026-03-31"),
        ("2028-03-30", "yearly", 30, "2028-02-29", "2028-03-30", "2028-02-29"),
        ("2027-03-30", "yearly", 30, "2027-02-28", "2027-03-30", "2027-02-28"),
        # too late for the coming one: it renews tacitly, and the one after it is what can be cancelled
        ("2026-06-30", "yearly", 90, "2026-04-01", "2026-06-30", "2026-04-01"),
        ("2026-06-30", "yearly", 90, "2026-04-02", "2027-06-30", "2027-04-01"),
        # a notice longer than the time between two renewals
        ("2026-01-31", "monthly", 60, "2026-01-10", "2026-03-31", "2026-01-30"),
        # on the very day
        ("2026-01-31", "monthly", 0, "2026-01-31", "2026-01-31", "2026-01-31"),
        ("2026-01-31", "monthly", 0, "2026-02-01", "2026-02-28", "2026-02-28"),
        # the daily job has not run yet
        ("2024-02-29", "yearly", 14, "2027-03-01", "2028-02-29", "2028-02-15"),
    ],
)
def test_last_day_to_cancel(coming, frequency, notice, today, renewal, cancel_by):
    due = date.fromisoformat(coming)
    plan = plan_of(payment(next_renewal_date=due, renewal_frequency=frequency, notice_days=notice))
    assert still_cancellable(plan, date.fromisoformat(today)) == Renewal(
        date.fromisoformat(renewal), date.fromisoformat(cancel_by)
    )


@pytest.mark.parametrize(
    "fields", [{"auto_renew": False}, {"renewal_frequency": "one_off"}, {"notice_days": None}]
)
def test_what_ends_by_itself_or_has_no_notice_has_no_last_day_to_cancel(fields):
    plan = plan_of(payment(next_renewal_date=date(2026, 1, 31), **fields))
    assert still_cancellable(plan, date(2025, 1, 1)) is None
    assert list(cancel_bys(plan, date(2020, 1, 1), date(2030, 1, 1))) == []


def test_calendar_has_an_end():
    plan = Plan(date(9999, 12, 31), 31, 1, 0)
    assert list(renewals(plan, date(9999, 12, 1), date.max)) == [date(9999, 12, 31)]
    assert next_from(Plan(date(9999, 11, 30), 31, 12, None), date(9999, 12, 1)) is None


def test_expected_amounts_by_month():
    plan = Plan(date(2026, 1, 31), 31, 1, None)
    assert expected_by_month(plan, Decimal("9.90"), date(2026, 2, 1), date(2026, 3, 31)) == {
        date(2026, 2, 1): Decimal("9.90"),
        date(2026, 3, 1): Decimal("9.90"),
    }


@given(DAYS, MONTHS, any_of.integers(0, 60))
def test_renewal_is_so_many_months_after_the_first(begun, months, number):
    """dateutil counts months by itself, and from the day it began with."""
    want = begun + relativedelta(months=months * number)
    plan = Plan(begun, begun.day, months, None)
    assert next_from(plan, want) == want


@given(plans(), any_of.integers(1, 30))
def test_moving_on_changes_no_renewal_to_come(plan, number):
    """One step at a time, with nothing kept but what is stored, there is no drift."""
    assume(plan.months is not None)
    coming, kept, seen = plan.coming, day_to_keep(plan.coming, plan.day), [plan.coming]
    for _ in range(number):
        stored = Plan(coming, anchor_of(coming, kept), plan.months, None)
        assert stored.day == plan.day
        coming = next_after(stored, coming)
        kept = day_to_keep(coming, stored.day)
        seen.append(coming)
    assert list(renewals(plan, plan.coming, coming)) == seen


@given(plans(), DAYS, SPANS, SPANS)
def test_periods_side_by_side_hold_each_renewal_once(plan, first, span, more):
    middle = first + span
    last = middle + more
    whole = list(renewals(plan, first, last))
    assert whole == [*renewals(plan, first, middle), *renewals(plan, middle + timedelta(days=1), last)]
    assert whole == sorted(set(whole))
    assert all(max(first, plan.coming) <= day <= last for day in whole)
    assert all(day.day == min(plan.day, (day + relativedelta(day=31)).day) for day in whole)


@given(plans(), DAYS)
def test_next_renewal_is_the_first_that_comes(plan, day):
    found = next_after(plan, day)
    if found is None:
        assert plan.months is None
        assert plan.coming <= day
    else:
        assert found > day
        assert list(renewals(plan, day + timedelta(days=1), found)) == [found]


@given(plans(), DAYS)
def test_what_can_be_cancelled_is_the_first_for_which_it_is_not_too_late(plan, today):
    found = still_cancellable(plan, today)
    if plan.notice_days is None:
        assert found is None
        return
    notice = timedelta(days=plan.notice_days)
    if found is None:
        assert plan.months is None
        assert plan.coming - notice < today
        return
    assert found.cancel_by == found.day - notice >= today
    too_late = renewals(plan, plan.coming, found.day - timedelta(days=1))
    assert all(day - notice < today for day in too_late)


@given(plans(), DAYS, SPANS)
def test_last_days_to_cancel_are_those_of_all_renewals(plan, first, span):
    last = first + span
    notice = timedelta(days=plan.notice_days or 0)
    want = [
        Renewal(day, day - notice)
        for day in renewals(plan, plan.coming, last + notice)
        if plan.notice_days is not None and first <= day - notice <= last
    ]
    assert list(cancel_bys(plan, first, last)) == want


@given(plans(), AMOUNTS, DAYS, SPANS)
def test_expected_amount_is_the_sum_of_its_months(plan, amount, first, span):
    last = first + span
    by_month = expected_by_month(plan, amount, first, last)
    assert expected(plan, amount, first, last) == sum(by_month.values(), Decimal(0))
    assert len(list(renewals(plan, first, last))) * amount == sum(by_month.values(), Decimal(0))
