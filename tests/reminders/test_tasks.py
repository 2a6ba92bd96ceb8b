"""Mondays' list, escalation, and access that ends soon."""

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from app.directory.models import Person
from app.foundation.database import db
from app.foundation.errors import Forbidden
from app.foundation.viewer import viewing_as
from app.inbox import absence_operations as absences
from app.inbox import operations as inbox
from app.inbox.models import TaskEscalation, WorkflowTask
from app.inventory import operations as inventory
from app.inventory.models import AccessGrant
from app.notifications.models import Kind, Notification
from app.reminders import operations as reminders
from tests.access import seen_by
from tests.reminders.conftest import TODAY, new_notices, told_last
from tests.reminders.test_answers import task_for

MONDAY = date(2030, 3, 4)


@pytest.fixture
def told(context, world, on):
    """Run a job; the titles of its notices by who got them."""

    def run(verb, kind: Kind) -> dict[str, list[str]]:
        before = db.session.scalars(select(Notification.id)).all()
        verb()
        db.session.commit()
        return new_notices(world, before, kind)

    on(MONDAY)
    return run


def monday(told):
    return told(reminders.tell_of_tasks, Kind.PENDING_TASKS)


def escalated(told):
    return told(reminders.escalate_tasks, Kind.ESCALATION)


def test_mondays_message_lists_what_is_open_the_oldest_first(told, world):
    for days, title in ((3, "Soon"), (-5, "Late"), (-1, "A day late"), (30, "Far")):
        task_for(world, "charlie", MONDAY + timedelta(days=days), title)
    task_for(world, "bob", MONDAY, "Bob's")
    assert monday(told) == {"charlie": ["4 tasks wait for you, 2 overdue"], "bob": ["1 task waits for you"]}
    assert told_last(world.people["charlie"]).splitlines() == [
        "Late: 5 days overdue",
        "A day late: 1 day overdue",
        "Soon: due 7 Mar 2030",
        "Far: due 3 Apr 2030",
    ]


def test_message_comes_once_a_week_and_to_nobody_with_nothing(told, world, on, viewer_of):
    task = task_for(world, "charlie", MONDAY)
    assert set(monday(told)) == {"charlie"}
    on(MONDAY + timedelta(days=3))
    assert monday(told) == {}
    on(MONDAY + timedelta(days=7))
    assert set(monday(told)) == {"charlie"}
    with viewing_as(viewer_of("charlie")):
        inbox.work_on(task, status="completed")
    on(MONDAY + timedelta(days=14))
    assert monday(told) == {}


def test_answered_task_is_left_out_and_not_forgotten(told, world, on, viewer_of):
    first = task_for(world, "charlie", MONDAY + timedelta(days=10), "Acknowledged")
    second = task_for(world, "charlie", MONDAY + timedelta(days=10), "Put off")
    with viewing_as(viewer_of("charlie")):
        reminders.answer_task(first, until=None)
        reminders.answer_task(second, until=MONDAY + timedelta(days=7))
    assert monday(told) == {}
    on(MONDAY + timedelta(days=7))
    assert monday(told) == {"charlie": ["1 task waits for you"]}
    on(MONDAY + timedelta(days=14))
    assert monday(told) == {"charlie": ["2 tasks wait for you, 2 overdue"]}


def test_substitute_is_told_of_what_waits_for_whoever_is_away(told, world):
    task_for(world, "charlie", MONDAY, "Charlie's")
    absences.create_absence(
        person_id=world.people["charlie"],
        starts_on=MONDAY,
        ends_on=MONDAY,
        substitute_id=world.people["bob"],
        moves_tasks=False,
    )
    assert set(monday(told)) == {"bob"}
    assert told_last(world.people["bob"]) == "For Charlie, who is away: Charlie's: due 4 Mar 2030"


def test_many_tasks_take_few_statements(told, world, statements):
    for number in range(40):
        task_for(
            world, ("charlie", "bob", "alice")[number % 3], MONDAY - timedelta(days=number), f"Task {number}"
        )
    with statements() as seen:
        reminders.tell_of_tasks()
    assert len(seen) <= 9
    with statements() as seen:
        assert reminders.escalate_tasks() == 37
    assert len(seen) <= 24


