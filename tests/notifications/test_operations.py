"""A notice is left once for one cause, however many are left at a time."""

from sqlalchemy import func, select

from app.foundation.database import db
from app.notifications import operations as notifications
from app.notifications.models import Kind, Notification
from app.notifications.operations import Notice


def notice(person_id: int, cause: str | None) -> Notice:
    return Notice(person_id=person_id, kind=Kind.PAYMENTS, title="A card expires", cause=cause)


def count() -> int:
    return db.session.scalar(select(func.count()).select_from(Notification))


def test_cause_tells_a_person_once(context, world):
    alice, bob = world.people["alice"], world.people["bob"]
    before = count()
    assert sorted(notifications.notify_all([notice(alice, "card:1:30"), notice(bob, "card:1:30")])) == sorted(
        [alice, bob]
    )
    assert notifications.notify_all([notice(alice, "card:1:30"), notice(alice, "card:1:14")]) == [alice]
    assert count() == before + 3


def test_notice_without_a_cause_is_left_each_time(context, world):
    before = count()
    notifications.notify_all([notice(world.people["alice"], None)] * 2)
    assert count() == before + 2


def test_thousands_take_a_few_statements(context, world, statements):
    keys = list(world.people.values())
    with statements() as seen:
        told = notifications.notify_all([notice(keys[n % len(keys)], f"card:{n}:30") for n in range(5000)])
    assert len(told) == 5000
    assert len(seen) <= 15
