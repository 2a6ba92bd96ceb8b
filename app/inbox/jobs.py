"""What the inbox does by itself."""

from app.foundation.jobs import job
from app.inbox import absence_operations as absences


@job
def begin_absences() -> str:
    """What is open goes over to who stands in, for those who want that."""
    return f"{absences.begin_absences()} tasks moved"
