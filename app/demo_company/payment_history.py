"""What was paid for the products so far: back from the next renewal, dearer with each year, with a correction here and there."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from app.demo_company.company import seeded
from app.directory.models import Person
from app.foundation import clock
from app.foundation.currencies import decimals_of
from app.foundation.database import db
from app.payments import recording, renewing
from app.payments.history_models import PaymentMade
from app.payments.invoicing import attach_invoice
from app.payments.models import PaymentInfo

MONTHS_BACK = 20
# A raise, and how many months ago it came.
RAISES = (("1.04", 5), ("1.10", 8), ("1.07", 14), ("1", 0), ("1", 0))
CORRECTED, WITH_INVOICE = 0.03, 0.12
WORDS = "BT /F1 18 Tf 72 720 Td ({words}) Tj ET"


def tell(payments: list[PaymentInfo], people: list[Person]) -> None:
    """The members of Finance write them down."""
    chance = seeded("payments made")
    clerks = [one for one in people if one.active and one.department_name == "Finance"][:2]
    for payment in payments:
        made = [_made(payment, clerks, chance, *period) for period in _periods(payment)]
        amount, months = chance.choice(RAISES)
        _raise(made, Decimal(amount), months)
        db.session.add_all(made)
        db.session.flush()
        _afterwards(made, chance)


def _periods(payment: PaymentInfo) -> Iterator[tuple[date, date]]:
    """The first and last days of what was paid for, the latest first."""
    months = renewing.months_of(payment.renewal_frequency)
    coming = payment.next_renewal_date
    if payment.amount is None or months is None or coming is None:
        return
    number = coming.year * 12 + coming.month - 1 - (MONTHS_BACK // months + 2) * months
    first = date(number // 12, number % 12 + 1, min(coming.day, 28))
    days = list(renewing.renewals(renewing.Plan(first, coming.day, months, None), first, coming))
    for starts, after in reversed(list(pairwise(days[1:]))):
        if starts <= clock.today():
            yield starts, after - timedelta(days=1)


def _made(
    payment: PaymentInfo, clerks: list[Person], chance: random.Random, starts: date, ends: date
) -> PaymentMade:
    clerk = chance.choice(clerks)
    paid_on = min(starts + timedelta(days=chance.choice((0, 0, 1, 3))), clock.today())
    return PaymentMade(
        product=payment.product,
        amount=payment.amount,
        currency=payment.currency,
        period_start=starts,
        period_end=ends,
        paid_on=paid_on,
        method=payment.payment_method,
        recorded_by_id=clerk.id,
        recorded_by_name=clerk.name,
    )


def _raise(made: list[PaymentMade], by: Decimal, months: int) -> None:
    """What lies further back than the raise cost less."""
    before = clock.today() - timedelta(days=30 * months)
    for one in made:
        if one.paid_on < before:
            one.amount = round(one.amount / by, decimals_of(one.currency))


def _afterwards(made: list[PaymentMade], chance: random.Random) -> None:
    """Invoices, and here and there a mistake that was found."""
    if made and chance.random() < WITH_INVOICE:
        for one in made[:3]:
            attach_invoice(one, name=f"Invoice {one.paid_on}.pdf", content=a_pdf(f"Invoice: {one.price}"))
    if made and chance.random() < CORRECTED:
        amount = round(made[-1].amount * Decimal("1.1"), decimals_of(made[-1].currency))
        recording.correct_payment(made[-1], amount=amount, note="The tax was left out.")


def a_pdf(words: str) -> bytes:
    """A page with a line on it."""
    text = WORDS.format(words=words).encode("ascii", "replace")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
            b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>"
        ),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
    ]
    content, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    ends = b"xref\n0 5\n0000000000 65535 f \n%strailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return content + ends % (table, len(content))
