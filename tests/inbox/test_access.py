"""A task is seen by its assignee and by the administrators of its service, and changed by its assignee and Admins."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.directory.models import Person
from app.foundation.database import db
from app.foundation.viewer import viewing_as
from app.inbox import operations as inbox
from app.inbox.access import may_change
from app.inbox.models import TaskAction, TaskComment, TaskStatus, TaskType, WorkflowTask
from app.inventory.models import Product
from tests.access import seen_by

TASKS = {
    "gmail": ("root", "Gmail"),
    "copilot": ("root", "Copilot"),
    "slack": ("bob", "Slack Business"),
    "drive": ("charlie", "Drive"),
}


@pytest.fixture
def tasks(context, world) -> dict[str, int]:
    """One task for each pair, all about Dora, each with a comment."""
    found = {}
    for key, (assignee, product) in TASKS.items():
        thing = db.session.get(Product, world.products[product])
        task = inbox.open_task(
            case_id=None,
            key=key,
            assignee=db.session.get(Person, world.people[assignee]),
            target_id=world.people["dora"],
            type=TaskType.ONBOARDING,
            action=TaskAction.GRANT_ACCESS,
            title=key,
            product_id=thing.id,
            service_id=thing.service_id,
        )
        inbox.add_comment(task, f"about {key}")
        found[key] = task.id
    db.session.commit()
    return found


@pytest.mark.parametrize(
    ("name", "expected"),
    [("root", set(TASKS)), ("alice", {"gmail", "drive"}), ("bob", {"slack"}), ("charlie", {"drive"})],
)
def test_tasks_and_comments_are_seen_by_assignee_and_administrators(tasks, viewer_of, name, expected):
    assert seen_by(viewer_of(name), WorkflowTask, WorkflowTask.key) == expected
    assert seen_by(viewer_of(name), TaskComment, TaskComment.content) == {f"about {key}" for key in expected}


def test_administrator_of_a_product_alone_sees_their_own_tasks_only(tasks, viewer_of, world):
    """Bob administers GitHub Enterprise, not GitHub: a task of its service is not his."""
    with viewing_as(viewer_of("root")):
        inbox.give_to(
            db.session.get(WorkflowTask, tasks["slack"]), db.session.get(Person, world.people["root"])
        )
    assert seen_by(viewer_of("bob"), WorkflowTask, WorkflowTask.key) == set()


@pytest.mark.parametrize(
    ("name", "changes"),
    [("root", set(TASKS)), ("alice", set()), ("bob", {"slack"}), ("charlie", {"drive"})],
)
def test_task_is_changed_by_its_assignee_and_admins(tasks, viewer_of, name, changes):
    with viewing_as(viewer_of(name)):
        assert {task.key for task in db.session.scalars(select(WorkflowTask)) if may_change(task)} == changes


@pytest.mark.parametrize("lazily", [True, False])
def test_task_leads_its_assignee_to_nothing_hidden(tasks, viewer_of, lazily):
    query = select(WorkflowTask)
    if not lazily:
        query = query.options(joinedload(WorkflowTask.product), joinedload(WorkflowTask.target))
    db.session.expunge_all()
    with viewing_as(viewer_of("charlie")):
        task = db.session.scalars(query).one()
        assert (task.product, task.service, task.target) == (None, None, None)
        assert task.assignee.name == "Charlie"
        assert [comment.content for comment in task.comments] == ["about drive"]


def test_task_about_something_hidden_is_done_by_its_assignee(tasks, charlie, run_jobs, world):
    """Whom a task is about and what it gives may be hidden from its assignee: doing it works all the same."""
    answer = charlie.api(
        "PUT", f"tasks/{tasks['drive']}", {"status": TaskStatus.COMPLETED, "comment": "Done."}
    )
    assert answer.status_code == 200
    db.session.expire_all()
    assert db.session.get(WorkflowTask, tasks["drive"]).completed_by_id == world.people["charlie"]
