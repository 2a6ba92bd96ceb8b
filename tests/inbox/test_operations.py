"""Working on tasks: who may, what a step leads to, and what is never overwritten."""

import pytest
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.foundation.database import db
from app.inbox.models import TaskComment, WorkflowTask
from app.notifications.models import Notification


@pytest.fixture
def tasks(hr, run_jobs, context) -> dict[str, WorkflowTask]:
    """The tasks of one joiner, by product."""
    hr("onboarding", name="Jane", email="jane@example.com", department="Engineering")
    run_jobs()
    return {task.product.name: task for task in db.session.scalars(select(WorkflowTask))}


def work(visitor, task, **body):
    return visitor.api("PUT", f"tasks/{task.id}", body)


def test_assignee_is_told_once(tasks, world):
    told = db.session.scalars(select(Notification).where(Notification.person_id == world.people["bob"])).all()
    assert [(notice.title, notice.href) for notice in told] == [
        ("Give Jane access to GitHub Enterprise", f"/inbox/{tasks['GitHub Enterprise'].id}")
    ]


@pytest.mark.parametrize("status", ["pending", "in_progress", "invited", "completed", "cancelled"])
def test_assignee_sets_every_status(bob, tasks, status):
    assert work(bob, tasks["GitHub Enterprise"], status=status).json["result"]["status"] == status


def test_unknown_status_is_named(bob, tasks):
    answer = work(bob, tasks["GitHub Enterprise"], status="done")
    assert (answer.status_code, answer.json["detail"][0]["field"]) == (422, "status")


def test_administrator_of_the_service_sees_its_task_but_does_not_work_on_it(root, alice, bob, tasks, world):
    gmail = tasks["Gmail"]
    root.post(f"/inbox/{gmail.id}/reassign", {"assignee_id": world.people["bob"]})
    assert alice.api("GET", f"tasks/{gmail.id}").status_code == 200
    assert work(alice, gmail, status="completed").status_code == 403
    assert work(bob, gmail, status="completed").status_code == 200


def test_stranger_does_not_see_a_task(bob, charlie, tasks):
    assert bob.api("GET", f"tasks/{tasks['Gmail'].id}").status_code == 404
    assert work(charlie, tasks["Gmail"], status="completed").status_code == 404


def test_finished_task_is_reopened_by_admins_only(bob, root, tasks):
    task = tasks["GitHub Enterprise"]
    work(bob, task, status="completed")
    refused = work(bob, task, status="pending")
    assert (refused.status_code, refused.json["error"]) == (409, "conflict")
    assert work(root, task, status="pending").status_code == 200


def test_comments_append_and_carry_their_author(bob, root, tasks):
    task = tasks["GitHub Enterprise"]
    work(bob, task, comment="  Invited by mail.  ")
    work(root, task, comment="Thanks!", status="invited")
    said = db.session.execute(
        select(TaskComment.author_name, TaskComment.content).order_by(TaskComment.id)
    ).all()
    assert [tuple(row) for row in said] == [("Bob", "Invited by mail."), ("Root", "Thanks!")]


def test_blank_comment_is_none(bob, tasks):
    assert work(bob, tasks["GitHub Enterprise"], comment="   ").status_code in {200, 422}
    assert db.session.scalar(select(TaskComment)) is None


def test_change_stands_in_the_log_with_before_and_after(bob, tasks, world):
    work(bob, tasks["GitHub Enterprise"], status="in_progress")
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "task.update")).one()
    assert (entry.before, entry.after) == ({"status": "pending"}, {"status": "in_progress"})
    assert (entry.actor_id, entry.actor_name) == (world.people["bob"], "Bob")


def test_form_of_the_page_works_without_script(bob, tasks):
    task = tasks["GitHub Enterprise"]
    answer = bob.post(
        f"/inbox/{task.id}/work", {"status": "in_progress", "comment": "On it"}, follow_redirects=True
    )
    assert answer.status_code == 200
    assert "On it" in answer.text


def test_part_answers_the_task_with_the_counts_of_after(bob, tasks):
    task = tasks["GitHub Enterprise"]
    page = bob.get(f"/inbox/{task.id}?part=task").text
    assert "<html" not in page
    assert task.title in page
    answer = bob.post(f"/inbox/{task.id}/work", {"status": "completed"}, headers={"X-Part": "task"})
    assert answer.status_code == 200
    assert "<html" not in answer.text


def test_refusal_keeps_what_was_typed(bob, tasks):
    task = tasks["GitHub Enterprise"]
    work(bob, task, status="completed")
    answer = bob.post(f"/inbox/{task.id}/work", {"status": "pending", "comment": "I typed this"})
    assert answer.status_code == 422
    assert "I typed this" in answer.text
    assert "Only an Admin can reopen it" in answer.text


@pytest.mark.parametrize("scope", ["mine", "team", "all"])
@pytest.mark.parametrize("name", ["root", "alice", "bob", "charlie"])
def test_every_scope_shows_only_what_one_may_see(visit, tasks, name, scope):
    may_see = {"root": set(tasks), "alice": {"Gmail"}, "bob": {"GitHub Enterprise"}, "charlie": set()}[name]
    page = visit(name).get(f"/inbox/?scope={scope}").text
    shown = {product for product, task in tasks.items() if task.title in page}
    assert shown <= may_see
    if scope == "all":
        assert shown == may_see


def test_filters_narrow_the_list(root, tasks):
    assert "Give Jane access" in root.get("/inbox/?scope=all&status=open&type=onboarding&person=jane").text
    assert "Give Jane access" not in root.get("/inbox/?scope=all&status=completed").text
    assert "Give Jane access" not in root.get("/inbox/?scope=all&person=nobody").text
    assert root.get("/inbox/?scope=everything").status_code == 422


def test_new_assignee_is_told_and_must_work_here(alice, root, tasks, world):
    gmail = tasks["Gmail"]
    assert (
        alice.post(f"/inbox/{gmail.id}/reassign", {"assignee_id": world.people["charlie"]}).status_code == 302
    )
    told = db.session.scalars(
        select(Notification).where(Notification.person_id == world.people["charlie"])
    ).all()
    assert [notice.href for notice in told] == [f"/inbox/{gmail.id}"]
    root.api("DELETE", f"people/{world.people['dora']}")
    refused = root.post(f"/inbox/{gmail.id}/reassign", {"assignee_id": world.people["dora"]})
    assert refused.status_code == 422
    assert "has left the company" in refused.text


def test_assignee_alone_does_not_pass_a_task_on(bob, tasks, world):
    task = tasks["GitHub Enterprise"]
    answer = bob.post(f"/inbox/{task.id}/reassign", {"assignee_id": world.people["charlie"]})
    assert answer.status_code == 422
