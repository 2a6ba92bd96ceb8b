"""What was paid stays as it was recorded; a correction counts in its place."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.audit.models import AuditEntry
from app.foundation import clock
from app.foundation.database import db
from app.foundation.errors import Conflict, Forbidden, InvalidInput
from app.foundation.viewer import viewing_as
from app.inventory import operations as inventory
from app.inventory.models import Product
from app.payments import history_queries as history
from app.payments import operations as payments
from app.payments import queries, recording
from app.payments.history_models import PaymentMade
from tests.access import seen_by

MARCH = {"period_start": "2026-03-01", "period_end": "2026-03-31"}


@pytest.fixture
def paid(context, world):
    """`paid(amount="12.00")` records a payment for Gmail."""

    def record(**fields) -> PaymentMade:
        sent = {"product_id": world.products["Gmail"], "amount": "12.00", "paid_on": "2026-03-01", **fields}
        return recording.record_payment(**sent)

    return record


def totals(product_id: int) -> dict[str, Decimal]:
    return {row.currency: row.total for row in history.totals_of(product_id)}


def test_payment_is_recorded_with_what_the_register_knows(paid, world, viewer_of):
    payments.change_payment(
        queries.payment_of(world.products["Gmail"]), currency="EUR", payment_method="PayPal"
    )
    with viewing_as(viewer_of("root")):
        made = paid(note="First month", **MARCH)
    assert (made.amount, made.currency, made.method) == (Decimal("12.00"), "EUR", "PayPal")
    assert (made.period_start, made.period_end) == (date(2026, 3, 1), date(2026, 3, 31))
    assert (made.recorded_by_id, made.recorded_by_name) == (world.people["root"], "root")
    assert made.recorded_at <= clock.now()


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"amount": "-1"}, "amount"),
        ({"amount": "1000000000000"}, "amount"),
        ({"amount": "1.234"}, "amount"),
        ({"amount": "1.5", "currency": "JPY"}, "amount"),
        ({"amount": None}, "amount"),
        ({"amount": "twelve"}, "amount"),
        ({"currency": "XYZ"}, "currency"),
        ({"paid_on": "31/12/2031"}, "paid_on"),
        ({"paid_on": None}, "paid_on"),
        ({"paid_on": "2026-02-30"}, "paid_on"),
        ({"paid_on": (clock.today() + timedelta(days=2)).isoformat()}, "paid_on"),
        ({"period_start": "2026-03-31", "period_end": "2026-03-01"}, "period_end"),
        ({"period_start": "2026-03-31"}, "period_end"),
        ({"period_end": "2026-03-31"}, "period_start"),
        ({"method": "4111 1111 1111 1111"}, "method"),
        ({"method": "m" * 101}, "method"),
        ({"note": "card 4111111111111111"}, "note"),
        ({"note": "n" * 2001}, "note"),
        ({"note": "a\x00b"}, "note"),
        ({"product_id": 2**31 - 1}, "product_id"),
        ({"voids": True}, "voids"),
        ({"corrects_id": 2**31 - 1}, "corrects_id"),
    ],
)
def test_what_does_not_fit_is_refused_at_its_field(paid, fields, at):
    with pytest.raises(InvalidInput) as refused:
        paid(**fields)
    assert set(refused.value.fields) == {at}


def test_every_fault_is_named_at_once(paid):
    with pytest.raises(InvalidInput) as refused:
        paid(amount="-1", currency="XYZ", paid_on="yesterday")
    assert set(refused.value.fields) == {"amount", "currency", "paid_on"}


@pytest.mark.parametrize("name", ["alice", "bob", "charlie"])
def test_only_an_admin_records_and_corrects(paid, viewer_of, name):
    made = paid()
    with viewing_as(viewer_of(name)):
        with pytest.raises(Forbidden):
            paid()
        with pytest.raises(Forbidden):
            recording.correct_payment(made, amount="1.00", note="Mine")


@pytest.mark.parametrize(("name", "seen"), [("root", 2), ("alice", 1), ("bob", 0), ("charlie", 0)])
def test_payments_made_are_seen_with_the_whole_service(paid, world, viewer_of, name, seen):
    paid()
    paid(product_id=world.products["GitHub Enterprise"])
    db.session.commit()
    assert len(seen_by(viewer_of(name), PaymentMade, PaymentMade.id)) == seen
    with viewing_as(viewer_of(name)):
        assert totals(world.products["Gmail"]) == ({"USD": Decimal(12)} if name in {"root", "alice"} else {})


def test_correction_is_a_new_entry_that_counts_instead(paid, world):
    first = paid(note="As on the invoice", **MARCH)
    second = recording.correct_payment(first, amount="21.00", note="Digits swapped")
    third = recording.correct_payment(second, paid_on="2026-03-02", note="A day later")
    assert (second.corrects_id, third.corrects_id) == (first.id, second.id)
    assert (third.amount, third.currency, third.period_end) == (Decimal("21.00"), "USD", date(2026, 3, 31))
    assert db.session.get(PaymentMade, first.id).amount == Decimal("12.00")
    assert totals(world.products["Gmail"]) == {"USD": Decimal("21.00")}
    chain = history.chain_of(first)
    assert (chain.last, chain.earlier) == (third, [second, first])
    [listed], total = history.chains_of(world.products["Gmail"], 1, 25)
    assert (listed.last, listed.earlier, total) == (third, [second, first], 1)


def test_void_payment_counts_nowhere_until_it_is_corrected_again(paid, world):
    first, other = paid(), paid(amount="5.00", currency="EUR")
    void = recording.correct_payment(first, voids=True, amount="99.00", note="Entered twice")
    assert (void.voids, void.amount) == (True, Decimal("12.00"))
    assert totals(world.products["Gmail"]) == {"EUR": other.amount}
    recording.correct_payment(void, note="It was paid after all")
    assert totals(world.products["Gmail"]) == {"EUR": other.amount, "USD": Decimal("12.00")}


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"amount": "1.00"}, {"note"}),
        ({"note": "Nothing to say"}, set()),
        ({"amount": None, "note": "?"}, {"amount"}),
        ({"voids": True}, {"note"}),
        ({"amount": "-1", "note": "?"}, {"amount"}),
    ],
)
def test_correction_says_what_and_why(paid, fields, at):
    with pytest.raises(InvalidInput) as refused:
        recording.correct_payment(paid(), **fields)
    assert set(refused.value.fields) == at


def test_payment_is_corrected_once(paid):
    first = paid()
    recording.correct_payment(first, amount="1.00", note="Wrong")
    with pytest.raises(Conflict, match="already"):
        recording.correct_payment(first, amount="2.00", note="Wrong again")


def test_correction_is_of_the_same_product(paid, world):
    first = paid()
    with pytest.raises(InvalidInput) as refused:
        paid(product_id=world.products["Drive"], corrects_id=first.id, note="Other product")
    assert set(refused.value.fields) == {"product_id"}


def test_database_knows_one_correction_of_the_same_product_only(paid, world):
    first = paid()
    db.session.commit()
    columns = {
        "currency": "USD",
        "amount": Decimal(1),
        "paid_on": date(2026, 3, 1),
        "recorded_by_name": "nobody",
        "corrects_id": first.id,
    }
    db.session.add(PaymentMade(product_id=world.products["Drive"], **columns))
    with pytest.raises(IntegrityError, match="fk_payments_made_corrects_id_product_id"):
        db.session.flush()
    db.session.rollback()
    db.session.add_all(PaymentMade(product_id=first.product_id, **columns) for _ in range(2))
    with pytest.raises(IntegrityError, match="uq_payments_made_corrects_id"):
        db.session.flush()
    db.session.rollback()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE payments_made SET amount = 1",
        "DELETE FROM payments_made",
        "TRUNCATE payments_made CASCADE",
        "DELETE FROM products",
    ],
)
def test_database_refuses_to_change_or_lose_a_payment(paid, statement):
    paid()
    db.session.commit()
    with pytest.raises(DBAPIError, match=r"append-only|still referenced|payments_made"):
        db.session.execute(text(statement))
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(PaymentMade)) == 1


def test_product_with_payments_cannot_be_deleted(paid, world):
    paid(product_id=world.products["Drive"])
    with pytest.raises(Conflict, match="Drive has 1 payment in its history"):
        inventory.delete_product(db.session.get(Product, world.products["Drive"]))
    assert queries.payment_of(world.products["Drive"]) is not None


def test_audit_log_has_who_recorded_what(paid):
    made = paid()
    recording.correct_payment(made, amount="1.00", note="Wrong")
    db.session.commit()
    query = select(AuditEntry).where(AuditEntry.target_type == "payment_made").order_by(AuditEntry.id)
    first, second = db.session.scalars(query)
    assert (first.action, first.after["amount"]) == ("payment_made.create", "12.00")
    assert second.after["corrects_id"] == made.id


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        (None, None, 0),
        (date(2026, 2, 1), date(2026, 2, 28), 1),
        (date(2024, 1, 31), date(2024, 2, 28), 1),
        (date(2026, 1, 1), date(2026, 12, 31), 12),
        (date(2024, 2, 29), date(2027, 2, 28), 36),
        (date(2026, 1, 1), date(2026, 3, 31), 3),
        (date(2026, 1, 1), date(2026, 1, 1), 0),
    ],
)
def test_period_in_months(start, end, months):
    assert history.months_of(start, end) == months


def test_price_changes_compare_a_month_with_a_month(paid, world):
    paid(amount="10.00", paid_on="2025-01-01", period_start="2025-01-01", period_end="2025-01-31")
    paid(amount="10.00", paid_on="2025-02-01", period_start="2025-02-01", period_end="2025-02-28")
    paid(amount="99.00", currency="EUR", paid_on="2025-02-10")
    wrong = paid(amount="1.00", paid_on="2025-03-01", period_start="2025-03-01", period_end="2025-03-31")
    recording.correct_payment(wrong, amount="12.50", note="Wrong")
    paid(amount="120.00", paid_on="2025-04-01", period_start="2025-04-01", period_end="2026-03-31")
    found = history.price_changes_of(world.products["Gmail"])
    assert [(one.since, one.before, one.price, one.percent) for one in found] == [
        (date(2025, 4, 1), Decimal("12.50"), Decimal(10), Decimal(-20)),
        (date(2025, 3, 1), Decimal(10), Decimal("12.50"), Decimal(25)),
    ]


@pytest.mark.parametrize(
    ("period", "following"),
    [
        (("2026-03-01", "2026-03-31"), (date(2026, 4, 1), date(2026, 4, 30))),
        (("2024-02-29", "2025-02-28"), (date(2025, 3, 1), date(2026, 2, 28))),
        (("2026-10-31", "2026-11-29"), (date(2026, 11, 30), date(2026, 12, 29))),
        (("2026-03-01", "2026-03-03"), (None, None)),
        (("9999-01-01", "9999-12-31"), (None, None)),
        ((None, None), (None, None)),
    ],
)
def test_period_that_follows(paid, period, following):
    made = paid(period_start=period[0], period_end=period[1])
    assert history.period_after(made) == following
