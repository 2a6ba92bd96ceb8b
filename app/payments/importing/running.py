"""What both jobs do with the run that they work on."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import select

from app.foundation.actor import acting_as
from app.foundation.database import db
from app.payments.import_models import ImportRun, ImportState


def claimed(run_id: int, state: ImportState) -> ImportRun | None:
    """The run, if it is (still) in this state: a job may be promised twice.

    It is locked so that nobody deletes it meanwhile, and no more: its progress is written by another connection.
    """
    query = select(ImportRun).where(ImportRun.id == run_id, ImportRun.state == state)
    return db.session.scalar(query.with_for_update(read=True, key_share=True))


def is_still(run: ImportRun, state: ImportState) -> bool:
    """Whether nobody discarded it while the job was busy; from now on nobody can."""
    db.session.refresh(run, ["state", "done", "total"], with_for_update=True)
    return run.state == state


@contextmanager
def in_the_name_of(run: ImportRun) -> Iterator[None]:
    """Whoever asked for the import is who changes the register, in the log too."""
    person = run.person
    with acting_as(
        str(person) if person else "PortalOps",
        person_id=person.id if person else None,
        email=person.email if person else None,
    ):
        yield
