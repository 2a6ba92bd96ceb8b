"""What the products cost, what pays for it, and what somebody still has to find out."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from app.demo_company.company import seeded
from app.directory.models import Person
from app.foundation import clock
from app.foundation.database import db
from app.inventory.models import Product
from app.payments.models import PaymentInfo, companys_currency
from app.payments.rates_models import ExchangeRate

PRICES = ("19.00", "49.90", "120.00", "349.00", "780.00", "1450.00", "2990.00", "6400.00", "12800.00")
CURRENCIES = ("USD", "USD", "USD", "USD", "EUR", "EUR", "EUR", "GBP", "CHF", "JPY")
FREQUENCIES = ("monthly", "monthly", "monthly", "yearly", "yearly", "quarterly", "every_24_months")
YENS = 150
# Who pays: method, the card's last four digits, days from today until it is good no more.
CARDS = (
    ("Credit card", "4417", 640),
    ("Credit card", "0923", 38),
    ("Credit card", "7781", -12),
    ("Debit card", "3306", 410),
)
WITHOUT_CARD = ("Invoice", "Bank transfer", "Direct debit")
# What one unit was worth in US dollars of late, how much that moves in a month, and for how many months it is known.
RATES = {"EUR": 1.0842, "GBP": 1.2710, "CHF": 1.1275, "JPY": 0.006689, "USD": 1.0}
SWING, MONTHS_OF_RATES = 0.012, 13
UNKNOWN, PAID_BY_CARD, WITH_A_RENEWAL, FORGOTTEN = 0.14, 0.7, 0.85, 0.1


def enter(products: dict[str, Product], people: list[Person]) -> list[PaymentInfo]:
    """A record for each product; the members of Finance hold the cards."""
    chance, today = seeded("payments"), clock.today()
    holders = [one.name for one in people if one.active and one.department_name == "Finance"][:3]
    payments = [_payment(product, holders, chance, today) for product in products.values()]
    db.session.add_all([*payments, *_rates(today)])
    db.session.flush()
    return payments


def _rates(today: date) -> Iterator[ExchangeRate]:
    """A rate on the first of each month, into whatever the company pays in."""
    chance, own, day = seeded("rates"), companys_currency(), today.replace(day=1)
    if own not in RATES:
        return
    for _ in range(MONTHS_OF_RATES):
        for code, dollars in RATES.items():
            rate = Decimal(dollars / RATES[own] * chance.uniform(1 - SWING, 1 + SWING))
            if code != own:
                yield ExchangeRate(currency=code, day=day, rate=round(rate, 6))
        day = (day - timedelta(days=1)).replace(day=1)


def _payment(product: Product, holders: list[str], chance: random.Random, today: date) -> PaymentInfo:
    payment = PaymentInfo(product=product, currency=chance.choice(CURRENCIES))
    price = Decimal(chance.choice(PRICES))
    payment.amount = Decimal(round(price * YENS, -2)) if payment.currency == "JPY" else price
    _pay_with(payment, holders, chance, today)
    payment.renewal_frequency = chance.choice(FREQUENCIES)
    if chance.random() < WITH_A_RENEWAL:
        span = 31 if payment.renewal_frequency == "monthly" else 360
        payment.next_renewal_date = today + timedelta(days=chance.randrange(1, span))
        payment.auto_renew = chance.random() < PAID_BY_CARD
        payment.notice_days = chance.choice((None, 14, 30, 60, 90))
        if not payment.auto_renew and chance.random() < FORGOTTEN:
            payment.next_renewal_date = today - timedelta(days=chance.randrange(2, 20))
    if chance.random() < UNKNOWN:
        setattr(payment, chance.choice(("amount", "cardholder_name", "expiry_date", "payment_method")), None)
    return payment


def _pay_with(payment: PaymentInfo, holders: list[str], chance: random.Random, today: date) -> None:
    if chance.random() < PAID_BY_CARD:
        card = chance.choices(CARDS, weights=(60, 12, 4, 24))[0]
        payment.payment_method, payment.card_last4, days = card
        payment.cardholder_name = holders[CARDS.index(card) % len(holders)]
    else:
        payment.cardholder_name = chance.choice(holders)
        payment.payment_method, days = chance.choice(WITHOUT_CARD), chance.randrange(90, 900)
    payment.expiry_date = today + timedelta(days=days)
