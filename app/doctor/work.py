"""Background work: what waits too long, what was given up, and which periodic job did not run."""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import func, select

from app.doctor.findings import Finding, check, fault, ok, warning
from app.foundation import clock, scheduling
from app.foundation.database import db
from app.foundation.outbox import OutboxMessage, OutboxState
from app.foundation.scheduling import JobState
from app.foundation.ticking import RunState

LATE, VERY_LATE = timedelta(minutes=5), timedelta(hours=1)


@check("Waiting work", after="Migrations")
def waiting() -> Iterator[Finding]:
    """The oldest promise that nobody has begun, counted from when it was due first."""
    never_begun = (OutboxMessage.state == OutboxState.WAITING) & (OutboxMessage.begun == 0)
    due = never_begun & (OutboxMessage.due_at <= clock.now() + timedelta(minutes=1))
    oldest, count = db.session.execute(
        select(func.min(OutboxMessage.created_at), func.count()).where(due)
    ).one()
    age = clock.now() - oldest if oldest else timedelta()
    if age <= LATE:
        yield ok(f"{count} pieces of work wait, none for more than {LATE.seconds // 60} minutes.")
        return
    words = f"{count} pieces of work wait, the oldest for {age.total_seconds() / 60:.0f} minutes."
    mend = "Look at Redis, the workers and the scheduler above; start more workers if all are busy."
    yield (fault if age > VERY_LATE else warning)(words, mend)


@check("Dead letters", after="Migrations")
def dead() -> Iterator[Finding]:
    """What failed ten times."""
    count = scheduling.troubles().dead_letters
    if count:
        yield warning(
            f"{count} pieces of work were given up after ten attempts.",
            "As an Admin open Background work: it shows why, and tries again.",
        )
    else:
        yield ok("No work was given up.")


@check("Periodic jobs", after="Migrations")
def periodic() -> Iterator[Finding]:
    """Each job's last slot."""
    found = scheduling.statuses()
    late = [status.periodic.name for status in found if status.state is JobState.LATE]
    if late:
        words = f"{len(late)} of {len(found)} jobs should have run and did not, such as “{late[0]}”."
        yield fault(words, "Look at the scheduler and the workers above.")
    where = "As an Admin open Schedule."
    for status in found:
        name = status.periodic.name
        if status.state is JobState.LATE:
            yield fault(
                f"“{name}” should have run and did not.", "Look at the scheduler and the workers above."
            )
        elif status.last and status.last.state == RunState.FAILED:
            error = (status.last.error or "no reason was kept").splitlines()[0]
            yield fault(f"“{name}” failed: {error}", f"{where} It shows every run, and runs it again.")
        elif status.pause:
            yield warning(f"“{name}” is paused by {status.pause.paused_by}.", f"{where} It resumes it.")
    if all(status.state not in {JobState.LATE, JobState.FAILED} for status in found):
        yield ok(f"{len(found)} jobs, none late and none failing.")
