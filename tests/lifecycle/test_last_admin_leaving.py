"""The last Admin leaves: somebody must be able to administer the portal, so the sign-in stays open until it is taken over."""

from datetime import timedelta

from sqlalchemy import select

from app.directory import operations as directory
from app.foundation.database import db
from app.inbox.models import TaskAction
from app.lifecycle.jobs import leave_on_last_days
from app.lifecycle.models import LifecycleCase
from tests.lifecycle.leavers import FIRST_ADMIN, JANE, leaves, person, task_with, tasks_about, work_on


def test_admin_who_is_not_the_last_leaves_like_everybody(hr, run_jobs, root, context):
    leaves(hr, run_jobs, "Root")
    assert root.api("GET", "tasks/").status_code == 401
    assert tasks_about("Root") == []


def test_last_admin_keeps_the_sign_in_and_an_urgent_task_says_why(hr, run_jobs, root, context):
    leaves(hr, run_jobs, FIRST_ADMIN)
    leaves(hr, run_jobs, "Root")
    assert root.api("GET", "tasks/").status_code == 200
    assert person("Root").active
    [task] = tasks_about("Root")
    assert (task.action, task.priority, task.assignee.name) == (TaskAction.KEEP_ADMIN, "urgent", "Root")
    assert "is the last Admin who can sign in, so their sign-in stays open" in task.description


def test_replacing_the_last_admin_closes_the_sign_in(hr, run_jobs, root, alice, context):
    leaves(hr, run_jobs, FIRST_ADMIN)
    leaves(hr, run_jobs, "Root")
    [task] = tasks_about("Root")
    refused = work_on(root, task, "completed")
    assert (refused.status_code, refused.json["error"]) == (409, "conflict")
    assert "last Admin" in refused.json["message"]

    directory.grant_role(person("Alice"), "Admin")
    db.session.commit()
    assert work_on(alice, task, "completed").status_code == 200
    assert root.api("GET", "tasks/").status_code == 401
    assert not person("Root").active
    assert db.session.scalars(select(LifecycleCase).where(LifecycleCase.closed_at.is_(None))).all() == []


def test_last_admin_with_a_future_last_day_gets_the_task_on_that_day(hr, run_jobs, context, today, at):
    last = today + timedelta(days=30)
    leaves(hr, run_jobs, FIRST_ADMIN)
    leaves(hr, run_jobs, "Root", last)
    at(last)
    leave_on_last_days()
    leave_on_last_days()
    db.session.commit()
    assert person("Root").active
    assert [task.action for task in tasks_about("Root")] == [TaskAction.KEEP_ADMIN]


def test_last_admin_leaves_no_task_behind_when_replaced(hr, run_jobs, root, alice, context):
    leaves(hr, run_jobs, FIRST_ADMIN)
    hr("onboarding", **JANE)
    run_jobs()
    [theirs] = [task.id for task in tasks_about("Jane Doe") if task.assignee.name == "Root"]
    leaves(hr, run_jobs, "Root")
    [keep] = [task.id for task in tasks_about("Root")]
    directory.grant_role(person("Alice"), "Admin")
    db.session.commit()
    assert work_on(alice, task_with(keep), "completed").status_code == 200
    assert task_with(theirs).assignee.name == "Alice"
