"""What a leaver leaves behind, tasks and responsibilities, goes to somebody who stays."""

from sqlalchemy import select

from app.foundation.database import db
from app.inventory import operations as inventory
from app.inventory.models import PermissionAssignment
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


def test_person_whom_an_admin_deactivates_leaves_no_task_behind(hr, run_jobs, root, world, context):
    hr("onboarding", **JANE)
    run_jobs()
    [theirs] = [task.id for task in tasks_about("Jane Doe") if task.assignee.name == "Bob"]
    assert root.api("DELETE", f"people/{world.people['bob']}").status_code == 200
    assert task_with(theirs).assignee.name == FIRST_ADMIN
    assert comments_of(task_with(theirs)) == [f"Bob has left; the task goes to {FIRST_ADMIN}."]
