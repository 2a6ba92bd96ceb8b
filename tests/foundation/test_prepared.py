"""What was compiled once answers as a session would, for whoever asks and with whatever values."""

from dataclasses import replace

import pytest
from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects.postgresql import array

from app.directory.models import Department, Person
from app.foundation import prepared
from app.foundation.database import among, db
from app.foundation.scoping import unscoped
from app.foundation.viewer import viewing_as
from app.inbox.models import WorkflowTask
from app.inventory.models import PermissionAssignment, Product, Service
from tests import cast

LISTS = (
    select(Service.id, Service.name).order_by(Service.id),
    select(Product.id, Service.name).join(Product.service).order_by(Product.id),
    select(Person.id, Department.name).outerjoin(Person.department).order_by(Person.id),
    select(PermissionAssignment.id, PermissionAssignment.created_at).order_by(PermissionAssignment.id),
    select(WorkflowTask.id, WorkflowTask.details).order_by(WorkflowTask.id),
    select(array([select(func.count(Product.id)).scalar_subquery()])),
)


def seen(query, **values):
    return [tuple(row) for row in prepared.rows(query, **values)]


@pytest.mark.parametrize("query", LISTS, ids=str)
def test_everybody_sees_what_a_session_shows_them(context, viewer_of, query):
    for name in cast.NAMES * 2:
        with viewing_as(viewer_of(name)):
            assert seen(query) == [tuple(row) for row in db.session.execute(query)]
            with unscoped():
                assert seen(query) == [tuple(row) for row in db.session.execute(query)]


def test_two_with_the_same_roles_share_a_statement_and_no_row(context, viewer_of):
    people = select(Person.id).order_by(Person.id)
    compiled = context.extensions.setdefault("prepared", {})
    compiled.clear()
    for name in ("bob", "charlie", "bob"):
        viewer = replace(viewer_of(name), roles=frozenset())
        with viewing_as(viewer):
            assert seen(people) == [(viewer.id,)]
    assert len(compiled) == 1


def test_values_are_those_of_each_question(context):
    def named(*names):
        return select(Department.name).where(Department.name.in_(names)).order_by(Department.name)

    known = db.session.scalars(select(Department.name).order_by(Department.name)).all()
    for names in (known[:1], known[:2], [], known[1:2]):
        assert [row[0] for row in prepared.rows(named(*names))] == sorted(names)
    ids = db.session.scalars(select(Person.id).order_by(Person.id)).all()
    query = (
        select(Person.id).where(among(Person.id, "ids"), Person.id > bindparam("above")).order_by(Person.id)
    )
    for above in (0, ids[0]):
        assert [row[0] for row in prepared.rows(query, ids=ids[:3], above=above)] == [
            one for one in ids[:3] if one > above
        ]


def test_what_was_not_written_yet_is_written_first(context):
    department = Department(name="Just made")
    db.session.add(department)
    named = select(func.count()).where(Department.name == "Just made")
    assert seen(named) == [(1,)]
    db.session.rollback()
    assert seen(named) == [(0,)]
