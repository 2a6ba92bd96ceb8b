"""Facts of payments."""

from dataclasses import dataclass
from datetime import date

from app.payments.history_models import PaymentMade


@dataclass(frozen=True, slots=True)
class PaymentRecorded:
    """Somebody wrote down a payment, or a correction of one."""

    payment: PaymentMade


@dataclass(frozen=True, slots=True)
class PaymentExpiring:
    """A day of a product's payment comes near or has passed. `days_left` is negative once it has.

    `kind` says which day it is: `expiry` of a card, `renewal`, or `cancel_by`, the last day to cancel.
    """

    product_id: int
    kind: str
    day: date
    days_left: int
