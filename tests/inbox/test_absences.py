"""Away, and who stands in: for tasks that come, for tasks that are open, and who may say so."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.directory import operations as directory
from app.directory.models import Person
from app.foundation import clock
from app.foundation.database import db
from app.foundation.errors import DomainError, Forbidden, InvalidInput
from app.foundation.viewer import viewing_as
from app.inbox import absence_operations as absences
from app.inbox import operations as inbox
from app.inbox.absence_models import Absence
from app.inbox.models import TaskAction, TaskComment, TaskType, WorkflowTask
from app.inbox.standing_in import StandIns
from app.inventory.models import Product
from app.notifications.models import Notification
from tests.access import seen_by


@pytest.fixture
def today() -> date:
    return clock.today()


@pytest.fixture
def away(context, world, today):
    """Somebody is away from today on."""

    def make(
        name: str, substitute: str | None = None, *, days: int = 10, starts: int = 0, **fields
    ) -> Absence:
        row = absences.create_absence(
            person_id=world.people[name],
            starts_on=today + timedelta(days=starts),
            ends_on=today + timedelta(days=days),
            substitute_id=world.people[substitute] if substitute else None,
            **fields,
        )
        db.session.commit()
        return row

    return make


@pytest.fixture
def task(context, world):
    """A task of somebody, about Dora and Gmail, of alice's service."""

    def open_(name: str, about: str = "dora") -> WorkflowTask:
        product = db.session.get_one(Product, world.products["Gmail"])
        made = inbox.open_task(
            case_id=None,
            key="x",
            assignee=db.session.get_one(Person, world.people[name]),
            title="Give Dora access",
            type=TaskType.ONBOARDING,
            action=TaskAction.GRANT_ACCESS,
            target=db.session.get_one(Person, world.people[about]),
            product=product,
            service=product.service,
        )
        db.session.commit()
        return made

    return open_


def doer(task: WorkflowTask) -> tuple[str, str | None]:
    return task.assignee.name, task.on_behalf_of.name if task.on_behalf_of else None


def test_new_task_goes_to_the_substitute_and_says_for_whom(away, task, world):
    away("charlie", "bob")
    assert doer(task("charlie")) == ("Bob", "Charlie")
    told = db.session.scalars(
        select(Notification.body).where(Notification.person_id == world.people["bob"])
    ).all()
    assert told == ["For Charlie, who is away."]


def test_chain_is_followed_to_whoever_is_there(away, task):
    away("charlie", "bob")
    away("bob", "root")
    assert doer(task("charlie")) == ("Root", "Charlie")


def test_circle_ends_with_the_administrator_of_the_service(away, task):
    away("charlie", "bob")
    away("bob", "charlie")
    assert doer(task("charlie")) == ("Alice", "Charlie")


def test_substitute_who_left_is_skipped(away, task, world):
    away("charlie", "bob")
    directory.deactivate_person(db.session.get_one(Person, world.people["bob"]))
    assert doer(task("charlie")) == ("Alice", "Charlie")


def test_substitute_never_does_what_is_about_themselves(away, task):
    away("charlie", "bob")
    assert doer(task("charlie", about="bob")) == ("Alice", "Charlie")


def test_without_substitute_or_administrator_an_admin_does_it(away, task):
    away("alice")
    assert doer(task("alice"))[1] == "Alice"
    assert doer(db.session.scalars(select(WorkflowTask)).one())[0] in {"Root", "Portal Administrator"}


def test_everybody_away_leaves_it_with_the_person(away, task, world):
    for name in world.people:
        away(name)
    assert doer(task("charlie")) == ("Charlie", None)


@pytest.mark.parametrize(("starts", "days", "name"), [(1, 3, "Charlie"), (0, 0, "Bob")])
def test_absence_holds_from_its_first_to_its_last_day(away, task, starts, days, name):
    away("charlie", "bob", starts=starts, days=days)
    assert doer(task("charlie"))[0] == name


def test_after_the_absence_tasks_come_to_the_person_again(away, task, monkeypatch):
    away("charlie", "bob", days=2)
    later = clock.now() + timedelta(days=3)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert doer(task("charlie")) == ("Charlie", None)


def test_open_tasks_move_when_it_begins_if_that_is_wanted(away, task, monkeypatch):
    made = task("charlie")
    row = away("charlie", "bob", starts=2)
    assert doer(made) == ("Charlie", None)
    assert absences.begin_absences() == 0
    later = clock.now() + timedelta(days=2)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert (absences.begin_absences(), absences.begin_absences()) == (1, 0)
    assert doer(made) == ("Bob", "Charlie")
    assert row.moved_at is not None
    comment = db.session.scalars(select(TaskComment.content)).one()
    assert comment.startswith("Charlie is away until")
    assert comment.endswith("the task goes to Bob.")


def test_open_tasks_stay_if_that_is_wanted_until_somebody_takes_them_over(away, task, viewer_of):
    made = task("charlie")
    row = away("charlie", "bob", moves_tasks=False)
    assert (absences.begin_absences(), doer(made)) == (0, ("Charlie", None))
    with viewing_as(viewer_of("alice")), pytest.raises(Forbidden):
        absences.take_over(row)
    with viewing_as(viewer_of("bob")):
        assert absences.take_over(row) == 1
    assert doer(made) == ("Bob", "Charlie")


