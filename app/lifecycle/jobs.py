"""Jobs of the lifecycle."""

from app.foundation.jobs import job
from app.lifecycle import operations as lifecycle


@job
def plan_case(event_id: int) -> None:
    """Plan the case of one announcement."""
    lifecycle.plan_case(event_id)


@job
def leave_on_last_days() -> str:
    """Sign out whose last day has come."""
    return f"{lifecycle.leave_on_last_days()} signed out"
