"""What the audit log does by itself."""

from app.audit import heads
from app.foundation.jobs import job


@job
def export_head() -> str:
    """Write down where the log ends."""
    return heads.export()
