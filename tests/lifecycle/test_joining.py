"""A joiner: from HR's call to the recorded access, as far as operations and doors go."""

import pytest
from sqlalchemy import select

from app.directory.models import Person
from app.foundation.database import db
from app.inbox.models import TaskAction, WorkflowTask
from app.inventory.models import AccessGrant
from app.lifecycle.models import HrEvent, LifecycleCase

JANE = {
    "name": "Jane Doe",
    "email": "Jane.Doe@example.com",
    "department": "engineering",
    "position": "Developer",
}


def tasks_about(email: str) -> list[WorkflowTask]:
    query = (
        select(WorkflowTask).join(Person, Person.id == WorkflowTask.target_id).where(Person.email == email)
    )
    return list(db.session.scalars(query.order_by(WorkflowTask.id)))


def test_joiner_gets_one_task_per_product_at_its_administrator(hr, run_jobs, context):
    answer = hr("onboarding", **JANE)
    assert (answer.status_code, answer.json["message"]) == (202, "Onboarding workflow triggered")
    run_jobs()
    found = {task.product.name: task.assignee.name for task in tasks_about("Jane.Doe@example.com")}
    assert found == {"Gmail": "Alice", "GitHub Enterprise": "Bob", "Copilot": "Portal Administrator"}


def test_joiner_stands_in_the_directory_without_account_or_password(hr, context):
    hr("onboarding", **JANE)
    jane = db.session.scalar(select(Person).where(Person.email == "Jane.Doe@example.com"))
    assert (jane.name, jane.department.name, jane.position) == ("Jane Doe", "Engineering", "Developer")
    assert jane.account is None


def test_joiner_whom_no_template_fits_makes_one_task_at_an_admin(hr, run_jobs, context):
    hr("onboarding", name="Sam", email="sam@example.com", department="Sales")
    run_jobs()
    [task] = tasks_about("sam@example.com")
    assert (task.action, task.assignee.name) == (TaskAction.DECIDE_ACCESS, "Portal Administrator")
    assert task.title == "Decide what access Sam needs"


def test_unknown_department_is_kept_as_given_and_the_task_says_so(hr, run_jobs, context):
    hr("onboarding", name="Sam", email="sam@example.com", department="Skunk Works")
    run_jobs()
    [task] = tasks_about("sam@example.com")
    assert task.target.department is None
    assert task.target.department_given == "Skunk Works"
    assert "“Skunk Works”, which the directory does not know" in task.description


@pytest.mark.parametrize("header", ["webhook-id", "Idempotency-Key", None])
def test_repeated_delivery_is_answered_200_and_makes_nothing(hr, run_jobs, context, header):
    headers = {header: "delivery-1"} if header else {}
    first = hr("onboarding", headers=headers, **JANE)
    second = hr("onboarding", headers=headers, **JANE)
    run_jobs()
    assert (first.status_code, second.status_code) == (202, 200)
    assert first.json["eventId"] == second.json["eventId"]
    assert len(list(db.session.scalars(select(HrEvent)))) == 1
    assert len(tasks_about("Jane.Doe@example.com")) == 3


@pytest.mark.parametrize("header", ["webhook-id", "Idempotency-Key", None])
def test_same_identity_with_another_body_is_a_conflict(hr, context, header):
    headers = {header: "delivery-1"} if header else {}
    hr("onboarding", headers=headers, **JANE)
    answer = hr("onboarding", headers=headers, **{**JANE, "position": "Gardener"})
    assert (answer.status_code, answer.json["error"]) == (409, "conflict")


def test_content_identifies_a_delivery_only_while_its_case_is_open(hr, run_jobs, root, context):
    first = hr("onboarding", **JANE)
    run_jobs()
    for task in tasks_about("Jane.Doe@example.com"):
        root.api("PUT", f"tasks/{task.id}", {"status": "cancelled"})
    assert hr("onboarding", **JANE).json["eventId"] != first.json["eventId"]


def test_completing_the_last_task_records_grants_and_closes_the_case(hr, run_jobs, root, context):
    hr("onboarding", **JANE)
    run_jobs()
    for task in tasks_about("Jane.Doe@example.com"):
        assert (
            root.api("PUT", f"tasks/{task.id}", {"status": "completed", "comment": "Done."}).status_code
            == 200
        )
        db.session.expire_all()
        grant = db.session.scalar(
            select(AccessGrant).where(
                AccessGrant.person_id == task.target_id, AccessGrant.product_id == task.product_id
            )
        )
        assert (grant.level, grant.source, grant.ended_at) == ("member", "task", None)
    case = db.session.scalar(select(LifecycleCase))
    assert case.closed_at is not None


def test_joining_again_is_the_same_person(hr, run_jobs, context):
    hr("onboarding", externalId="E-7", **JANE)
    hr("offboarding", externalId="E-7")
    run_jobs()
    answer = hr(
        "onboarding", externalId="E-7", **{**JANE, "email": "jane@example.com", "startDate": "2031-01-01"}
    )
    assert answer.status_code == 202
    people = list(db.session.scalars(select(Person).where(Person.external_id == "E-7")))
    assert [(person.email, person.active, person.last_day) for person in people] == [
        ("jane@example.com", True, None)
    ]


@pytest.mark.parametrize(
    ("employee", "field"),
    [
        ({"email": "x@example.com"}, "employee.name"),
        ({"name": "X"}, "employee.email"),
        ({"name": "X", "email": "no e-mail"}, "employee.email"),
        ({"name": "X", "email": "x@example.com", "startDate": "31/12/2031"}, "employee.start_date"),
        ({"name": "X\x00", "email": "x@example.com"}, "employee.name"),
        ({"name": "X" * 70_000, "email": "x@example.com"}, "employee.name"),
        ({"name": ["X"], "email": "x@example.com"}, "employee.name"),
    ],
)
def test_bad_field_is_named(hr, context, employee, field):
    answer = hr("onboarding", **employee)
    assert (answer.status_code, answer.json["error"]) == (422, "invalid_input")
    assert field in [one["field"] for one in answer.json["detail"]]
    assert db.session.scalar(select(HrEvent)) is None


@pytest.mark.parametrize("key", [None, "", "wrong", "\u00e9"])
def test_wrong_key_is_refused(hr, context, key):
    answer = hr("onboarding", key=key, **JANE)
    assert (answer.status_code, answer.json["message"]) == (401, "Invalid API key")
    assert db.session.scalar(select(HrEvent)) is None
