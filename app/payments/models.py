"""How each product is paid for. No card number is kept: the holder, the last four digits, until when the card is good."""

from datetime import date
from decimal import Decimal

from flask import current_app
from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    FetchedValue,
    ForeignKey,
    Index,
    Numeric,
    Text,
    UniqueConstraint,
    text,
    true,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.foundation import clock, currencies
from app.foundation.database import Model, Timestamps
from app.inventory.models import Product, Service
from app.payments import status

LARGEST_AMOUNT = Decimal(999_999_999_999)
LONGEST_NOTICE = 3_650
MOST_MONTHS = 120
FREQUENCY = f"^(monthly|quarterly|yearly|one_off|every_([1-9]|[1-9][0-9]|1[01][0-9]|{MOST_MONTHS})_months)$"


def companys_currency() -> str:
    """What the company pays in, where nobody says otherwise (`CURRENCY`)."""
    return str(current_app.config["CURRENCY"])


class PaymentInfo(Timestamps, Model):
    """The payment of one product: every product has one from its first moment, and takes it along when it goes."""

    __tablename__ = "payment_infos"
    __audit_noun__ = "payment_info"
    __audit_quiet__ = ("sort_key",)
    __table_args__ = (
        UniqueConstraint(
            "product_id",
            name="uq_payment_infos_product_id",
            info={"field": "product_id", "message": "The product has its payment already."},
        ),
        CheckConstraint(
            f"amount BETWEEN 0 AND {LARGEST_AMOUNT}",
            name="amount",
            info={"field": "amount", "message": f"Enter an amount from 0 to {LARGEST_AMOUNT:,}."},
        ),
        CheckConstraint(
            "currency ~ '^[A-Z]{3}$'",
            name="currency",
            info={"field": "currency", "message": "Enter the three letters of a currency, such as EUR."},
        ),
        CheckConstraint(
            "card_last4 ~ '^[0-9]{4}$'",
            name="card_last4",
            info={"field": "card_last4", "message": "Enter the last four digits of the card, nothing else."},
        ),
        CheckConstraint(
            f"renewal_frequency ~ '{FREQUENCY}'",
            name="renewal_frequency",
            info={
                "field": "renewal_frequency",
                "message": "Enter monthly, quarterly, yearly, one_off or every_6_months.",
            },
        ),
        CheckConstraint(
            f"notice_days BETWEEN 0 AND {LONGEST_NOTICE}",
            name="notice_days",
            info={"field": "notice_days", "message": f"Enter a number of days from 0 to {LONGEST_NOTICE:,}."},
        ),
        CheckConstraint(
            "renewal_day BETWEEN 29 AND 31",
            name="renewal_day",
            info={
                "field": "renewal_day",
                "message": "Only the last days of a month are ever missing in another.",
            },
        ),
        Index(
            "ix_payment_infos_register",
            text(f"({' AND '.join(f'{name} IS NOT NULL' for name in status.NEEDED)})"),
            "sort_key",
            "product_id",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"))
    amount: Mapped[Decimal | None] = mapped_column(Numeric(15, 3))
    currency: Mapped[str] = mapped_column(Text, default=companys_currency)
    cardholder_name: Mapped[str | None] = mapped_column(Text)
    card_last4: Mapped[str | None] = mapped_column(Text)
    expiry_date: Mapped[date | None]
    payment_method: Mapped[str | None] = mapped_column(Text)
    renewal_frequency: Mapped[str | None] = mapped_column(Text)
    next_renewal_date: Mapped[date | None]
    # The day of the month that it renews on, while the month of the next renewal is too short for it. See `renewing`.
    renewal_day: Mapped[int | None]
    auto_renew: Mapped[bool] = mapped_column(default=True, server_default=true())
    # How many days before the renewal it must be cancelled.
    notice_days: Mapped[int | None]

    # The names of service and product, as they are sorted. Triggers keep it; nobody else reads or writes it.
    sort_key: Mapped[str] = mapped_column(Text, FetchedValue(), deferred=True)

    product: Mapped[Product] = relationship()

    @hybrid_property
    def is_complete(self) -> bool:
        """Whether everything is known that a payment needs."""
        return status.is_complete(self)

    @is_complete.inplace.expression
    @classmethod
    def _is_complete_in_sql(cls) -> ColumnElement[bool]:
        return status.is_complete_in_sql(cls)

    @hybrid_property
    def status(self) -> str:
        """`complete` or `incomplete`, as the contract has it."""
        return status.status_of(self)

    @status.inplace.expression
    @classmethod
    def _status_in_sql(cls) -> ColumnElement[str]:
        return status.status_in_sql(cls)

    @hybrid_property
    def state(self) -> str:
        """One word of `PaymentState`, as it is today."""
        return status.state_of(self, clock.today())

    @state.inplace.expression
    @classmethod
    def _state_in_sql(cls) -> ColumnElement[str]:
        return status.state_in_sql(cls, clock.today())

    @property
    def service(self) -> Service:
        """The service that the product is of."""
        return self.product.service

    @property
    def price(self) -> str | None:
        """The amount in its currency, for people."""
        return None if self.amount is None else currencies.for_people(self.amount, self.currency)

    def __repr__(self) -> str:
        return f"Payment of {self.product}"
