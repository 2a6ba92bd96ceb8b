"""A notice is for one person and nobody else, Admins included."""

import pytest
from sqlalchemy import select

from app.directory.models import Person
from app.foundation.database import db
from app.foundation.viewer import viewing_as
from app.notifications import operations as notifications
from app.notifications.models import Notification
from tests.access import seen_by

NAMES = ("root", "alice", "charlie", "dora")


@pytest.fixture
def notices(context, world) -> None:
    for name in NAMES:
        notifications.notify(db.session.get(Person, world.people[name]), f"To {name}")
    db.session.commit()


@pytest.mark.parametrize("name", ["root", "alice", "charlie"])
def test_notice_is_seen_by_whom_it_is_for(notices, viewer_of, name):
    assert seen_by(viewer_of(name), Notification, Notification.title) == {f"To {name}"}


def test_nobody_sees_others_notices(notices, viewer_of):
    assert seen_by(viewer_of("bob"), Notification, Notification.title) == set()


def test_reading_all_reads_ones_own(notices, viewer_of, world):
    with viewing_as(viewer_of("root")):
        for key in world.people.values():
            notifications.mark_all_read(key)
        db.session.commit()
    read = db.session.scalars(select(Notification.title).where(Notification.read_at.is_not(None)))
    assert set(read) == {"To root"}


@pytest.mark.parametrize("name", ["root", "alice"])
def test_notice_of_somebody_else_cannot_be_opened(notices, visit, name):
    key = db.session.scalars(select(Notification.id).where(Notification.title == "To charlie")).one()
    visitor = visit(name)
    assert visitor.post(f"/notices/{key}/open").status_code == 404
    assert visitor.api("GET", f"notifications/{key}").status_code == 404
    db.session.expire_all()
    assert db.session.get(Notification, key).read_at is None
