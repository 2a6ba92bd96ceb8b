"""A leaver: what is opened, what is closed, who gets what they leave behind, and what stays open and why."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from app.directory import operations as directory
from app.directory.models import Person, SignInSession
from app.foundation import clock
from app.foundation.database import db
from app.foundation.transactions import transaction
from app.inbox.models import TaskAction, TaskComment, WorkflowTask
from app.inventory import operations as inventory
from app.inventory.models import AccessGrant, PermissionAssignment
from app.lifecycle.jobs import leave_on_last_days
from app.lifecycle.models import HrEvent, LifecycleCase

JANE = {"name": "Jane Doe", "email": "jane@example.com", "department": "Engineering"}
FIRST_ADMIN = "Portal Administrator"


def person(name: str) -> Person:
    db.session.expire_all()
    return db.session.scalars(select(Person).where(Person.name == name)).one()


def tasks_about(name: str) -> list[WorkflowTask]:
    query = select(WorkflowTask).where(WorkflowTask.target_id == person(name).id)
    return list(db.session.scalars(query.order_by(WorkflowTask.id)))


def task_with(key: int) -> WorkflowTask:
    """As it stands now: whatever was loaded before a job ran is stale."""
    db.session.expire_all()
    return db.session.get_one(WorkflowTask, key)


def open_tasks_about(name: str) -> dict[str, str]:
    """Title -> assignee."""
    return {task.title: task.assignee.name for task in tasks_about(name) if not task.is_finished}


def leaves(hr, run_jobs, name: str, on: date | None = None):
    day = {"lastDay": on.isoformat()} if on else {}
    answer = hr("offboarding", email=person(name).email, **day)
    run_jobs()
    db.session.expire_all()
    return answer


def work_on(visitor, task: WorkflowTask, status: str, **more):
    answer = visitor.api("PUT", f"tasks/{task.id}", {"status": status, **more})
    db.session.expire_all()
    return answer


def comments_of(task: WorkflowTask) -> list[str]:
    query = select(TaskComment.content).where(TaskComment.task_id == task.id).order_by(TaskComment.id)
    return list(db.session.scalars(query))


@pytest.fixture
def today(context) -> date:
    return clock.today()


@pytest.fixture
def at(monkeypatch):
    """Set the clock: `at(day)` makes it noon UTC of that day."""

    def set_clock(day: date) -> None:
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        monkeypatch.setattr(clock, "now", lambda: noon)

    return set_clock


# --- what a leaver's case asks for ------------------------------------------------------------------------------------


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


# --- the last day -----------------------------------------------------------------------------------------------------


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


# --- joiners who leave ------------------------------------------------------------------------------------------------


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


# --- what a leaver leaves behind --------------------------------------------------------------------------------------


def test_tasks_in_the_leavers_inbox_go_to_who_is_responsible_now(hr, run_jobs, context):
    hr("onboarding", **JANE)
    run_jobs()
    [key] = [task.id for task in tasks_about("Jane Doe") if task.assignee.name == "Bob"]
    leaves(hr, run_jobs, "Bob")
    theirs = task_with(key)
    assert theirs.assignee.name == FIRST_ADMIN
    assert comments_of(theirs) == [f"Bob has left; the task goes to {FIRST_ADMIN}."]


def test_tasks_go_to_the_other_administrator_of_the_product(hr, run_jobs, world, context):
    inventory.assign_administrator(
        person_id=world.people["alice"], product_id=world.products["GitHub Enterprise"]
    )
    db.session.commit()
    hr("onboarding", **JANE)
    run_jobs()
    [key] = [task.id for task in tasks_about("Jane Doe") if task.assignee.name == "Bob"]
    leaves(hr, run_jobs, "Bob")
    assert task_with(key).assignee.name == "Alice"


def test_shared_assignments_are_dropped_and_sole_ones_handed_over(hr, run_jobs, world, context):
    inventory.assign_administrator(
        person_id=world.people["alice"], product_id=world.products["GitHub Enterprise"]
    )
    db.session.commit()
    leaves(hr, run_jobs, "Bob")
    left = db.session.scalars(
        select(PermissionAssignment).where(PermissionAssignment.person_id == person("Bob").id)
    )
    assert [assignment.product.name for assignment in left] == ["Slack Business"]
    assert open_tasks_about("Bob") == {"Find a new administrator for Slack Business": FIRST_ADMIN}


def test_sole_administrator_of_a_product_hands_over_to_the_administrator_of_its_service(
    hr, run_jobs, world, context
):
    inventory.assign_administrator(person_id=world.people["alice"], service_id=world.services["Slack"])
    db.session.commit()
    leaves(hr, run_jobs, "Bob")
    assert open_tasks_about("Bob")["Find a new administrator for Slack Business"] == "Alice"


def test_sole_administrator_of_a_service_is_handed_over_by_an_admin(hr, run_jobs, context):
    leaves(hr, run_jobs, "Alice")
    assert open_tasks_about("Alice") == {"Find a new administrator for Google Workspace": FIRST_ADMIN}


def test_hand_over_without_another_administrator_is_a_conflict_that_says_so(
    hr, run_jobs, root, world, context
):
    leaves(hr, run_jobs, "Alice")
    [task] = tasks_about("Alice")
    refused = work_on(root, task, "completed", comment="Done?")
    assert refused.status_code == 409
    assert refused.json["message"] == "Nobody else administers Google Workspace yet. Assign somebody first."
    assert (task.status, comments_of(task)) == ("pending", [])

    assigned = root.api(
        "POST",
        "permission-assignments/",
        {"person_id": world.people["charlie"], "service_id": world.services["Google Workspace"]},
    )
    assert assigned.status_code == 201, assigned.json
    assert work_on(root, task, "completed").status_code == 200
    left = select(PermissionAssignment).where(PermissionAssignment.person_id == person("Alice").id)
    assert db.session.scalar(left) is None
    assert db.session.scalars(select(LifecycleCase)).one().closed_at is not None


def test_hand_over_to_somebody_who_leaves_too_is_a_conflict(hr, run_jobs, root, world, context):
    leaves(hr, run_jobs, "Bob")
    [key] = [task.id for task in tasks_about("Bob") if task.product.name == "Slack Business"]
    inventory.assign_administrator(
        person_id=world.people["charlie"], product_id=world.products["Slack Business"]
    )
    db.session.commit()
    leaves(hr, run_jobs, "Charlie")
    assert work_on(root, task_with(key), "completed").status_code == 409


def test_nobody_is_asked_to_take_their_own_access_away(hr, run_jobs, world, context):
    inventory.grant_access(person_id=world.people["bob"], product_id=world.products["Slack Business"])
    db.session.commit()
    leaves(hr, run_jobs, "Bob")
    assert "Bob" not in open_tasks_about("Bob").values()


# --- the last Admin ---------------------------------------------------------------------------------------------------


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


# --- taken up again ---------------------------------------------------------------------------------------------------


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


# --- other ways to leave ----------------------------------------------------------------------------------------------


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


def test_person_whom_an_admin_deactivates_leaves_no_task_behind(hr, run_jobs, root, world, context):
    hr("onboarding", **JANE)
    run_jobs()
    [theirs] = [task.id for task in tasks_about("Jane Doe") if task.assignee.name == "Bob"]
    assert root.api("DELETE", f"people/{world.people['bob']}").status_code == 200
    assert task_with(theirs).assignee.name == FIRST_ADMIN
    assert comments_of(task_with(theirs)) == [f"Bob has left; the task goes to {FIRST_ADMIN}."]
