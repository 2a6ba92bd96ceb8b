"""Acknowledged, later, again: what people say to reminders, and who may say it about what."""

from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from app.audit.models import AuditEntry
from app.foundation import clock
from app.foundation.database import db
from app.foundation.errors import Conflict, Forbidden, InvalidInput, NotFound
from app.foundation.viewer import viewing_as
from app.inbox import operations as inbox
from app.inbox.models import TaskAction, TaskType, WorkflowTask
from app.reminders import operations as reminders
from app.reminders.items import Item
from app.reminders.models import ReminderAnswer, ReminderSent
from tests.access import seen_by
from tests.reminders.conftest import TODAY


@pytest.fixture
def item(card, world) -> str:
    return str(Item(world.products["Gmail"], "expiry", card))


@pytest.fixture
def answer(viewer_of):
    """Somebody answers, and it is committed."""

    def give(name, *items, **how):
        with viewing_as(viewer_of(name)):
            rows = reminders.answer_items(items, **{"until": None, **how})
        db.session.commit()
        return rows

    return give


def test_acknowledged_item_is_silent_until_it_is_overdue(item, check, answer, on, card):
    check()
    answer("alice", item)
    on(TODAY + timedelta(days=16))
    assert set(check()) == {"root"}
    on(card + timedelta(days=1))
    assert set(check()) == {"alice", "root"}
    on(card + timedelta(days=2))
    assert check() == {}


def test_acknowledged_when_overdue_is_silent_for_good(item, check, answer, on, card):
    on(card + timedelta(days=1))
    answer("alice", item)
    assert set(check()) == {"root"}


def test_item_that_moves_is_told_anew(item, check, answer, pay, card):
    answer("alice", item)
    pay("Gmail", expiry_date=(card - timedelta(days=20)).isoformat())
    assert set(check()) == {"alice", "root"}


def test_delay_ends_and_the_item_comes_back_once(item, check, answer, on):
    check()
    answer("alice", item, until=TODAY + timedelta(days=17))
    on(TODAY + timedelta(days=16))
    assert set(check()) == {"root"}
    on(TODAY + timedelta(days=17))
    assert check() == {"alice": ["The card for Google Workspace Gmail expires in 13 days"]}
    assert check() == {}
    on(TODAY + timedelta(days=23))
    assert set(check()) == {"alice", "root"}


def test_administrator_answers_for_everybody(item, check, answer, viewer_of):
    answer("alice", item, for_all=True)
    assert check() == {}
    with viewing_as(viewer_of("root")):
        reminders.withdraw_items([item], for_all=True)
    db.session.commit()
    assert set(check()) == {"alice", "root"}


def test_changed_mind_is_one_answer_and_two_entries_of_the_log(item, answer):
    answer("alice", item)
    answer("alice", item, until=TODAY + timedelta(days=3))
    assert db.session.scalar(select(func.count()).select_from(ReminderAnswer)) == 1
    actions = select(AuditEntry.action, AuditEntry.actor_name).where(
        AuditEntry.target_type == "reminder_answer"
    )
    assert db.session.execute(actions.order_by(AuditEntry.id)).all() == [
        ("reminder_answer.create", "alice"),
        ("reminder_answer.update", "alice"),
    ]


def test_item_of_others_is_not_there(item, answer):
    for name in ("bob", "charlie"):
        with pytest.raises(NotFound):
            answer(name, item)
    assert len(answer("root", item)) == 1


@pytest.mark.parametrize("name", ["", "x", "1.expiry", "1.expiry.2030-02-30", "1.expiry.2030-03-31\x00", "1.pay.2030-03-31",
                                  "99999999999.expiry.2030-03-31", "0.expiry.2030-03-31", "1.expiry.\u0662030-03-31"])  # fmt: skip
def test_nonsense_names_nothing(item, answer, name):
    with pytest.raises(NotFound):
        answer("root", name)


def test_answer_to_nothing_or_to_too_much_is_refused(item, answer):
    for items in ([], [item] * 1 + [f"{n}.expiry.2030-01-01" for n in range(1, 502)]):
        with pytest.raises(InvalidInput):
            answer("root", *items)


@pytest.mark.parametrize(
    ("days", "words"),
    [(0, "after today"), (-3, "after today"), (31, "Choose a day up to then"), (4000, "due on")],
)
def test_delay_lies_between_today_and_the_day(item, answer, days, words):
    with pytest.raises(InvalidInput, match=words):
        answer("alice", item, until=TODAY + timedelta(days=days))


def test_overdue_item_is_put_off_for_a_year_at_most(item, answer, on, card, check):
    on(card + timedelta(days=5))
    assert len(answer("alice", item, until=card + timedelta(days=30))) == 1
    assert set(check()) == {"root"}
    on(card + timedelta(days=30))
    assert set(check()) == {"alice"}
    with pytest.raises(InvalidInput, match="a year from now"):
        answer("alice", item, until=card + timedelta(days=500))


