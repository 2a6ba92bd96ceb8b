"""The payment expiry check: whoever is in charge of a payment, and the Admins, hear of each day that comes near."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy.dialects.postgresql import insert

from app.foundation import advisory, clock, events
from app.foundation.database import db
from app.foundation.scoping import unscoped
from app.inbox import standing_in
from app.notifications import operations as notifications
from app.notifications.models import Kind
from app.notifications.operations import Item as Line
from app.notifications.operations import Notice
from app.payments import agenda
from app.payments.agenda import Entry
from app.payments.events import PaymentExpiring
from app.reminders import queries
from app.reminders.items import Item, bundled, detail, headline, item_of
from app.reminders.messages import cause_of
from app.reminders.models import ReminderSent
from app.reminders.thresholds import NOT_TOLD, due


class Telling(NamedTuple):
    """One thing to tell one person, or other systems if there is none."""

    item: Item
    person_id: int | None
    after: date | None
    threshold: int


def tell_of_payments() -> tuple[int, int]:
    """Tell of every threshold that has passed and was not told yet: how many people, of how many items."""
    with unscoped():
        # The second check sees what the first told.
        advisory.take_turns("reminders of payments")
        today, rules, own = clock.today(), queries.rules(), queries.own_days()
        furthest = max((day for days in (rules.days, *own.values()) for day in days), default=0)
        entries = {item_of(one): one for one in agenda.coming(today, today + timedelta(days=furthest))}
        away = standing_in.on(today)
        admins = queries.admins_in(away)
        people = {item: {*queries.in_charge(one, away), *admins} for item, one in entries.items()}
        days = {item: own.get(item.product_id, rules.days) for item in entries}
        new = _note(sorted(_due(days, people, today), key=_order))
        _notify(new, entries, admins, today)
        for one in new:
            if one.person_id is None:
                events.publish(PaymentExpiring(*one.item, days_left=(one.item.day - today).days))
    return len({one.person_id for one in new} - {None}), len({one.item for one in new})


def _due(days: dict[Item, list[int]], people: dict[Item, set[int]], today: date) -> Iterator[Telling]:
    told, answers = queries.told(days), queries.answers_to(days)
    for item, thresholds in days.items():
        left = (item.day - today).days
        for person_id in (*people[item], None):
            said = [queries.as_answer(row) for row in answers.of(item, person_id)] if person_id else []
            if any(one.silences(item.day, today) for one in said):
                continue
            after = max((end for one in said if (end := one.ended_by(today))), default=None)
            threshold = due(left, thresholds, told.get((item, person_id, after), NOT_TOLD))
            if threshold is not None:
                yield Telling(item, person_id, after, threshold)


def _order(one: Telling) -> tuple[Item, int]:
    return one.item, one.person_id or 0


def _note(tellings: Sequence[Telling]) -> list[Telling]:
    """Keep what is told; those that nobody else kept before."""
    if not tellings:
        return []
    row = ReminderSent
    statement = (
        insert(row)
        .on_conflict_do_nothing()
        .returning(row.product_id, row.kind, row.day, row.person_id, row.after, row.threshold)
    )
    kept = db.session.execute(
        statement,
        [
            {**one.item._asdict(), "person_id": one.person_id, "after": one.after, "threshold": one.threshold}
            for one in tellings
        ],
        # Else each change from a row with a NULL to one without is a statement of its own.
        execution_options={"render_nulls": True},
    )
    return [Telling(Item(*one[:3]), *one[3:]) for one in kept]


def _notify(new: Sequence[Telling], entries: dict[Item, Entry], admins: Collection[int], today: date) -> None:
    place = {item: number for number, item in enumerate(entries)}
    by_person: dict[int, list[Telling]] = defaultdict(list)
    for one in sorted(new, key=lambda one: place[one.item]):
        if one.person_id is not None:
            by_person[one.person_id].append(one)
    notifications.notify_all(
        [
            _notice(some, [entries[one.item] for one in some], today, is_admin=person_id in admins)
            for person_id, some in sorted(by_person.items())
        ]
    )


def _notice(tellings: Sequence[Telling], entries: Sequence[Entry], today: date, *, is_admin: bool) -> Notice:
    """One message with all of it. What is paid is for those to read who may read payments: surely the Admins."""
    bundles = bundled(entries)
    said = [(headline(one, today, whole=is_admin), detail(one, whole=is_admin)) for one in bundles]
    over = sum(one[0].day < today for one in bundles)
    title = f"{len(said)} payments need a look" + (f", {over} of them overdue" if over else "")
    title, body = said[0] if len(said) == 1 else (title, None)
    page = "/reminders/?whose=all" if is_admin else "/reminders/"
    told = sorted((*one.item, one.threshold, str(one.after)) for one in tellings)
    return Notice(
        person_id=tellings[0].person_id or 0,
        kind=Kind.PAYMENTS,
        title=title,
        body=body,
        href=page,
        cause=cause_of("payments", told),
        items=[Line(f"{line}: {more}", page) for line, more in said] if len(said) > 1 else (),
    )
