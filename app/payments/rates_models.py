"""What other currencies are worth in the company's own, day by day, as far as somebody wrote it down."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, Numeric, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.database import Model, Timestamps
from app.foundation.scoping import public
from app.payments.models import companys_currency

LARGEST_RATE = Decimal(1_000_000_000)
RATE_DIGITS = 10


class ExchangeRate(Timestamps, Model):
    """One unit of `currency` is worth `rate` units of `company_currency` from `day` on, until the next day that has a rate.

    That is the company's currency at the time of writing: after a change of `CURRENCY` older rates stay true of it.
    """

    __tablename__ = "exchange_rates"
    __table_args__ = (
        UniqueConstraint(
            "currency",
            "company_currency",
            "day",
            name="uq_exchange_rates_currency_company_currency_day",
            info={"field": "day", "message": "There is a rate of this currency for this day already."},
        ),
        CheckConstraint(
            f"rate > 0 AND rate <= {LARGEST_RATE}",
            name="rate",
            info={"field": "rate", "message": f"Enter a rate above 0, up to {LARGEST_RATE:,}."},
        ),
        CheckConstraint(
            "currency <> company_currency",
            name="two_currencies",
            info={
                "field": "currency",
                "message": "This is the company's own currency; its rate is always 1.",
            },
        ),
        CheckConstraint(
            "currency ~ '^[A-Z]{3}$'",
            name="currency",
            info={"field": "currency", "message": "Enter the three letters of a currency, such as EUR."},
        ),
        CheckConstraint(
            "company_currency ~ '^[A-Z]{3}$'",
            name="company_currency",
            info={
                "field": "company_currency",
                "message": "Enter the three letters of a currency, such as EUR.",
            },
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(Text)
    company_currency: Mapped[str] = mapped_column(Text, default=companys_currency)
    day: Mapped[date]
    rate: Mapped[Decimal] = mapped_column(Numeric(20, RATE_DIGITS))

    def __repr__(self) -> str:
        return f"{self.currency} on {self.day.isoformat()}"


public(ExchangeRate, "what a currency is worth is no secret, and every total of payments in several needs it")
