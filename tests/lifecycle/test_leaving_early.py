"""A joiner who leaves before everything was given, or comes back: nothing is given to somebody who is gone."""

import pytest
from sqlalchemy import select

from app.foundation.database import db
from app.foundation.transactions import transaction
from app.lifecycle.models import LifecycleCase
from tests.lifecycle.leavers import (
    FIRST_ADMIN,
    JANE,
    comments_of,
    leaves,
    open_tasks_about,
    person,
    task_with,
    tasks_about,
    work_on,
)


def test_joiner_who_leaves_first_is_never_given_access(hr, run_jobs, context):
    """HR takes it back before anybody planned it; both events are planned in the order they came."""
    hr("onboarding", **JANE)
    hr("offboarding", email="jane@example.com")
    run_jobs()
    assert open_tasks_about("Jane Doe") == {}
    assert not person("Jane Doe").active
    assert [case.state for case in db.session.scalars(select(LifecycleCase))] == ["closed", "closed"]


def test_plans_in_the_wrong_order_give_a_leaver_no_access(hr, app, context):
    """A worker may take the leaver's row first: Redis keeps no order across retries."""
    from app.foundation import jobs  # noqa: PLC0415
    from app.foundation.outbox import OutboxMessage  # noqa: PLC0415

    hr("onboarding", **JANE)
    hr("offboarding", email="jane@example.com")
    for key in db.session.scalars(select(OutboxMessage.id).order_by(OutboxMessage.id.desc())).all():
        jobs.perform(key)
    assert open_tasks_about("Jane Doe") == {}
    assert not person("Jane Doe").active
    assert [case.state for case in db.session.scalars(select(LifecycleCase))] == ["closed", "closed"]


def test_open_joiner_case_is_withdrawn_with_a_comment(hr, run_jobs, context, today):
    hr("onboarding", **JANE)
    run_jobs()
    joining = tasks_about("Jane Doe")
    assert len(joining) == 3
    leaves(hr, run_jobs, "Jane Doe")
    joining = [task for task in tasks_about("Jane Doe") if task.type == "onboarding"]
    assert {task.status for task in joining} == {"cancelled"}
    assert comments_of(joining[0]) == [f"Jane Doe leaves on {today:%d %B %Y}."]
    assert open_tasks_about("Jane Doe") == {}
    assert {case.kind: case.state for case in db.session.scalars(select(LifecycleCase))} == {
        "onboarding": "closed",
        "offboarding": "closed",
    }


@pytest.mark.parametrize("status", ["in_progress", "invited"])
def test_access_under_way_for_a_joiner_becomes_a_task_to_take_it_back(hr, run_jobs, root, context, status):
    hr("onboarding", **JANE)
    run_jobs()
    begun = next(task for task in tasks_about("Jane Doe") if task.product.name == "Gmail")
    key = begun.id
    work_on(root, begun, status)
    leaves(hr, run_jobs, "Jane Doe")
    assert task_with(key).status == "cancelled"
    assert open_tasks_about("Jane Doe") == {"Remove Jane Doe's access to Gmail": "Alice"}
    [back] = [task for task in tasks_about("Jane Doe") if not task.is_finished]
    assert work_on(root, back, "completed").status_code == 200
    assert db.session.scalars(select(LifecycleCase).where(LifecycleCase.closed_at.is_(None))).all() == []


def test_access_given_to_a_joiner_before_is_taken_back(hr, run_jobs, root, context):
    hr("onboarding", **JANE)
    run_jobs()
    done = next(task for task in tasks_about("Jane Doe") if task.product.name == "Gmail")
    key = done.id
    work_on(root, done, "completed")
    leaves(hr, run_jobs, "Jane Doe")
    assert task_with(key).status == "completed"
    assert open_tasks_about("Jane Doe") == {"Remove Jane Doe's access to Gmail": "Alice"}


def test_reopening_a_task_by_an_admin_reopens_the_case(hr, run_jobs, alice, root, context):
    leaves(hr, run_jobs, "Charlie")
    [task] = tasks_about("Charlie")
    work_on(alice, task, "cancelled")
    [case] = db.session.scalars(select(LifecycleCase))
    assert case.state == "closed"
    assert work_on(alice, task, "pending").status_code == 409
    assert case.state == "closed"
    assert work_on(root, task, "pending").status_code == 200
    assert case.state == "open"
    assert work_on(alice, task, "completed").status_code == 200
    assert case.state == "closed"


def test_joining_again_leaves_the_history_and_opens_new_tasks(hr, run_jobs, context):
    hr("onboarding", **JANE)
    run_jobs()
    leaves(hr, run_jobs, "Jane Doe")
    hr("onboarding", headers={"webhook-id": "again"}, **JANE)
    run_jobs()
    assert len(open_tasks_about("Jane Doe")) == 3
    assert person("Jane Doe").active
    kinds = [case.kind for case in db.session.scalars(select(LifecycleCase).order_by(LifecycleCase.id))]
    assert kinds == ["onboarding", "offboarding", "onboarding"]


def test_a_plan_that_fails_leaves_nothing_half_done(hr, run_jobs, world, context, monkeypatch):
    """No Admin at all: the job fails and comes again, and then does everything."""
    hr("offboarding", email="bob@example.com")
    with transaction():
        admins = [person(name) for name in (FIRST_ADMIN, "Root")]
        for admin in admins:
            admin.account.active = False
    from app.foundation import jobs  # noqa: PLC0415
    from app.foundation.outbox import OutboxMessage  # noqa: PLC0415

    [key] = db.session.scalars(select(OutboxMessage.id)).all()
    jobs.perform(key)
    assert tasks_about("Bob") == []
    assert db.session.scalar(select(LifecycleCase)) is None
    assert "no person has the Admin role" in db.session.get(OutboxMessage, key).last_error
    with transaction():
        for name in (FIRST_ADMIN, "Root"):
            person(name).account.active = True
    run_jobs()
    assert len(open_tasks_about("Bob")) == 2
