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


@job
def raise_due_cases() -> str:
    """Make the tasks of a case urgent on its day."""
    return f"{lifecycle.raise_due_cases()} made urgent"


@job
def ask_back_expired_access() -> str:
    """Have access that is past its last day taken away."""
    opened, withdrawn = lifecycle.ask_back_expired_access()
    return f"{opened} opened, {withdrawn} withdrawn"
