"""The payment expiry check: who is told, of what, and how often."""

import threading
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, text

from app.directory.models import Person
from app.foundation import events
from app.foundation.database import db
from app.inventory import operations as inventory
from app.notifications.models import Notification
from app.payments.events import PaymentExpiring
from app.payments.models import PaymentInfo
from app.reminders import operations as reminders
from app.reminders.models import ReminderSent
from tests.reminders.conftest import TODAY, told_last


def test_administrators_and_admins_are_told_and_nobody_else(card, check):
    told = check()
    assert told == {
        "alice": ["The card for Google Workspace Gmail expires in 30 days"],
        "root": ["Credit card ··4242 for Google Workspace Gmail expires in 30 days"],
    }


def test_what_is_paid_is_told_to_those_who_may_read_it(pay, check, world):
    pay("Slack Business", next_renewal_date=(TODAY + timedelta(days=7)).isoformat(), renewal_frequency="yearly", amount="99")  # fmt: skip
    assert check() == {name: ["Slack Business renews in 7 days"] for name in ("bob", "root")}
    assert told_last(world.people["root"]) == "8 Mar 2030, USD 99.00"
    assert told_last(world.people["bob"]) == "8 Mar 2030"


def test_each_threshold_once_and_then_overdue(card, check, on):
    told = {}
    for days in range(35):
        on(TODAY + timedelta(days=days))
        if titles := check().get("alice"):
            told[30 - days] = titles
    assert list(told) == [30, 14, 7, 1, -1]
    assert told[-1] == ["The card for Google Workspace Gmail expired yesterday"]


def test_days_without_a_run_leave_one_message(card, check, on):
    check()
    on(TODAY + timedelta(days=28))
    assert check()["alice"] == ["The card for Google Workspace Gmail expires in 2 days"]
    assert check() == {}
    on(TODAY + timedelta(days=90))
    assert check()["alice"] == ["The card for Google Workspace Gmail expired 60 days ago"]
    assert check() == {}


def test_moved_day_begins_anew(card, check, pay):
    check()
    pay("Gmail", expiry_date=(card + timedelta(days=1)).isoformat())
    assert check()["alice"] == ["The card for Google Workspace Gmail expires in 31 days"]


def test_one_message_holds_all_of_somebodys_items(pay, check, world):
    for name, days in (("Gmail", 5), ("Drive", -4), ("Slack Business", 20)):
        day = (TODAY + timedelta(days=days)).isoformat()
        pay(name, expiry_date=day, payment_method="Credit card", card_last4="4242")
    told = check()
    assert told["root"] == ["3 payments need a look, 1 of them overdue"]
    assert told["alice"] == ["2 payments need a look, 1 of them overdue"]
    assert told["bob"] == ["The card for Slack Business expires in 20 days"]
    body = told_last(world.people["root"])
    assert [line.partition(":")[0] for line in body.splitlines()] == [
        "Credit card ··4242 for Google Workspace Drive expired 4 days ago",
        "Credit card ··4242 for Google Workspace Gmail expires in 5 days",
        "Credit card ··4242 for Slack Business expires in 20 days",
    ]


def test_card_that_pays_for_many_is_one_line(pay, check):
    for name in ("Gmail", "Drive", "Slack Business", "Copilot"):
        pay(name, expiry_date=TODAY.isoformat(), payment_method="Credit card", card_last4="4242")
    assert check()["root"] == [
        "Credit card ··4242 for GitHub Copilot, Google Workspace Drive and 2 more expires today"
    ]


def test_last_day_to_cancel_and_renewal_are_items_of_their_own(pay, check, on, world):
    pay("Gmail", next_renewal_date=(TODAY + timedelta(days=40)).isoformat(), renewal_frequency="yearly", notice_days=30)  # fmt: skip
    assert check()["alice"] == ["2 payments need a look"]
    on(TODAY + timedelta(days=11))
    assert check()["alice"] == ["2 payments need a look, 1 of them overdue"]
    assert "Too late to cancel Google Workspace Gmail" in told_last(world.people["alice"])


def test_renewal_that_nobody_decides_is_overdue(pay, check, on):
    day = TODAY + timedelta(days=3)
    pay("Gmail", next_renewal_date=day.isoformat(), renewal_frequency="yearly", auto_renew=False)
    assert check()["alice"] == ["Google Workspace Gmail has to be renewed in 3 days"]
    on(day + timedelta(days=1))
    assert check()["alice"] == ["Google Workspace Gmail was to be renewed yesterday"]
    assert check() == {}


