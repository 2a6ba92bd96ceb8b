"""Who is away, what people answered to reminders, and the notices of a morning's check."""

from datetime import date, timedelta

from sqlalchemy import select

from app.demo_company.company import CAST, is_cast, seeded
from app.directory.models import Person
from app.foundation import clock
from app.foundation.database import db
from app.inbox.absence_models import Absence
from app.inventory.models import PermissionAssignment
from app.payments import agenda
from app.payments.agenda import Kind
from app.reminders import operations as reminders
from app.reminders.items import item_of
from app.reminders.models import ProductReminders, ReminderAnswer

AHEAD = timedelta(days=60)
EARLY = [180, 90, 60, 30, 14, 7, 1]


def tell(people: list[Person]) -> None:
    """Alice stands in for a colleague who is away now, and soon for Bob; the check of this morning has run."""
    cast = {person.name: person for person in people if is_cast(person)}
    alice, bob = (cast[CAST[name][0]] for name in ("Alice", "Bob"))
    today = clock.today()
    colleague = db.session.scalars(
        select(Person)
        .join(PermissionAssignment, PermissionAssignment.person_id == Person.id)
        .where(
            Person.active, Person.account_id.is_not(None), Person.id.not_in([one.id for one in cast.values()])
        )
        .order_by(Person.id)
        .limit(1)
    ).first()
    for person, first, last in ((colleague, -2, 5), (bob, 9, 18)):
        if person is not None:
            starts, ends = today + timedelta(days=first), today + timedelta(days=last)
            db.session.add(
                Absence(person=person, substitute=alice, starts_on=starts, ends_on=ends, moves_tasks=False)
            )
    db.session.flush()
    reminders.tell_of_payments()
    _answer(alice, today)


def _answer(alice: Person, today: date) -> None:
    """Some of what is coming was acknowledged or put off; a product whose contract is long has days of its own."""
    chance = seeded("answers")
    coming = [one for one in agenda.coming(today, today + AHEAD) if one.day > today + timedelta(days=10)]
    for number, entry in enumerate(chance.sample(coming, min(6, len(coming)))):
        until = None if number % 2 else today + timedelta(days=chance.randrange(3, 9))
        item = item_of(entry)
        db.session.add(
            ReminderAnswer(
                **item._asdict(),
                person_id=None if number % 3 else alice.id,
                until=until,
                given_on=today,
                given_by_id=alice.id,
                given_by_name=alice.name,
            )
        )
    yearly = next((one for one in coming if one.kind is Kind.RENEWAL and one.frequency == "yearly"), None)
    if yearly is not None:
        db.session.add(ProductReminders(product_id=yearly.things[0].product_id, days=EARLY))
    db.session.flush()
