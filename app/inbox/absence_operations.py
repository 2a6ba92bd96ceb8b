"""Being away: when, who stands in, and what becomes of the tasks that are open by then."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from app.directory.models import Person
from app.foundation import clock
from app.foundation.actor import acting_as
from app.foundation.database import assign, db
from app.foundation.errors import Forbidden, InvalidInput
from app.foundation.references import visible
from app.foundation.scoping import is_scoped, unscoped
from app.foundation.viewer import current_viewer
from app.inbox import operations as inbox
from app.inbox import queries
from app.inbox.absence_models import Absence

FURTHEST = timedelta(days=730)
FIELDS = ("starts_on", "ends_on", "moves_tasks")


def create_absence(*, starts_on: date, ends_on: date, person_id: int | None = None, **fields: Any) -> Absence:
    """Say that somebody is away: oneself, or for an Admin anybody. InvalidInput for a time that is over or far off."""
    viewer = current_viewer()
    key = person_id or (viewer.id if viewer else None)
    person = visible(Person, key, "person_id")
    if not person.active:
        raise InvalidInput(person_id=f"{person.name} has left the company.")
    _must_be_theirs(person.id)
    absence = Absence(person=person)
    db.session.add(absence)
    return _written(absence, {"starts_on": starts_on, "ends_on": ends_on, **fields})


def change_absence(absence: Absence, **fields: Any) -> Absence:
    """Change when, or who stands in; whose absence it is stays."""
    _must_be_theirs(absence.person_id)
    return _written(absence, fields)


def delete_absence(absence: Absence) -> None:
    """They are here after all. What has gone over to others stays there."""
    _must_be_theirs(absence.person_id)
    db.session.delete(absence)
    db.session.flush()


def take_over(absence: Absence) -> int:
    """Move what is open to whoever stands in, and say how many tasks; also for the substitute to ask for."""
    viewer = current_viewer()
    if not (viewer and viewer.id == absence.substitute_id):
        _must_be_theirs(absence.person_id)
    if not _is_now(absence):
        raise InvalidInput("Tasks move while somebody is away.")
    return _move(absence)


def begin_absences() -> int:
    """Move the tasks of those whose absence has begun and who want that; says how many tasks."""
    today = clock.today()
    with unscoped(), acting_as("PortalOps"):
        begun = select(Absence).where(
            Absence.starts_on <= today,
            Absence.ends_on >= today,
            Absence.moves_tasks,
            Absence.moved_at.is_(None),
        )
        return sum(_move(absence) for absence in db.session.scalars(begun.with_for_update()).all())


def _written(absence: Absence, fields: dict[str, Any]) -> Absence:
    with db.session.no_autoflush:
        if "substitute_id" in fields:
            absence.substitute = _substitute(fields["substitute_id"])
        assign(absence, fields, FIELDS)
        _check_period(absence)
    db.session.flush()
    if absence.moves_tasks and absence.moved_at is None and _is_now(absence):
        _move(absence)
    return absence


def _substitute(key: int | None) -> Person | None:
    if key is None:
        return None
    person = visible(Person, key, "substitute_id")
    if not person.active:
        raise InvalidInput(substitute_id=f"{person.name} has left the company.")
    return person


def _check_period(absence: Absence) -> None:
    today = clock.today()
    if absence.ends_on < absence.starts_on:
        raise InvalidInput(ends_on="The last day can't lie before the first.")
    if absence.ends_on < today:
        raise InvalidInput(ends_on="This time is over.")
    if absence.ends_on > today + FURTHEST:
        raise InvalidInput(ends_on="Choose a day up to two years from now.")


def _is_now(absence: Absence) -> bool:
    return absence.starts_on <= clock.today() <= absence.ends_on


def _must_be_theirs(person_id: int) -> None:
    viewer = current_viewer()
    if is_scoped() and not (viewer and (viewer.is_admin or viewer.id == person_id)):
        raise Forbidden("Only an Admin says when somebody else is away.")


def _move(absence: Absence) -> int:
    """A task that nobody else can do stays where it is."""
    moved = 0
    with unscoped():
        for task in queries.open_tasks_of(absence.person):
            inbox.give_to(task, absence.person)
            if task.on_behalf_of is not None:
                moved += 1
                inbox.add_comment(
                    task,
                    f"{absence.person.name} is away until {absence.ends_on:%-d %B %Y}; "
                    f"the task goes to {task.assignee.name}.",
                )
        absence.moved_at = clock.now()
        db.session.flush()
    return moved
