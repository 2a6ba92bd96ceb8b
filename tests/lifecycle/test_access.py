"""Announcements and templates are for Admins; a joiner sees their own case, a leaver does not see theirs."""

from datetime import date

import pytest
from sqlalchemy import select

from app.foundation.database import db
from app.lifecycle.models import AccessTemplate, EventKind, HrEvent, LifecycleCase
from tests.access import everything, seen_by


@pytest.fixture
def cases(context, world) -> None:
    """A joiner's and a leaver's case of two people, and an announcement for each."""
    for person in ("charlie", "dora"):
        for kind in EventKind:
            case = LifecycleCase(kind=kind, person_id=world.people[person], effective_on=date(2031, 1, 1))
            db.session.add(case)
            db.session.flush()
            event = HrEvent(source="hr", kind=kind, content_key=f"{person} {kind}", body_hash="", payload={})
            event.person_id, event.case_id = case.person_id, case.id
            db.session.add(event)
    db.session.commit()


def test_joiner_sees_their_own_case_only(cases, viewer_of, world):
    seen = seen_by(viewer_of("charlie"), LifecycleCase, LifecycleCase.id)
    [case] = db.session.scalars(select(LifecycleCase).where(LifecycleCase.id.in_(seen)))
    assert (case.person_id, case.kind) == (world.people["charlie"], EventKind.ONBOARDING)


@pytest.mark.parametrize("name", ["alice", "bob"])
def test_administrator_of_things_sees_no_case_of_others(cases, viewer_of, name):
    assert seen_by(viewer_of(name), LifecycleCase, LifecycleCase.id) == set()


@pytest.mark.parametrize("name", ["alice", "bob", "charlie"])
def test_announcements_and_templates_are_for_admins(cases, viewer_of, name):
    assert seen_by(viewer_of(name), HrEvent, HrEvent.id) == set()
    assert seen_by(viewer_of(name), AccessTemplate, AccessTemplate.name) == set()


def test_admin_sees_all_of_it(cases, viewer_of):
    root = viewer_of("root")
    assert len(seen_by(root, LifecycleCase, LifecycleCase.id)) == len(everything(LifecycleCase.id)) == 4
    assert len(seen_by(root, HrEvent, HrEvent.id)) == 4
    assert seen_by(root, AccessTemplate, AccessTemplate.name) == {"Engineers"}
