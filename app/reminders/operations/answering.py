"""What people answer to reminders: acknowledged, later, or remind me again."""

from collections.abc import Collection
from datetime import date, timedelta

from sqlalchemy import select

from app.foundation import clock
from app.foundation.actor import current_actor
from app.foundation.database import db
from app.foundation.errors import Conflict, Forbidden, InvalidInput, NotFound
from app.foundation.references import find
from app.foundation.scoping import unscoped
from app.foundation.viewer import Viewer, current_viewer
from app.inbox.models import WorkflowTask
from app.reminders import queries
from app.reminders.items import Item, item_named
from app.reminders.models import ReminderAnswer
from app.reminders.thresholds import FURTHEST

MOST_AT_ONCE = 500
GONE = "This reminder is gone: the day has moved, or you may not see it."


def answer_items(
    names: Collection[str], *, until: date | None, for_all: bool = False
) -> list[ReminderAnswer]:
    """Acknowledge days of payments, or put them off until a day; for oneself, or for everybody.

    NotFound for a name of nothing that the viewer may see; InvalidInput for a day that is no delay.
    """
    items = _items(names)
    for item in items:
        _check_delay(until, due=item.day)
    person_id = None if for_all else _viewer().id
    rows = {(row.product_id, row.kind, row.day): row for row in _rows(items, person_id)}
    answers = [
        rows.get(item) or ReminderAnswer(**item._asdict(), person_id=person_id, given_by_name="")
        for item in items
    ]
    return _given(answers, until)


def withdraw_items(names: Collection[str], *, for_all: bool = False) -> None:
    """Be reminded again."""
    for row in _rows(_items(names), None if for_all else _viewer().id):
        db.session.delete(row)
    db.session.flush()


def answer_task(task: WorkflowTask, *, until: date | None) -> ReminderAnswer:
    """Acknowledge an open task of one's own, or put it off: Mondays' reminder leaves it out. Escalation does not."""
    viewer = _viewer()
    _check_assignee(task, viewer)
    if until is None and task.due_on is None:
        raise InvalidInput(until="It has no due date. Choose a day on which you want to be reminded.")
    _check_delay(until, due=task.due_on)
    row = _task_row(task, viewer) or ReminderAnswer(task=task, person_id=viewer.id, given_by_name="")
    return _given([row], until)[0]


def withdraw_task(task: WorkflowTask) -> None:
    """Be reminded of it again."""
    viewer = _viewer()
    _check_assignee(task, viewer)
    row = _task_row(task, viewer)
    if row is not None:
        db.session.delete(row)
        db.session.flush()


def task_to_answer(key: object) -> WorkflowTask:
    """The task with this key; NotFound if the viewer may not see it."""
    task = find(WorkflowTask, key)
    if task is None:
        raise NotFound("There is no such task, or you may not see it.")
    return task


def _viewer() -> Viewer:
    viewer = current_viewer()
    if viewer is None or viewer.id is None:
        raise Forbidden("Your account has no entry in the directory yet. Ask an Admin.")
    return viewer


def _items(names: Collection[str]) -> list[Item]:
    if not names:
        raise InvalidInput(item="Choose what to answer.")
    if len(names) > MOST_AT_ONCE:
        raise InvalidInput(item=f"At most {MOST_AT_ONCE} at once.")
    seen = queries.visible_items(_viewer())
    items = [item_named(name) for name in dict.fromkeys(names)]
    found = [item for item in items if item is not None and item in seen]
    if len(found) < len(items):
        raise NotFound(GONE)
    return found


def _check_delay(until: date | None, *, due: date | None) -> None:
    """A delay ends after today, and before something is due that is not due yet: nothing may be forgotten."""
    if until is None:
        return
    today = clock.today()
    if until <= today:
        raise InvalidInput(until="Choose a day after today.")
    if due is not None and due > today and until > due:
        raise InvalidInput(until=f"It is due on {due:%-d %b %Y}. Choose a day up to then.")
    if until > today + timedelta(days=FURTHEST):
        raise InvalidInput(until="Choose a day up to a year from now.")


def _check_assignee(task: WorkflowTask, viewer: Viewer) -> None:
    if task.assignee_id != viewer.id:
        raise Forbidden("Only whoever has the task answers its reminders.")
    if task.is_finished:
        raise Conflict("This task is finished.")


def _rows(items: Collection[Item], person_id: int | None) -> list[ReminderAnswer]:
    answers = queries.answers_to(items)
    return [row for item in items for row in answers.rows.get(item, ()) if row.person_id == person_id]


def _task_row(task: WorkflowTask, viewer: Viewer) -> ReminderAnswer | None:
    mine = select(ReminderAnswer).where(
        ReminderAnswer.task_id == task.id, ReminderAnswer.person_id == viewer.id
    )
    return db.session.scalar(mine)


def _given(answers: list[ReminderAnswer], until: date | None) -> list[ReminderAnswer]:
    actor = current_actor()
    with unscoped():
        for row in answers:
            row.until, row.given_on = until, clock.today()
            row.given_by_id, row.given_by_name = actor.id, actor.name
            db.session.add(row)
        db.session.flush()
    return answers