def test_task_given_to_whoever_is_away_goes_to_the_substitute(away, task, viewer_of, world):
    made = task("alice")
    away("charlie", "bob")
    with viewing_as(viewer_of("root")):
        inbox.reassign(made, world.people["charlie"])
        assert doer(made) == ("Bob", "Charlie")
        inbox.reassign(made, world.people["alice"])
    assert doer(made) == ("Alice", None)


def test_everybody_says_it_for_themselves_and_admins_for_anybody(context, world, viewer_of, today):
    times = {"starts_on": today, "ends_on": today}
    for name in ("alice", "bob", "charlie", "root"):
        with viewing_as(viewer_of(name)):
            assert absences.create_absence(**times).person_id == world.people[name]
    for name in ("alice", "bob", "charlie"):
        with viewing_as(viewer_of(name)), pytest.raises(DomainError):
            absences.create_absence(person_id=world.people["dora"], **times)
    with viewing_as(viewer_of("root")):
        assert absences.create_absence(person_id=world.people["dora"], **times)


def test_form_asks_only_admins_whose_it_is(root, charlie):
    assert 'name="person_id"' in root.get("/absences/add").text
    assert 'name="person_id"' not in charlie.get("/absences/add").text


def test_others_change_and_end_nothing(away, viewer_of, today):
    row = away("charlie", "bob")
    for name in ("alice", "bob"):
        with viewing_as(viewer_of(name)):
            with pytest.raises(Forbidden):
                absences.change_absence(row, ends_on=today)
            with pytest.raises(Forbidden):
                absences.delete_absence(row)
    with viewing_as(viewer_of("charlie")):
        absences.change_absence(row, ends_on=today)
        absences.delete_absence(row)
    assert db.session.scalars(select(Absence)).all() == []


@pytest.mark.parametrize(
    ("starts", "ends", "field"), [(3, 2, "ends_on"), (-5, -1, "ends_on"), (0, 5000, "ends_on")]
)
def test_impossible_time_is_refused(away, starts, ends, field):
    with pytest.raises(InvalidInput) as refused:
        away("charlie", starts=starts, days=ends)
    assert list(refused.value.fields) == [field]


def test_overlap_is_refused_in_words_and_by_the_database(root, charlie, away, world, today):
    away("charlie", starts=5, days=9)
    sent = {"starts_on": today.isoformat(), "ends_on": (today + timedelta(days=5)).isoformat()}
    answer = charlie.api("POST", "absences/", sent)
    assert (answer.status_code, answer.json["detail"][0]["field"]) == (422, "starts_on")
    assert "already" in answer.json["message"]
    sent["ends_on"] = (today + timedelta(days=4)).isoformat()
    assert charlie.api("POST", "absences/", sent).status_code == 201


@pytest.mark.parametrize("who", ["themselves", "left", "nobody"])
def test_impossible_substitute_is_refused(root, context, world, today, who):
    if who == "left":
        directory.deactivate_person(db.session.get_one(Person, world.people["bob"]))
        db.session.commit()
    key = {"themselves": world.people["charlie"], "left": world.people["bob"], "nobody": 999_999}[who]
    sent = {"personId": world.people["charlie"], "substituteId": key, "startsOn": today.isoformat(), "endsOn": today.isoformat()}  # fmt: skip
    answer = root.api("POST", "absences/", sent)
    assert (answer.status_code, answer.json["detail"][0]["field"]) == (422, "substitute_id")


def test_absences_are_seen_by_both_and_by_admins(away, viewer_of, world):
    away("charlie", "bob")
    away("alice", "root")
    people = world.people
    for name, seen in (("charlie", {"charlie"}), ("bob", {"charlie"}), ("alice", {"alice"}), ("root", {"alice", "charlie"})):  # fmt: skip
        assert seen_by(viewer_of(name), Absence, Absence.person_id) == {people[one] for one in seen}


def test_payment_reminders_go_to_the_substitute_who_becomes_no_admin(away, world):
    from app.payments import operations as payments  # noqa: PLC0415
    from app.payments import queries  # noqa: PLC0415
    from app.reminders import operations as reminders  # noqa: PLC0415

    away("bob", "charlie")
    away("root", "dora")
    day = (clock.today() + timedelta(days=7)).isoformat()
    payments.change_payment(queries.payment_of(world.products["Slack Business"]), expiry_date=day, amount="5")
    reminders.tell_of_payments()
    told = set(db.session.scalars(select(Notification.person_id).where(Notification.kind == "payments")))
    assert told == {world.people["charlie"], world.people["portal administrator"]}


PEOPLE = st.integers(1, 8)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(PEOPLE, st.none() | PEOPLE), st.frozensets(PEOPLE), st.frozensets(PEOPLE), PEOPLE)
def test_chain_ends_with_somebody_present_or_nobody(named, gone, but, person):
    found = StandIns(named, gone).of(person, but=but)
    assert found is None or (found not in named and found not in gone and found not in but)
    if person not in named and person not in gone | but:
        assert found == person


def test_page_of_absences_and_its_form(charlie, root, away, world, today):
    answer = charlie.post("/absences/add", {"starts_on": today.isoformat(), "ends_on": today.isoformat()})
    assert answer.status_code == 302
    page = charlie.get("/absences/list/").text
    assert "Charlie" in page

    key = db.session.scalars(select(Absence.id)).one()
    assert root.get(f"/absences/show/{key}").status_code == 200
    assert "Move open tasks now" in root.get(f"/absences/show/{key}").text
    assert charlie.post(f"/absences/{key}/take-over", {}).status_code == 302
