"""A transaction inside another is part of it."""

import pytest
from sqlalchemy import func, select

from app.audit.models import AuditEntry
from app.directory import operations as directory
from app.directory.models import Department
from app.foundation import outbox
from app.foundation.database import db
from app.foundation.errors import Conflict
from app.foundation.transactions import transaction


@pytest.fixture
def offered(monkeypatch, context):
    """What was handed to Redis."""
    seen = []
    monkeypatch.setattr(outbox, "offer", seen.extend)
    return seen


def names() -> set[str]:
    db.session.rollback()
    return set(db.session.scalars(select(Department.name)))


def logged(name: str) -> int:
    query = select(func.count()).where(
        AuditEntry.target_label == name, AuditEntry.action == "department.create"
    )
    return db.session.scalar(query)


def make(name: str) -> None:
    with transaction():
        directory.create_department(name=name)
        outbox.enqueue("app.directory.jobs.prune_sign_in_limits")


def make_and_fail(*names: str) -> None:
    with transaction():
        for name in names:
            make(name)
        raise Conflict("No.")


def test_outermost_commits_for_all(offered):
    with transaction():
        make("Inner one")
        assert offered == []
        make("Inner two")
        assert offered == []
    assert len(offered) == 2
    assert names() >= {"Inner one", "Inner two"}
    assert (logged("Inner one"), logged("Inner two")) == (1, 1)


def test_failure_after_the_inner_one_undoes_it(offered):
    with pytest.raises(Conflict):
        make_and_fail("Undone")
    assert "Undone" not in names()
    assert (logged("Undone"), offered) == (0, [])


def test_failure_of_the_inner_one_undoes_the_outer(offered):
    with pytest.raises(Conflict), transaction():
        make_and_fail("Outer", "Inner")
    assert names().isdisjoint({"Outer", "Inner"})
    make("Afterwards")
    assert "Afterwards" in names()
    assert (logged("Outer"), logged("Inner"), logged("Afterwards"), len(offered)) == (0, 0, 1, 1)


def test_inner_one_shows_what_the_database_holds(context):
    with transaction():
        with transaction():
            department = directory.create_department(name="Read anew")
        assert "name" in db.inspect(department).unloaded
        assert department.name == "Read anew"
