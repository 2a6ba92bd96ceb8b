"""Facts of the audit log."""

from dataclasses import dataclass

from app.audit.models import AuditCheck


@dataclass(frozen=True, slots=True)
class LogBroken:
    """A verification found that the log is not what was written."""

    check: AuditCheck
