"""The log looks at itself each night, and writes down what it found: `/metrics` and the page of the log tell it."""

import logging

from sqlalchemy import select

from app.audit import chain, heads
from app.audit.events import LogBroken
from app.audit.models import AuditCheck
from app.foundation import events
from app.foundation.database import db

log = logging.getLogger(__name__)


def check() -> AuditCheck:
    """Verify every link and every exported head, and keep the result. A fault is no failure of the job: it has done its work."""
    verdict = chain.verify()
    found = AuditCheck(entries=verdict.entries, fault=_fault(verdict))
    db.session.add(found)
    db.session.flush()
    if found.fault:
        log.critical("the audit log was tampered with", extra={"fault": found.fault})
        events.publish(LogBroken(found))
    return found


def last_check() -> AuditCheck | None:
    """The newest one."""
    return db.session.scalar(select(AuditCheck).order_by(AuditCheck.id.desc()).limit(1))


def _fault(verdict: chain.Verdict) -> str | None:
    if not verdict.is_sound:
        return f"entry {verdict.bad_id} of {verdict.entries}: {verdict.fault}"
    try:
        heads.check()
    except heads.BrokenHeads as fault:
        return str(fault)
    return None
