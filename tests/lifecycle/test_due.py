"""What becomes due by itself: access past its last day is asked back, and a case's day makes its tasks urgent."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.foundation import clock, jobs
from app.foundation.database import db
from app.foundation.transactions import transaction
from app.foundation.viewer import viewing_as
from app.inbox import operations as inbox
from app.inbox.models import Priority, TaskStatus, WorkflowTask
from app.inventory import operations as inventory
from app.inventory.models import AccessGrant
from app.lifecycle import operations as lifecycle

START = clock.now()


@pytest.fixture
def later(monkeypatch):
    """Turn the calendar to that many days from now."""

    def turn(days: int) -> None:
        monkeypatch.setattr(clock, "now", lambda: START + timedelta(days=days))

    return turn


@pytest.fixture
def grant(world, context, later):
    """Charlie's access to Gmail, which alice administers, until in ten days."""
    with transaction():
        row = db.session.scalars(
            select(AccessGrant).filter_by(
                person_id=world.people["charlie"], product_id=world.products["Gmail"]
            )
        ).one()
        inventory.change_grant(row, valid_until=clock.today() + timedelta(days=10))
    return row


def ask() -> tuple[int, int]:
    with transaction():
        return lifecycle.ask_back_expired_access()


def tasks() -> list[WorkflowTask]:
    db.session.expire_all()
    return list(db.session.scalars(select(WorkflowTask).order_by(WorkflowTask.id)))


def extend(grant: AccessGrant, days: int | None) -> None:
    with transaction():
        until = None if days is None else START.date() + timedelta(days=days)
        inventory.change_grant(grant, valid_until=until)


def test_last_day_itself_is_still_fine_and_the_next_one_makes_a_task(grant, world, later):
    later(10)
    assert ask() == (0, 0)
    later(11)
    assert ask() == (1, 0)
    [task] = tasks()
    assert task.title == "Remove Charlie's access to Gmail"
    assert (task.assignee_id, task.target_id) == (world.people["alice"], world.people["charlie"])
    assert (task.type, task.priority, task.due_on) == ("access", Priority.HIGH, clock.today())
    assert ask() == (0, 0)
    later(300)
    assert ask() == (0, 0)


def test_completing_the_task_ends_the_access(grant, later, viewer_of):
    later(11)
    ask()
    with transaction(), viewing_as(viewer_of("alice")):
        inbox.work_on(tasks()[0], status=TaskStatus.COMPLETED, comment="Removed.")
    db.session.expire_all()
    assert grant.state == "ended"
    assert ask() == (0, 0)


@pytest.mark.parametrize(
    ("days", "why"), [(90, "The access lasts until"), (None, "has no last day any more")]
)
def test_extended_access_withdraws_the_task_and_expires_again_with_a_new_one(grant, later, days, why):
    later(11)
    ask()
    extend(grant, days)
    assert ask() == (0, 1)
    [task] = tasks()
    assert task.status == TaskStatus.CANCELLED
    assert why in task.comments[-1].content
    later(91)
    assert ask() == (1 if days else 0, 0)


def test_access_ended_by_hand_withdraws_the_task(grant, later):
    later(11)
    ask()
    with transaction():
        inventory.end_grant(grant)
    assert ask() == (0, 1)
    assert tasks()[0].comments[-1].content == "The access has ended already."


def test_cancelled_task_is_not_opened_again_for_the_same_day(grant, later, viewer_of):
    """Whoever cancels it has decided; another last day is another question."""
    later(11)
    ask()
    with transaction(), viewing_as(viewer_of("alice")):
        inbox.work_on(tasks()[0], status=TaskStatus.CANCELLED, comment="They stay a while.")
    later(12)
    assert ask() == (0, 0)
    extend(grant, 20)
    later(21)
    assert ask() == (1, 0)


def test_leavers_case_that_asks_already_is_enough(grant, hr, run_jobs, later):
    hr("offboarding", email="charlie@example.com")
    run_jobs()
    before = len(tasks())
    later(11)
    assert ask() == (0, 0)
    assert len(tasks()) == before


def test_nobody_is_asked_to_take_their_own_access(world, context, later):
    with transaction():
        inventory.grant_access(
            person_id=world.people["bob"],
            product_id=world.products["Slack Business"],
            valid_until=clock.today(),
        )
    later(1)
    assert ask() == (1, 0)
    assert tasks()[0].assignee_id != world.people["bob"]


def test_case_becomes_urgent_on_its_day(hr, run_jobs, context, later):
    start = (clock.today() + timedelta(days=5)).isoformat()
    hr("onboarding", name="Eve", email="eve@example.com", department="Engineering", startDate=start)
    run_jobs()
    assert {task.priority for task in tasks()} == {Priority.NORMAL}
    done = tasks()[0]
    with transaction():
        inbox.work_on(done, status=TaskStatus.COMPLETED)
    later(4)
    assert jobs.resolve("app.lifecycle.jobs.raise_due_cases")() == "0 made urgent"
    later(5)
    with transaction():
        assert lifecycle.raise_due_cases() == 2
    assert [task.priority for task in tasks()] == [Priority.NORMAL, Priority.HIGH, Priority.HIGH]
    with transaction():
        assert lifecycle.raise_due_cases() == 0


def test_scheduled_job_says_what_it_did(grant, later):
    later(11)
    with transaction():
        said = jobs.resolve("app.lifecycle.jobs.ask_back_expired_access")()
    assert said == "1 opened, 0 withdrawn"
