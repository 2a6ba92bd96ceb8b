"""The page of reminders as data: payments and tasks that wait for somebody, the soonest first, and what they answered."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from app.foundation import clock
from app.foundation.database import db
from app.foundation.viewer import Viewer
from app.inbox import standing_in
from app.inbox.models import WorkflowTask
from app.inbox.queries import IS_OPEN
from app.inbox.standing_in import StandIns
from app.payments.agenda import Entry
from app.reminders import queries
from app.reminders.items import bundled, detail, item_of, subject
from app.reminders.models import ReminderAnswer
from app.reminders.queries import Answers

SHOWN_AHEAD = 60
MOST_LINES = 200


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that waits: a task, or the day of a payment; of a card all that it pays, as far as it was answered alike."""

    kind: str
    headline: str
    detail: str
    day: date | None
    names: tuple[str, ...] = ()
    task_id: int | None = None
    product_id: int | None = None
    answer: ReminderAnswer | None = None
    is_quiet: bool = False
    # Who is away and would else be told.
    absent: str | None = None

    @property
    def key(self) -> str:
        """A name for the page's own use."""
        return f"task-{self.task_id}" if self.task_id else self.names[0].replace(".", "-")


def lines_for(viewer: Viewer, *, everybodys: bool = False) -> list[Line]:
    """What waits for somebody; for an Admin also what waits for everybody else."""
    today, away = clock.today(), standing_in.on(clock.today())
    furthest = max([SHOWN_AHEAD, *queries.rules().days])
    entries = queries.coming_for(viewer, everybodys=everybodys, days=furthest)
    lines = [*_of_payments(entries, viewer, today, away), *_of_tasks(viewer, today)]
    return sorted(lines, key=lambda one: (one.day or date.max, one.kind, one.headline.lower()))


def _of_payments(entries: Sequence[Entry], viewer: Viewer, today: date, away: StandIns) -> Iterator[Line]:
    answers = queries.answers_to([item_of(one) for one in entries])
    groups: dict[Any, list[Entry]] = {}
    for entry in entries:
        answer = _last(answers, item_of(entry), viewer)
        alike = (answer.until, answer.given_by_name, answer.person_id) if answer else None
        groups.setdefault((alike, _absent(entry, viewer, away)), []).append(entry)
    for (_, absent), some in groups.items():
        for bundle in bundled(some):
            first = bundle[0]
            said = answers.of(item_of(first), viewer.id)
            yield Line(
                first.kind.value,
                subject(bundle, today, whole=viewer.is_admin),
                detail(bundle, whole=viewer.is_admin),
                first.day,
                tuple(str(item_of(one)) for one in bundle),
                product_id=first.things[0].product_id,
                answer=_last(answers, item_of(first), viewer),
                is_quiet=any(queries.as_answer(row).silences(first.day, today) for row in said),
                absent=absent,
            )


def _last(answers: Answers, thing: Any, viewer: Viewer) -> ReminderAnswer | None:
    """One's own answer, else the one for everybody."""
    return max(answers.of(thing, viewer.id), key=lambda row: row.person_id or 0, default=None)


def _absent(entry: Entry, viewer: Viewer, away: StandIns) -> str | None:
    if any(owner.id == viewer.id for owner in entry.owners):
        return None
    return next((owner.name for owner in entry.owners if away.of(owner.id) == viewer.id), None)


def _of_tasks(viewer: Viewer, today: date) -> Iterator[Line]:
    query = select(WorkflowTask.id, WorkflowTask.title, WorkflowTask.due_on)
    rows = db.session.execute(query.where(IS_OPEN, WorkflowTask.assignee_id == viewer.id)).all()
    answers = queries.answers_about([row.id for row in rows])
    for row in rows:
        said = answers.of(row.id, viewer.id)
        quiet = any(queries.as_answer(one).silences(row.due_on, today) for one in said)
        yield Line(
            "task",
            row.title,
            f"{row.due_on:%-d %b %Y}" if row.due_on else "",
            row.due_on,
            task_id=row.id,
            answer=_last(answers, row.id, viewer),
            is_quiet=quiet,
        )