def test_product_has_days_of_its_own(card, check, world, on):
    row = reminders.create_product_reminders(product_id=world.products["Gmail"], days="45, 3")
    assert "alice" in check()
    on(card - timedelta(days=14))
    assert check() == {}
    on(card - timedelta(days=3))
    assert check()["alice"] == ["The card for Google Workspace Gmail expires in 3 days"]
    reminders.change_product_reminders(row, days="")
    on(card)
    assert check() == {}
    on(card + timedelta(days=1))
    assert set(check()) == {"alice", "root"}


def test_new_administrator_hears_of_what_is_near(card, check, world):
    check()
    inventory.assign_administrator(person_id=world.people["bob"], product_id=world.products["Gmail"])
    assert check() == {"bob": ["The card for Google Workspace Gmail expires in 30 days"]}


def test_other_systems_hear_of_each_threshold_once(card, check, on, world, monkeypatch):
    heard = []
    monkeypatch.setattr(events, "_handlers", {PaymentExpiring: [heard.append]})
    check()
    inventory.assign_administrator(person_id=world.people["bob"], product_id=world.products["Gmail"])
    check()
    on(TODAY + timedelta(days=16))
    check()
    gmail = world.products["Gmail"]
    assert heard == [PaymentExpiring(gmail, "expiry", card, 30), PaymentExpiring(gmail, "expiry", card, 14)]


def test_check_that_fails_tells_nobody_and_the_next_one_everybody(card, check, monkeypatch):
    def fail(_fact):
        raise RuntimeError("the process died")

    monkeypatch.setattr(events, "publish", fail)
    with pytest.raises(RuntimeError):
        reminders.tell_of_payments()
    db.session.rollback()
    monkeypatch.undo()
    assert db.session.scalar(select(func.count()).select_from(ReminderSent)) == 0


def test_two_checks_at_once_tell_nobody_twice(app, card):
    gate = threading.Barrier(4)

    def run() -> None:
        with app.app_context():
            gate.wait()
            reminders.tell_of_payments()
            db.session.commit()
            db.session.remove()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    per_person = select(func.count()).select_from(Notification).group_by(Notification.person_id)
    assert db.session.scalars(per_person).all() == [1, 1, 1]


def test_database_itself_refuses_to_tell_twice(card, check):
    check()
    again = "INSERT INTO reminders_sent (product_id, kind, day, threshold, person_id, after, sent_at) SELECT product_id, kind, day, threshold, person_id, after, sent_at FROM reminders_sent ON CONFLICT DO NOTHING"  # fmt: skip
    assert db.session.execute(text(again)).rowcount == 0


def _many(world, products: int, admins: int) -> None:
    """So many products in alice's service whose cards expire, and so many administrators of it."""
    service = world.services["Google Workspace"]
    run = db.session.execute
    run(
        text(
            "INSERT INTO products (service_id, name, status, created_at, updated_at)"
            " SELECT :s, 'P' || n, 'active', now(), now() FROM generate_series(1, :n) n"
        ),
        {"s": service, "n": products},
    )
    run(
        text(
            "INSERT INTO payment_infos (product_id, currency, expiry_date, auto_renew, created_at, updated_at)"
            " SELECT id, 'USD', :day, true, now(), now() FROM products WHERE name ~ '^P[0-9]+$'"
        ),
        {"day": TODAY + timedelta(days=20)},
    )
    db.session.add_all(Person(name=f"Admin {n}", email=f"admin.{n}@example.com") for n in range(admins))
    db.session.flush()
    run(
        text(
            "INSERT INTO permission_assignments (person_id, service_id, created_at)"
            " SELECT id, :s, now() FROM users WHERE name LIKE 'Admin %'"
        ),
        {"s": service},
    )
    db.session.commit()


def test_ten_thousand_reminders_take_a_bounded_number_of_statements(context, world, on, statements):
    _many(world, products=1000, admins=7)
    with statements() as seen:
        people, items = reminders.tell_of_payments()
    assert (people, items) == (10, 1000)
    assert len(seen) <= 30
    assert db.session.scalar(select(func.count()).where(ReminderSent.person_id.is_not(None))) == 10_000
    assert db.session.scalar(select(func.count()).select_from(Notification)) == 10


def test_check_looks_at_no_payment_beyond_the_furthest_threshold(pay, check, world):
    pay("Gmail", expiry_date=date(2031, 12, 31).isoformat())
    assert check() == {}
    assert db.session.scalar(select(func.count()).select_from(PaymentInfo)) == 5
