"""Reads of reminders: the rules, what is coming, what was told of it, what people answered."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ARRAY, Date, Integer, Text, and_, func, literal, select

from app.directory.access import ADMIN
from app.directory.queries import people_with_role
from app.foundation import clock
from app.foundation.database import among, db
from app.foundation.scoping import unscoped
from app.foundation.viewer import Viewer
from app.inbox import standing_in
from app.inbox.standing_in import StandIns
from app.payments import agenda
from app.payments.agenda import Entry
from app.reminders.items import Item, item_of
from app.reminders.models import ProductReminders, ReminderAnswer, ReminderRules, ReminderSent
from app.reminders.thresholds import FURTHEST, Answer


def rules() -> ReminderRules:
    """The company's rules."""
    with unscoped():
        return db.session.scalars(select(ReminderRules)).one()


def own_days() -> dict[int, list[int]]:
    """The thresholds of products that have their own."""
    with unscoped():
        rows = db.session.execute(select(ProductReminders.product_id, ProductReminders.days))
        return {row.product_id: row.days for row in rows}


@dataclass(frozen=True, slots=True)
class Answers:
    """What was answered: to each item, and to each task, by whom it is for (nobody: by all)."""

    rows: Mapping[Any, list[ReminderAnswer]]

    def of(self, thing: Any, person_id: int | None) -> list[ReminderAnswer]:
        """Those that hold for somebody."""
        return [row for row in self.rows.get(thing, ()) if row.person_id in (person_id, None)]


def as_answer(row: ReminderAnswer) -> Answer:
    """What it says."""
    return Answer(row.given_on, row.until)


def _named(model: Any, items: Collection[Item]) -> tuple[Any, Any]:
    """The items as a table, and how rows of the model meet it: three parameters however many there are."""
    columns = list(zip(*items, strict=True)) or [(), (), ()]
    kinds: tuple[Any, ...] = (Integer, Text, Date)
    arrays: list[Any] = [
        literal(list(values), ARRAY(kind)) for values, kind in zip(columns, kinds, strict=True)
    ]
    table = func.unnest(*arrays).table_valued("product_id", "kind", "day").render_derived()
    meets = and_(model.product_id == table.c.product_id, model.kind == table.c.kind, model.day == table.c.day)
    return table, meets


def told(items: Collection[Item]) -> dict[tuple[Item, int | None, date | None], int]:
    """The tightest threshold told of each item, by person and by the delay that it came back from."""
    table, meets = _named(ReminderSent, items)
    row = ReminderSent
    key = (row.product_id, row.kind, row.day, row.person_id, row.after)
    query = select(*key, func.min(row.threshold)).join(table, meets).group_by(*key)
    found = db.session.execute(query)
    return {(Item(*one[:3]), one[3], one[4]): one[5] for one in found}


def answers_to(items: Collection[Item]) -> Answers:
    """Everybody's answers to these items."""
    table, meets = _named(ReminderAnswer, items)
    with unscoped():
        return _by(db.session.scalars(select(ReminderAnswer).join(table, meets)))


def answers_about(task_ids: Collection[int]) -> Answers:
    """The answers about these tasks."""
    with unscoped():
        query = select(ReminderAnswer).where(among(ReminderAnswer.task_id, list(task_ids)))
        return _by(db.session.scalars(query))


def _by(rows: Any) -> Answers:
    found: dict[Any, list[ReminderAnswer]] = defaultdict(list)
    for row in rows:
        found[row.task_id or Item(row.product_id, row.kind, row.day)].append(row)
    return Answers(found)


def coming_for(viewer: Viewer, *, everybodys: bool, days: int = FURTHEST) -> list[Entry]:
    """What is coming for somebody: what they are in charge of or stand in for; for an Admin also everybody's."""
    today = clock.today()
    with unscoped():
        found = agenda.coming(today, today + timedelta(days=days))
    if everybodys and viewer.is_admin:
        return found
    away = standing_in.on(today)
    return [one for one in found if viewer.id in in_charge(one, away) or viewer.id in _owners(one)]


def in_charge(entry: Entry, away: StandIns) -> list[int]:
    """Who acts for an entry today: its administrators, and for each who is away whoever stands in."""
    return away.present(_owners(entry))


def _owners(entry: Entry) -> list[int]:
    return [owner.id for owner in entry.owners]


def admins_in(away: StandIns) -> list[int]:
    """The Admins who are here, or all of them if none is. Nobody becomes an Admin by standing in for one."""
    admins = [person.id for person in people_with_role(ADMIN)]
    return [one for one in admins if not away.is_away(one)] or admins


def visible_items(viewer: Viewer) -> dict[Item, Entry]:
    """Every item that somebody may answer."""
    return {item_of(one): one for one in coming_for(viewer, everybodys=True)}
