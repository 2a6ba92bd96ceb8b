"""What the payment register does by itself."""

from app.foundation import clock
from app.foundation.jobs import job
from app.payments import importing, queries
from app.payments import operations as payments


@job
def move_renewals_on() -> str:
    """Each payment that renews by itself names its coming renewal; run twice, or after days of rest, it comes out alike."""
    today = clock.today()
    renewed = queries.renewed_by(today)
    for payment in renewed:
        payments.renew_on(payment, today)
    return f"{len(renewed)} renewed"


@job
def check_import(run_id: int) -> None:
    """The dry run of an import."""
    importing.check(run_id)


@job
def run_import(run_id: int) -> None:
    """The import itself."""
    importing.run_import(run_id)


@job
def prune_imports() -> str:
    """Files that were uploaded and never imported go after a week."""
    return f"{importing.prune()} files deleted"