def test_answers_are_seen_by_whom_they_are_for(item, answer, viewer_of, world):
    for name in ("alice", "root"):
        answer(name, item)
    answer("root", item, for_all=True)
    owner = func.coalesce(ReminderAnswer.person_id, 0)
    people = world.people
    assert seen_by(viewer_of("alice"), ReminderAnswer, owner) == {people["alice"], 0}
    assert seen_by(viewer_of("bob"), ReminderAnswer, owner) == set()
    assert seen_by(viewer_of("root"), ReminderAnswer, owner) == {people["alice"], people["root"], 0}
    for name in ("alice", "bob", "charlie"):
        assert seen_by(viewer_of(name), ReminderSent, ReminderSent.id) == set()


def task_for(world, name: str, due_on: date | None, title: str = "Give Dora access") -> WorkflowTask:
    from app.directory.models import Person  # noqa: PLC0415
    from app.inventory.models import Product  # noqa: PLC0415

    product = db.session.get_one(Product, world.products["Gmail"])
    task = inbox.open_task(
        case_id=None,
        key=f"{title}:{name}:{due_on}",
        assignee=db.session.get_one(Person, world.people[name]),
        title=title,
        type=TaskType.ONBOARDING,
        action=TaskAction.GRANT_ACCESS,
        product=product,
        service=product.service,
        due_on=due_on,
    )
    db.session.commit()
    return task


def test_task_is_answered_by_whoever_has_it(context, world, on, viewer_of):
    task = task_for(world, "charlie", TODAY + timedelta(days=5))
    with viewing_as(viewer_of("charlie")):
        row = reminders.answer_task(task, until=None)
        assert (row.person_id, row.task_id) == (world.people["charlie"], task.id)
        with pytest.raises(InvalidInput, match="up to then"):
            reminders.answer_task(task, until=TODAY + timedelta(days=6))
        reminders.withdraw_task(task)
    assert db.session.scalar(select(func.count()).select_from(ReminderAnswer)) == 0
    for name in ("alice", "root"):
        with viewing_as(viewer_of(name)), pytest.raises(Forbidden):
            reminders.answer_task(task, until=None)
    with viewing_as(viewer_of("bob")), pytest.raises(NotFound):
        reminders.task_to_answer(task.id)


def test_task_without_a_day_or_finished_is_not_acknowledged(context, world, on, viewer_of):
    task = task_for(world, "charlie", None)
    with viewing_as(viewer_of("charlie")):
        with pytest.raises(InvalidInput, match="no due date"):
            reminders.answer_task(task, until=None)
        reminders.answer_task(task, until=TODAY + timedelta(days=60))
        inbox.work_on(task, status="completed")
        with pytest.raises(Conflict):
            reminders.answer_task(task, until=TODAY + timedelta(days=60))


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("run"), st.integers(0, 12)),
        st.tuples(st.just("acknowledge"), st.integers(0, 5)),
        st.tuples(st.just("snooze"), st.integers(1, 20)),
        st.tuples(st.just("again"), st.integers(0, 3)),
    ),
    max_size=10,
)


@pytest.fixture
def stage(item, check, answer, on, card, viewer_of):
    """All that a story about one item needs."""
    return SimpleNamespace(item=item, check=check, answer=answer, on=on, card=card, viewer_of=viewer_of)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_no_sequence_tells_twice_or_forgets(stage, steps):
    """Whatever runs, rests and answers come: on no day two messages, and in the end the item was told as overdue."""
    for model in (ReminderSent, ReminderAnswer):
        db.session.execute(delete(model))
    db.session.commit()
    today = TODAY
    for what, days in steps:
        if what in {"run", "again"}:
            today += timedelta(days=days)
        stage.on(today)
        _do(what, days, stage)
        stage.check()
        assert stage.check() == {}
    stage.on(max(today, stage.card) + timedelta(days=400))
    stage.check()
    silent = select(ReminderAnswer).where(
        ReminderAnswer.until.is_(None), ReminderAnswer.given_on > stage.card
    )
    overdue = select(func.count()).where(ReminderSent.threshold == -1, ReminderSent.person_id.is_not(None))
    assert db.session.scalar(overdue) >= 2 or db.session.scalars(silent).first() is not None


def _do(what, days, stage) -> None:
    until = clock.today() + timedelta(days=days)
    if what == "acknowledge":
        stage.answer("alice", stage.item)
    elif what == "snooze" and (until <= stage.card or clock.today() >= stage.card):
        stage.answer("alice", stage.item, until=until)
    elif what == "again":
        with viewing_as(stage.viewer_of("alice")):
            reminders.withdraw_items([stage.item])
        db.session.commit()
