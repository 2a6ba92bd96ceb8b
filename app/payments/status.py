"""What state a payment is in: the one rule, as Python works it out for a row and PostgreSQL for a table."""

from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, case, or_


class PaymentStatus(StrEnum):
    """Whether everything is known that a payment needs."""

    INCOMPLETE = "incomplete"
    COMPLETE = "complete"


class PaymentState(StrEnum):
    """The one thing that most needs to be known about a payment, the most urgent first."""

    INCOMPLETE = "incomplete"
    EXPIRED = "expired"
    RENEWAL_DUE = "renewal_due"
    EXPIRING = "expiring"
    COMPLETE = "complete"


# What a payment needs; the currency has a default.
NEEDED = ("amount", "cardholder_name", "expiry_date", "payment_method")
# A complete payment is in the first of these states whose day comes within so many days from today.
DAYS_AHEAD = (
    (PaymentState.EXPIRED, "expiry_date", -1),
    (PaymentState.RENEWAL_DUE, "next_renewal_date", 30),
    (PaymentState.EXPIRING, "expiry_date", 60),
)


def state_of(payment: Any, today: date) -> str:
    """The state of one row."""
    if any(getattr(payment, name) is None for name in NEEDED):
        return PaymentState.INCOMPLETE.value
    for state, name, days in DAYS_AHEAD:
        day = getattr(payment, name)
        if day is not None and day <= today + timedelta(days=days):
            return state.value
    return PaymentState.COMPLETE.value


def state_in_sql(model: Any, today: date) -> ColumnElement[str]:
    """The same for every row of a statement."""
    return case(
        (or_(*(getattr(model, name).is_(None) for name in NEEDED)), PaymentState.INCOMPLETE.value),
        *(
            (getattr(model, name) <= today + timedelta(days=days), state.value)
            for state, name, days in DAYS_AHEAD
        ),
        else_=PaymentState.COMPLETE.value,
    )


def status_of(payment: Any) -> str:
    """The contract's word for one row."""
    whole = all(getattr(payment, name) is not None for name in NEEDED)
    return (PaymentStatus.COMPLETE if whole else PaymentStatus.INCOMPLETE).value


def status_in_sql(model: Any) -> ColumnElement[str]:
    """The same for every row of a statement."""
    missing = or_(*(getattr(model, name).is_(None) for name in NEEDED))
    return case((missing, PaymentStatus.INCOMPLETE.value), else_=PaymentStatus.COMPLETE.value)
