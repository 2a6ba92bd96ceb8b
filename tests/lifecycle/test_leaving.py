"""A leaver: what is opened, what is closed, who gets what they leave behind, and what stays open and why."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.directory import operations as directory
from app.directory.models import SignInSession
from app.foundation import clock
from app.foundation.database import db
from app.inbox.models import TaskAction
from app.inventory import operations as inventory
from app.inventory.models import AccessGrant
from app.lifecycle.jobs import leave_on_last_days
from app.lifecycle.models import HrEvent, LifecycleCase
from tests.lifecycle.leavers import JANE, leaves, open_tasks_about, person, tasks_about, work_on


def test_leaver_makes_one_task_per_open_grant_at_its_administrator(hr, run_jobs, world, context):
    for product in ("Slack Business", "Drive"):
        inventory.grant_access(person_id=world.people["charlie"], product_id=world.products[product])
    ended = inventory.grant_access(
        person_id=world.people["charlie"], product_id=world.products["GitHub Enterprise"]
    )
    inventory.end_grant(ended)
    db.session.commit()
    answer = leaves(hr, run_jobs, "Charlie")
    assert (answer.status_code, answer.json["message"]) == (202, "Offboarding workflow triggered")
    assert open_tasks_about("Charlie") == {
        "Remove Charlie's access to Gmail": "Alice",
        "Remove Charlie's access to Drive": "Alice",
        "Remove Charlie's access to Slack Business": "Bob",
    }


def test_completing_a_revocation_ends_the_grant_and_keeps_its_row(hr, run_jobs, alice, context, today):
    leaves(hr, run_jobs, "Charlie")
    [task] = tasks_about("Charlie")
    assert work_on(alice, task, "completed").status_code == 200
    [grant] = db.session.scalars(select(AccessGrant).where(AccessGrant.person_id == person("Charlie").id))
    assert (grant.state, grant.valid_until) == ("ended", today)
    assert db.session.scalars(select(LifecycleCase)).one().closed_at is not None


def test_cancelling_a_revocation_leaves_the_grant_and_closes_the_case(hr, run_jobs, alice, context):
    leaves(hr, run_jobs, "Charlie")
    [task] = tasks_about("Charlie")
    assert work_on(alice, task, "cancelled", comment="He stays on as a contractor.").status_code == 200
    [grant] = db.session.scalars(select(AccessGrant).where(AccessGrant.person_id == person("Charlie").id))
    assert grant.state == "active"
    assert db.session.scalars(select(LifecycleCase)).one().closed_at is not None


def test_leaver_who_holds_nothing_closes_the_case_at_once(hr, run_jobs, world, context):
    directory.create_person(name="Eve", email="eve@example.com")
    db.session.commit()
    leaves(hr, run_jobs, "Eve")
    assert tasks_about("Eve") == []
    assert db.session.scalars(select(LifecycleCase)).one().closed_at is not None
    assert person("Eve").active is False


def test_last_day_set_by_an_admin_makes_a_case_when_it_comes(root, alice, world, context, today, at):
    last = today + timedelta(days=3)
    assert root.api("PUT", f"people/{world.people['charlie']}", {"lastDay": str(last)}).status_code == 200
    leave_on_last_days()
    db.session.commit()
    assert person("Charlie").active
    at(last)
    assert leave_on_last_days() == "1 signed out"
    assert leave_on_last_days() == "0 signed out"
    db.session.commit()
    assert [(task.action, task.assignee.name) for task in tasks_about("Charlie")] == [
        (TaskAction.REVOKE_ACCESS, "Alice")
    ]
    case = db.session.scalars(select(LifecycleCase)).one()
    assert (case.kind, case.effective_on, case.closed_at) == ("offboarding", last, None)


def test_last_day_that_hr_announced_makes_no_second_case(hr, run_jobs, root, context, today, at):
    last = today + timedelta(days=3)
    leaves(hr, run_jobs, "Charlie", last)
    for task in tasks_about("Charlie"):
        work_on(root, task, "completed")
    at(last)
    leave_on_last_days()
    db.session.commit()
    assert not person("Charlie").active
    assert len(db.session.scalars(select(LifecycleCase)).all()) == 1


def test_unknown_leaver_is_404_and_nothing_is_kept(hr, context):
    answer = hr("offboarding", email="who@example.com")
    assert (answer.status_code, answer.json["error"]) == (404, "not_found")
    assert "who@example.com" in answer.json["message"]
    assert hr("offboarding", externalId="E-404").status_code == 404
    assert db.session.scalar(select(HrEvent)) is None


def test_unknown_leaver_may_be_announced_again_once_known(hr, run_jobs, context):
    """The refused delivery must not count as received."""
    headers = {"webhook-id": "delivery-1"}
    assert hr("offboarding", headers=headers, email="jane@example.com").status_code == 404
    hr("onboarding", **JANE)
    run_jobs()
    assert hr("offboarding", headers=headers, email="jane@example.com").status_code == 202


@pytest.mark.parametrize(
    ("employee", "field"),
    [
        ({}, "employee.email"),
        ({"email": "", "externalId": ""}, "employee.email"),
        ({"email": "no e-mail"}, "employee.email"),
        ({"email": "charlie@example.com", "lastDay": "tomorrow"}, "employee.last_day"),
        ({"email": "charlie@example.com", "lastDay": 20310101}, "employee.last_day"),
        ({"externalId": {"$ne": ""}}, "employee.external_id"),
    ],
)
def test_bad_field_is_named(hr, context, employee, field):
    answer = hr("offboarding", **employee)
    assert (answer.status_code, answer.json["error"]) == (422, "invalid_input")
    assert field in [one["field"] for one in answer.json["detail"]]
    assert db.session.scalar(select(HrEvent)) is None
    assert person("Charlie").active


@pytest.mark.parametrize("days", [None, 0, -3])
def test_last_day_that_has_come_ends_the_sign_in_before_the_answer(hr, charlie, context, today, days):
    day = {} if days is None else {"lastDay": (today + timedelta(days)).isoformat()}
    assert charlie.api("GET", "tasks/").status_code == 200
    assert hr("offboarding", email="charlie@example.com", **day).status_code == 202
    assert charlie.api("GET", "tasks/").status_code == 401
    assert charlie.get("/inbox/").status_code == 302
    gone = person("Charlie")
    assert (gone.active, gone.account.active) == (False, False)
    still_open = select(SignInSession).where(
        SignInSession.account_id == gone.account_id, SignInSession.ended_at.is_(None)
    )
    assert db.session.scalar(still_open) is None


def test_future_last_day_leaves_the_sign_in_open_until_that_day(hr, run_jobs, charlie, context, today, at):
    last = today + timedelta(days=30)
    leaves(hr, run_jobs, "Charlie", last)
    assert open_tasks_about("Charlie") == {"Remove Charlie's access to Gmail": "Alice"}
    assert charlie.api("GET", "tasks/").status_code == 200

    at(last - timedelta(days=1))
    assert leave_on_last_days() == "0 signed out"
    db.session.commit()
    assert person("Charlie").active
    at(last)
    assert leave_on_last_days() == "1 signed out"
    db.session.commit()
    assert not person("Charlie").active
    assert not person("Charlie").account.active
    assert leave_on_last_days() == "0 signed out"


def test_last_day_is_meant_in_the_company_time_zone(hr, run_jobs, app, context, today, monkeypatch):
    monkeypatch.setitem(app.config, "TIMEZONE", "Pacific/Auckland")
    last = today + timedelta(days=30)
    leaves(hr, run_jobs, "Charlie", last)
    auckland_midnight = datetime(last.year, last.month, last.day, tzinfo=clock.zone()).astimezone(UTC)
    monkeypatch.setattr(clock, "now", lambda: auckland_midnight - timedelta(seconds=1))
    assert leave_on_last_days() == "0 signed out"
    monkeypatch.setattr(clock, "now", lambda: auckland_midnight)
    assert leave_on_last_days() == "1 signed out"


def test_same_last_day_again_makes_nothing_new(hr, run_jobs, context, today):
    last = today + timedelta(days=30)
    first = leaves(hr, run_jobs, "Charlie", last)
    second = leaves(hr, run_jobs, "Charlie", last)
    assert (first.status_code, second.status_code) == (202, 200)
    assert first.json["eventId"] == second.json["eventId"]
    assert len(tasks_about("Charlie")) == 1


def test_changed_last_day_moves_the_case_and_opens_nothing_twice(hr, run_jobs, context, today):
    leaves(hr, run_jobs, "Charlie", today + timedelta(days=30))
    later = today + timedelta(days=60)
    assert leaves(hr, run_jobs, "Charlie", later).status_code == 202
    [case] = db.session.scalars(select(LifecycleCase))
    assert (case.effective_on, person("Charlie").last_day) == (later, later)
    assert len(tasks_about("Charlie")) == 1


def test_last_day_moved_to_today_ends_the_sign_in(hr, run_jobs, charlie, context, today):
    leaves(hr, run_jobs, "Charlie", today + timedelta(days=30))
    assert charlie.api("GET", "tasks/").status_code == 200
    leaves(hr, run_jobs, "Charlie", today)
    assert charlie.api("GET", "tasks/").status_code == 401
    assert len(tasks_about("Charlie")) == 1


def test_access_given_after_the_announcement_gets_a_task_when_hr_speaks_again(
    hr, run_jobs, world, context, today
):
    leaves(hr, run_jobs, "Charlie", today + timedelta(days=30))
    inventory.grant_access(person_id=world.people["charlie"], product_id=world.products["Drive"])
    db.session.commit()
    leaves(hr, run_jobs, "Charlie", today)
    assert set(open_tasks_about("Charlie")) == {
        "Remove Charlie's access to Gmail",
        "Remove Charlie's access to Drive",
    }


def test_leaver_who_is_already_gone_changes_nothing(hr, run_jobs, root, context):
    leaves(hr, run_jobs, "Charlie")
    [task] = tasks_about("Charlie")
    work_on(root, task, "completed")
    answer = leaves(hr, run_jobs, "Charlie")
    assert answer.status_code == 202, "the first case is closed, so this is a new announcement"
    assert open_tasks_about("Charlie") == {}
    assert [case.state for case in db.session.scalars(select(LifecycleCase))] == ["closed", "closed"]