def test_overdue_task_goes_up_once_for_each_level(told, world, on):
    task_for(world, "charlie", MONDAY, "Give Dora access")
    for days in range(12):
        on(MONDAY + timedelta(days=days))
        found = escalated(told)
        expected = {3: {"alice"}, 6: {"root"}}.get(days, set())
        assert set(found) == expected, days
        assert escalated(told) == {}
        assert all(titles == ["Overdue: Give Dora access"] for titles in found.values())
    assert db.session.scalars(select(TaskEscalation.told).order_by(TaskEscalation.level)).all() == [
        ["Alice"],
        ["Portal Administrator", "Root"],
    ]


def test_after_downtime_the_administrators_have_their_days(told, world, on):
    task_for(world, "charlie", MONDAY)
    on(MONDAY + timedelta(days=50))
    assert set(escalated(told)) == {"alice"}
    on(MONDAY + timedelta(days=52))
    assert escalated(told) == {}
    on(MONDAY + timedelta(days=53))
    assert set(escalated(told)) == {"root"}


def test_own_task_of_the_only_administrator_goes_to_the_admins(told, world, on):
    task_for(world, "alice", MONDAY)
    on(MONDAY + timedelta(days=3))
    assert set(escalated(told)) == {"root"}


def test_nobody_waits_for_whoever_is_away_or_has_left(told, world, on):
    task_for(world, "charlie", MONDAY, "Away")
    absences.create_absence(
        person_id=world.people["charlie"],
        starts_on=MONDAY,
        ends_on=MONDAY + timedelta(days=20),
        moves_tasks=False,
    )
    task_for(world, "bob", MONDAY, "Gone")
    db.session.get_one(Person, world.people["bob"]).active = False
    on(MONDAY + timedelta(days=1))
    assert escalated(told) == {"alice": ["2 tasks are overdue"]}


def test_answer_holds_no_escalation_up(told, world, on, viewer_of):
    task = task_for(world, "charlie", MONDAY)
    on(MONDAY + timedelta(days=1))
    with viewing_as(viewer_of("charlie")):
        reminders.answer_task(task, until=MONDAY + timedelta(days=100))
    on(MONDAY + timedelta(days=3))
    assert set(escalated(told)) == {"alice"}


def test_patience_is_the_companys(told, world, on):
    reminders.change_rules(escalate_after=10)
    task_for(world, "charlie", MONDAY)
    on(MONDAY + timedelta(days=9))
    assert escalated(told) == {}
    on(MONDAY + timedelta(days=10))
    assert set(escalated(told)) == {"alice"}


def test_task_shows_whom_it_was_escalated_to(told, world, on, visit):
    task = task_for(world, "charlie", MONDAY)
    on(MONDAY + timedelta(days=3))
    escalated(told)
    assert "Escalated to Alice" in visit("charlie").get(f"/inbox/{task.id}").text


def test_escalations_are_seen_with_their_task(told, world, on, viewer_of):
    task_for(world, "charlie", MONDAY)
    on(MONDAY + timedelta(days=3))
    escalated(told)
    keys = set(db.session.scalars(select(TaskEscalation.id)))
    for name, seen in (("charlie", keys), ("alice", keys), ("bob", set()), ("root", keys)):
        assert seen_by(viewer_of(name), TaskEscalation, TaskEscalation.id) == seen


def test_rules_are_the_admins(context, viewer_of, world):
    for name in ("alice", "bob", "charlie"):
        with viewing_as(viewer_of(name)):
            with pytest.raises(Forbidden):
                reminders.change_rules(days="1")
            with pytest.raises(Forbidden):
                reminders.create_product_reminders(product_id=world.products["Gmail"], days="1")
    with viewing_as(viewer_of("root")):
        assert reminders.change_rules(days="7, 90").days == [90, 7]


def test_access_that_ends_soon_is_told_once_to_the_products_administrators(told, world, on):
    inventory.grant_access(
        person_id=world.people["dora"], product_id=world.products["Slack Business"], valid_until=TODAY + timedelta(days=9)
    )  # fmt: skip

    def soon():
        return told(reminders.tell_of_access, Kind.ACCESS)

    assert soon() == {"bob": ["Dora's access to Slack Business ends on 10 Mar 2030"]}
    assert soon() == {}
    grant = db.session.scalars(select(AccessGrant).where(AccessGrant.valid_until.is_not(None))).one()
    grant.valid_until = MONDAY + timedelta(days=7)
    assert set(soon()) == {"bob"}
    reminders.change_rules(access_days=0)
    grant.valid_until = MONDAY + timedelta(days=5)
    assert soon() == {}
    assert db.session.scalar(select(func.count()).select_from(WorkflowTask)) == 0
