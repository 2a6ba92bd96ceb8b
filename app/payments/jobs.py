"""What the payment register does by itself."""

from app.foundation import clock
from app.foundation.jobs import job
from app.payments import operations as payments
from app.payments import queries


@job
def move_renewals_on() -> str:
    """Each payment that renews by itself names its coming renewal; run twice, or after days of rest, it comes out alike."""
    today = clock.today()
    renewed = queries.renewed_by(today)
    for payment in renewed:
        payments.renew_on(payment, today)
    return f"{len(renewed)} renewed"
