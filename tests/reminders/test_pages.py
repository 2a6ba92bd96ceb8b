"""The pages of reminders and of their rules, as browsers and scripts meet them."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.foundation.database import db
from app.reminders import queries
from app.reminders.items import Item
from app.reminders.models import ProductReminders, ReminderAnswer
from tests.reminders.conftest import TODAY
from tests.reminders.test_answers import task_for


@pytest.fixture
def item(card, world) -> str:
    return str(Item(world.products["Gmail"], "expiry", card))


def test_page_shows_ones_own_and_an_admin_everybodys(item, alice, bob, charlie, root):
    assert "Google Workspace Gmail expires" in alice.get("/reminders/").text
    for visitor in (bob, charlie):
        page = visitor.get("/reminders/")
        assert page.status_code == 200
        assert "Gmail" not in page.text
        assert "Nothing is coming up" in page.text
        assert visitor.get("/reminders/?whose=all").status_code == 403
    assert "Nothing is coming up" in root.get("/reminders/").text
    assert "Credit card ··4242" in root.get("/reminders/?whose=all").text


def test_what_is_paid_stays_with_the_admins(item, pay, alice, root):
    pay("Gmail", next_renewal_date=(TODAY + timedelta(days=9)).isoformat(), renewal_frequency="yearly")
    page = alice.get("/reminders/").text
    assert "Google Workspace Gmail renews" in page
    assert "12.50" not in page
    assert "4242" not in page
    assert "USD 12.50" in root.get("/reminders/?whose=all").text


def test_answer_is_shown_with_its_author_and_taken_back(item, alice, root):
    assert (
        alice.post("/reminders/answer", {"item": item, "reply": "acknowledge", "for_all": "y"}).status_code
        == 302
    )
    page = root.get("/reminders/?whose=all").text
    assert "Acknowledged by Alice, for everybody" in page.replace("\n", "")
    assert root.post("/reminders/answer", {"item": item, "reply": "again", "for_all": "y", "whose": "all"}).status_code == 302  # fmt: skip
    assert db.session.scalars(select(ReminderAnswer)).all() == []


def test_delay_is_shown_and_a_refused_one_says_why(item, alice):
    until = (TODAY + timedelta(days=5)).isoformat()
    assert (
        alice.post("/reminders/answer", {"item": item, "reply": "snooze", "until": until}).status_code == 302
    )
    assert "Put off until" in alice.get("/reminders/").text
    for sent, words in (
        ({}, "Choose a day."),
        ({"until": TODAY.isoformat()}, "after today"),
        ({"until": "2030-02-31"}, "Not a valid date"),
    ):
        answer = alice.post("/reminders/answer", {"item": item, "reply": "snooze", **sent})
        assert answer.status_code == 422
        assert words in answer.text


def test_answer_about_what_one_may_not_see_is_not_found(item, world, bob, charlie):
    task = task_for(world, "alice", TODAY)
    for visitor in (bob, charlie):
        assert visitor.post("/reminders/answer", {"item": item, "reply": "acknowledge"}).status_code == 404
        assert visitor.post("/reminders/answer", {"task": task.id, "reply": "acknowledge"}).status_code == 404
    assert db.session.scalars(select(ReminderAnswer)).all() == []


def test_answer_needs_the_token_of_the_form(item, alice):
    from tests.visitor import apart  # noqa: PLC0415

    answer = apart(alice.client.post, "/reminders/answer", data={"item": item, "reply": "acknowledge"})
    assert answer.status_code == 400


def test_tasks_stand_among_the_payments(item, world, alice, charlie):
    task = task_for(world, "charlie", TODAY - timedelta(days=2), "Give Dora access")
    page = charlie.get("/reminders/").text
    assert "Give Dora access" in page
    assert "2 days overdue" in page
    assert charlie.post("/reminders/answer", {"task": task.id, "reply": "acknowledge"}).status_code == 302
    assert "Acknowledged by you" in charlie.get("/reminders/").text.replace("\n", "")
    assert alice.post("/reminders/answer", {"task": task.id, "reply": "acknowledge"}).status_code == 403


def test_page_takes_as_many_statements_for_many_as_for_few(pay, alice, statements):
    def ask() -> int:
        with statements() as seen:
            assert alice.get("/reminders/").status_code == 200
        return len(seen)

    soon = (TODAY + timedelta(days=9)).isoformat()
    pay("Gmail", expiry_date=soon)
    ask()
    few = ask()
    pay("Drive", expiry_date=soon, next_renewal_date=soon, renewal_frequency="monthly")
    assert ask() <= few <= 16


def test_rules_are_changed_by_admins_alone(root, alice, charlie, context):
    sent = {"days": "90, 10", "escalate_after": "5", "access_days": "0"}
    for visitor in (alice, charlie):
        assert visitor.get("/reminder-rules/").status_code == 403
        assert visitor.post("/reminder-rules/", sent).status_code == 403
    assert queries.rules().days == [60, 30, 14, 7, 1]
    assert root.post("/reminder-rules/", sent).status_code == 302
    assert 'value="90, 10"' in root.get("/reminder-rules/").text
    rules = queries.rules()
    assert (rules.days, rules.escalate_after, rules.access_days) == ([90, 10], 5, 0)


@pytest.mark.parametrize(
    "wrong",
    [{"days": "7, 7"}, {"days": "400"}, {"days": "soon"}, {"escalate_after": "0"}, {"escalate_after": "x"},
     {"access_days": "-1"}, {"access_days": "9" * 30}, {"days": ",".join(map(str, range(1, 13)))}],
)  # fmt: skip
def test_impossible_rules_change_nothing(root, context, wrong):
    answer = root.post("/reminder-rules/", {"days": "60", "escalate_after": "3", "access_days": "7", **wrong})
    assert answer.status_code == 422
    assert queries.rules().days == [60, 30, 14, 7, 1]


def test_days_of_a_product_through_page_and_api(root, alice, world, context):
    gmail, drive = world.products["Gmail"], world.products["Drive"]
    assert root.post("/product-reminders/add", {"product_id": gmail, "days": "5, 40"}).status_code == 302
    assert "40, 5" in root.get("/product-reminders/list/").text
    key = db.session.scalars(select(ProductReminders.id)).one()
    assert 'value="40, 5"' in root.get(f"/product-reminders/edit/{key}").text
    assert root.post(f"/product-reminders/edit/{key}", {"days": "x"}).status_code == 422
    made = root.api("POST", "product-reminders/", {"productId": drive, "days": [3]})
    assert made.status_code == 201
    assert root.api("POST", "product-reminders/", {"productId": drive, "days": [3]}).status_code == 409
    for days in ([3, 3], [0], ["x"], list(range(1, 12)), None):
        assert root.api("PUT", f"product-reminders/{made.json['id']}", {"days": days}).status_code == 422
    assert alice.api("GET", "product-reminders/").status_code == 403
    assert root.api("DELETE", f"product-reminders/{made.json['id']}").status_code == 200


def test_ones_answers_are_in_the_api(item, alice, bob, world):
    alice.post("/reminders/answer", {"item": item, "reply": "acknowledge"})
    [row] = alice.api("GET", "reminder-answers/").json["result"]
    assert (row["product_id"], row["kind"], row["person_id"]) == (world.products["Gmail"], "expiry", world.people["alice"])  # fmt: skip
    assert bob.api("GET", "reminder-answers/").json["count"] == 0
