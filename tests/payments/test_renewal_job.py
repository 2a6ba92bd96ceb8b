"""The daily job that moves renewals on, and the day of the month that it never loses."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.foundation import clock, ticking
from app.foundation.database import db
from app.payments import operations as payments
from app.payments import queries
from app.payments.jobs import move_renewals_on
from app.payments.models import PaymentInfo


@pytest.fixture
def on(monkeypatch):
    """Set the day."""

    def set_day(text: str) -> None:
        at_noon = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC).replace(hour=12)
        monkeypatch.setattr(clock, "now", lambda: at_noon)

    set_day("2026-01-20")
    return set_day


@pytest.fixture
def payment(context, world, on) -> PaymentInfo:
    return queries.payment_of(world.products["Copilot"])


def state(payment) -> tuple[str, int | None]:
    return payment.next_renewal_date.isoformat(), payment.renewal_day


def test_renewal_that_has_passed_moves_on_and_keeps_its_day(payment, on):
    payments.change_payment(payment, next_renewal_date="2026-01-31", renewal_frequency="monthly")
    for day, then in (
        ("2026-01-31", ("2026-01-31", None)),
        ("2026-02-01", ("2026-02-28", 31)),
        ("2026-02-28", ("2026-02-28", 31)),
        ("2026-03-01", ("2026-03-31", None)),
        ("2026-04-01", ("2026-04-30", 31)),
    ):
        on(day)
        move_renewals_on()
        assert state(payment) == then


def test_long_rest_is_caught_up_in_one_step_and_once(payment, on):
    payments.change_payment(payment, next_renewal_date="2026-01-31", renewal_frequency="quarterly")
    db.session.commit()
    on("2027-02-10")
    assert move_renewals_on() == "1 renewed"
    assert move_renewals_on() == "0 renewed"
    db.session.commit()
    assert state(payment) == ("2027-04-30", 31)
    changes = (
        select(AuditEntry).where(AuditEntry.action == "payment_info.update").order_by(AuditEntry.id.desc())
    )
    last, before = db.session.scalars(changes.limit(2)).all()
    assert (last.before["next_renewal_date"], last.after["next_renewal_date"]) == ("2026-01-31", "2027-04-30")
    assert before.after["next_renewal_date"] == "2026-01-31"


@pytest.mark.parametrize(
    "fields",
    [
        {"auto_renew": False, "renewal_frequency": "monthly"},
        {"renewal_frequency": "one_off"},
        {"renewal_frequency": None},
    ],
)
def test_what_does_not_go_on_by_itself_stays_and_is_due(payment, on, fields):
    known = {
        "amount": "1.00",
        "cardholder_name": "Jane",
        "payment_method": "Invoice",
        "expiry_date": "2030-01-01",
    }
    payments.change_payment(payment, next_renewal_date="2026-01-31", **known, **fields)
    on("2026-03-01")
    move_renewals_on()
    assert (state(payment), payment.state) == (("2026-01-31", None), "renewal_due")


def test_change_by_hand_keeps_the_day_only_as_long_as_it_fits(payment):
    payments.change_payment(payment, next_renewal_date="2026-01-31")
    for day, kept in (
        ("2026-02-28", 31),
        ("2026-02-28", 31),
        ("2026-04-30", 31),
        ("2026-05-30", None),
        ("2026-06-30", None),
    ):
        payments.change_payment(payment, next_renewal_date=day)
        assert payment.renewal_day == kept, day
    payments.change_payment(payment, next_renewal_date="2026-01-31")
    payments.change_payment(payment, next_renewal_date="2026-02-28")
    payments.change_payment(payment, amount="3.00")
    assert payment.renewal_day == 31
    payments.change_payment(payment, next_renewal_date=None)
    assert payment.renewal_day is None


def test_job_is_run_by_the_schedule_for_everybody_s_payments(app, world, on, run_jobs):
    with app.app_context():
        for name in ("Gmail", "Copilot"):
            payments.change_payment(
                queries.payment_of(world.products[name]),
                next_renewal_date="2026-01-25",
                renewal_frequency="monthly",
            )
        db.session.commit()
    on("2026-01-26")
    with app.app_context():
        ticking.tick()
        db.session.remove()
    run_jobs()
    with app.app_context():
        dates = db.session.scalars(
            select(PaymentInfo.next_renewal_date).where(PaymentInfo.next_renewal_date.is_not(None))
        )
        assert set(dates) == {date(2026, 2, 25)}
        log = (
            select(AuditEntry.actor_name)
            .where(AuditEntry.action == "payment_info.update")
            .order_by(AuditEntry.id)
        )
        assert db.session.scalars(log).all()[-1] != "Root"
