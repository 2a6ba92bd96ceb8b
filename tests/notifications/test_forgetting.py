"""Notices that were read long ago go; what nobody read stays."""

from datetime import timedelta

from sqlalchemy import select

from app.directory.models import Person
from app.foundation import clock, jobs
from app.foundation.database import db
from app.notifications import operations as notifications
from app.notifications.models import Notification


def test_only_what_was_read_long_ago_is_forgotten(world, context):
    charlie = db.session.get(Person, world.people["charlie"])
    for title, read_days_ago in (("unread", None), ("read lately", 399), ("read long ago", 401)):
        notifications.notify(charlie, title)
        notice = db.session.scalars(select(Notification).filter_by(title=title)).one()
        notice.created_at = clock.now() - timedelta(days=900)
        notice.read_at = None if read_days_ago is None else clock.now() - timedelta(days=read_days_ago)
    db.session.commit()
    assert jobs.resolve("app.notifications.jobs.forget_read_notices")() == "1 notices and 0 messages deleted"
    assert sorted(db.session.scalars(select(Notification.title))) == ["read lately", "unread"]
