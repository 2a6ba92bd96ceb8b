"""What waits for people: Mondays' list of open tasks, and tasks that have waited too long."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from app.directory.models import Person
from app.foundation import advisory, clock
from app.foundation.actor import acting_as
from app.foundation.database import db
from app.foundation.scoping import unscoped
from app.inbox import standing_in
from app.inbox.models import Level, TaskEscalation, WorkflowTask
from app.inbox.queries import IS_OPEN
from app.inbox.standing_in import StandIns
from app.inventory.queries import administrators_by_service
from app.notifications import operations as notifications
from app.notifications.models import Kind
from app.notifications.operations import Item, Notice
from app.reminders import queries
from app.reminders.messages import cause_of, counted


def tell_of_tasks() -> tuple[int, int]:
    """Each person's open tasks in one message, once a week: how many people, of how many tasks.

    What they acknowledged or put off is left out until it is overdue or the delay ends.
    """
    with unscoped():
        today, rows = clock.today(), _open_tasks()
        answers, away = queries.answers_about([row.id for row in rows]), standing_in.on(today)
        waiting: dict[int, list[Any]] = defaultdict(list)
        for row in rows:
            said = map(queries.as_answer, answers.of(row.id, row.assignee_id))
            if row.active and not any(one.silences(row.due_on, today) for one in said):
                waiting[away.of(row.assignee_id) or row.assignee_id].append(row)
        told = notifications.notify_all([_weekly(key, some, today) for key, some in waiting.items()])
    return len(told), sum(len(waiting[key]) for key in told)


def _open_tasks(*rules: Any) -> Sequence[Any]:
    """The oldest first: by the day they are due, then by when they came."""
    task = WorkflowTask
    columns = (
        task.id,
        task.title,
        task.due_on,
        task.service_id,
        task.assignee_id,
        Person.name,
        Person.active,
    )
    query = select(*columns).join(Person, Person.id == task.assignee_id).where(IS_OPEN, *rules)
    return db.session.execute(query.order_by(task.due_on.nulls_last(), task.id)).all()


def _weekly(person_id: int, rows: Sequence[Any], today: date) -> Notice:
    over = sum(row.due_on is not None and row.due_on < today for row in rows)
    wait = "waits" if len(rows) == 1 else "wait"
    return Notice(
        person_id=person_id,
        kind=Kind.PENDING_TASKS,
        title=f"{counted(len(rows), 'task')} {wait} for you" + (f", {over} overdue" if over else ""),
        items=[
            Item(_line(row, today, absent=row.assignee_id != person_id), f"/inbox/{row.id}") for row in rows
        ],
        href="/inbox/",
        cause=f"pending_tasks:{today - timedelta(days=today.weekday())}",
    )


def _line(row: Any, today: date, *, absent: bool = False) -> str:
    whose = f"For {row.name}, who is away: " if absent else ""
    if row.due_on is None:
        return f"{whose}{row.title}"
    late = (today - row.due_on).days
    return f"{whose}{row.title}: " + (
        f"{counted(late, 'day')} overdue" if late > 0 else f"due {row.due_on:%-d %b %Y}"
    )


def escalate_tasks() -> int:
    """Bring tasks that are overdue too long before their service's administrators, later the Admins: how many tasks.

    Nobody waits for an assignee who is away or has left: such a task goes up on its first day overdue. A task of no
    service, or of one that nobody else administers, goes to the Admins at once. Answers to reminders hold nothing up.
    """
    with unscoped(), acting_as("PortalOps"):
        advisory.take_turns("reminders of tasks")
        today, patience = clock.today(), queries.rules().escalate_after
        rows = _open_tasks(WorkflowTask.due_on < today)
        made, away = _made([row.id for row in rows]), standing_in.on(today)
        deputies = administrators_by_service([row.service_id for row in rows if row.service_id])
        found: dict[Level, list[tuple[Any, list[int]]]] = {Level.SERVICE: [], Level.ADMINS: []}
        for row in rows:
            above = away.present(
                [key for key, _ in deputies.get(row.service_id, ()) if key != row.assignee_id]
            )
            level = _level(row, made.get(row.id, {}), today, patience, away, has_deputies=bool(above))
            if level is not None:
                found[level].append((row, above))
        admins = queries.admins_in(away)
        for level, some in found.items():
            _escalate(
                level,
                [(row, above if level is Level.SERVICE else _others(admins, row)) for row, above in some],
                today,
            )
    return sum(len(some) for some in found.values())


def _made(task_ids: Sequence[int]) -> dict[int, dict[int, date]]:
    """When each of these tasks was brought before whom."""
    found: dict[int, dict[int, date]] = defaultdict(dict)
    columns = (TaskEscalation.task_id, TaskEscalation.level, TaskEscalation.created_at)
    query = select(*columns).where(TaskEscalation.task_id.in_(task_ids))
    for task_id, level, moment in db.session.execute(query):
        found[task_id][level] = clock.local(moment).date()
    return found


def _level(
    row: Any, made: dict[int, date], today: date, patience: int, away: StandIns, *, has_deputies: bool
) -> Level | None:
    if Level.ADMINS in made:
        return None
    if Level.SERVICE in made:
        return Level.ADMINS if (today - made[Level.SERVICE]).days >= patience else None
    left_alone = not row.active or away.is_away(row.assignee_id)
    if (today - row.due_on).days < (1 if left_alone else patience):
        return None
    return Level.SERVICE if has_deputies else Level.ADMINS


def _others(admins: Sequence[int], row: Any) -> list[int]:
    return [one for one in admins if one != row.assignee_id] or list(admins)


def _escalate(level: Level, tasks: Sequence[tuple[Any, list[int]]], today: date) -> None:
    people = {key for _, above in tasks for key in above}
    known = db.session.execute(select(Person.id, Person.name).where(Person.id.in_(people)))
    names = {row.id: row.name for row in known}
    by_person: dict[int, list[Any]] = defaultdict(list)
    for row, above in tasks:
        told = [names[key] for key in above]
        db.session.add(TaskEscalation(task_id=row.id, level=level, told=told, created_at=clock.now()))
        for key in above:
            by_person[key].append(row)
    db.session.flush()
    notifications.notify_all([_brought(level, key, some, today) for key, some in by_person.items()])


def _brought(level: Level, person_id: int, rows: Sequence[Any], today: date) -> Notice:
    lines = [Item(f"{_line(row, today)}, with {row.name}", f"/inbox/{row.id}") for row in rows]
    alone = len(rows) == 1
    return Notice(
        person_id=person_id,
        kind=Kind.ESCALATION,
        title=f"Overdue: {rows[0].title}" if alone else f"{len(rows)} tasks are overdue",
        body=lines[0].text if alone else None,
        href=f"/inbox/{rows[0].id}"
        if alone
        else f"/inbox/?scope={'team' if level is Level.SERVICE else 'all'}",
        cause=cause_of("escalation", (int(level), [row.id for row in rows])),
        items=() if alone else lines,
    )
