"""What state a payment is in: the one rule, as Python works it out for a row and PostgreSQL for a table."""

from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, case, not_


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


def is_complete(payment: Any) -> bool:
    """Whether one row has all of it."""
    return all(getattr(payment, name) is not None for name in NEEDED)


def is_complete_in_sql(model: Any) -> ColumnElement[bool]:
    """The same for every row of a statement. The index of the register has these words."""
    return and_(*(getattr(model, name).is_not(None) for name in NEEDED))


def state_of(payment: Any, today: date) -> str:
    """The state of one row."""
    if not is_complete(payment):
        return PaymentState.INCOMPLETE.value
    for state, name, days in DAYS_AHEAD:
        day = getattr(payment, name)
        if day is not None and day <= today + timedelta(days=days):
            return state.value
    return PaymentState.COMPLETE.value


def state_in_sql(model: Any, today: date) -> ColumnElement[str]:
    """The same for every row of a statement."""
    return case(
        (not_(is_complete_in_sql(model)), PaymentState.INCOMPLETE.value),
        *(
            (getattr(model, name) <= today + timedelta(days=days), state.value)
            for state, name, days in DAYS_AHEAD
        ),
        else_=PaymentState.COMPLETE.value,
    )


def status_of(payment: Any) -> str:
    """The contract's word for one row."""
    return (PaymentStatus.COMPLETE if is_complete(payment) else PaymentStatus.INCOMPLETE).value


def status_in_sql(model: Any) -> ColumnElement[str]:
    """The same for every row of a statement."""
    return case(
        (is_complete_in_sql(model), PaymentStatus.COMPLETE.value), else_=PaymentStatus.INCOMPLETE.value
    )
