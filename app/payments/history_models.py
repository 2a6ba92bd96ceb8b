"""What was paid, and the invoices that say so. A payment stands as it was recorded: a correction is another one."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Numeric,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.directory.models import Person
from app.foundation import clock, currencies
from app.foundation.database import Model, not_blank, one_of
from app.inventory.models import Product
from app.payments.models import LARGEST_AMOUNT


class InvoiceType(StrEnum):
    """What an invoice may be, as it is told by its first bytes."""

    PDF = "application/pdf"
    PNG = "image/png"
    JPEG = "image/jpeg"


class PaymentMade(Model):
    """One payment. Triggers refuse to change or delete it.

    `corrects_id` names the payment that this one takes the place of; each has one correction at most, so that a chain
    has one end, which is the payment that counts. If that `voids`, nothing was paid.
    """

    __tablename__ = "payments_made"
    __audit_noun__ = "payment_made"
    __table_args__ = (
        UniqueConstraint(
            "id",
            "product_id",
            name="uq_payments_made_id_product_id",
            info={"field": "id", "message": "There is a payment with this number already."},
        ),
        UniqueConstraint(
            "corrects_id",
            name="uq_payments_made_corrects_id",
            info={
                "field": "corrects_id",
                "message": "Somebody has corrected this payment already. Correct the correction instead.",
            },
        ),
        ForeignKeyConstraint(["corrects_id", "product_id"], ["payments_made.id", "payments_made.product_id"]),
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
            "(period_start IS NULL) = (period_end IS NULL)",
            name="period_whole",
            info={"field": "period_end", "message": "Enter both days of the period, or neither."},
        ),
        CheckConstraint(
            "period_end >= period_start",
            name="period_end",
            info={"field": "period_end", "message": "The period ends before it starts."},
        ),
        CheckConstraint(
            "corrects_id < id",
            name="corrects_id",
            info={"field": "corrects_id", "message": "A payment corrects one that was recorded before it."},
        ),
        CheckConstraint(
            "corrects_id IS NOT NULL OR NOT voids",
            name="voids",
            info={"field": "voids", "message": "Choose the payment that never happened."},
        ),
        not_blank("method", "The method"),
        Index("ix_payments_made_product_id", "product_id", "paid_on", "id"),
        Index("ix_payments_made_recorded_by_id", "recorded_by_id"),
        # Holds all that the report of spend reads.
        Index(
            "ix_payments_made_paid_on",
            "paid_on",
            postgresql_include=["product_id", "currency", "method", "amount", "voids", "id"],
        ),
        {"info": {"people_say": "payments made"}},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    amount: Mapped[Decimal] = mapped_column(Numeric(15, 3))
    currency: Mapped[str] = mapped_column(Text)
    period_start: Mapped[date | None]
    period_end: Mapped[date | None]
    paid_on: Mapped[date]
    method: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    corrects_id: Mapped[int | None]
    voids: Mapped[bool] = mapped_column(default=False, server_default=false())
    recorded_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    recorded_by_name: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)

    product: Mapped[Product] = relationship()
    recorded_by: Mapped[Person | None] = relationship()
    invoices: Mapped[list["Invoice"]] = relationship(back_populates="payment", order_by="Invoice.id")

    @property
    def price(self) -> str:
        """The amount in its currency, for people."""
        return currencies.for_people(self.amount, self.currency)

    def __repr__(self) -> str:
        return f"{self.price} on {self.paid_on} for {self.product}"


class Invoice(Model):
    """A file that belongs to a payment. Its content lies under `stored_name`, which nobody but us has chosen.

    One that was attached by mistake is withdrawn once, and its file is shown no more; a trigger refuses every other change.
    """

    __tablename__ = "invoices"
    __generated__ = ("stored_name",)
    __audit_quiet__ = ("stored_name",)
    __table_args__ = (
        not_blank("name", "The file's name"),
        one_of("mime_type", InvoiceType),
        UniqueConstraint(
            "stored_name",
            name="uq_invoices_stored_name",
            info={"field": "stored_name", "message": "There is a file of this name already."},
        ),
        Index(
            "uq_invoices_payment_id_sha256",
            "payment_id",
            "sha256",
            unique=True,
            postgresql_where="withdrawn_at IS NULL",
            info={"field": "sha256", "message": "This file is attached to the payment already."},
        ),
        CheckConstraint("size > 0", name="size", info={"field": "size", "message": "The file is empty."}),
        CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by_name IS NULL)"
            " AND (withdrawn_at IS NULL) = (withdrawn_why IS NULL)",
            name="withdrawn_whole",
            info={"field": "withdrawn_why", "message": "Say who removes it and why."},
        ),
        not_blank("withdrawn_why", "The reason"),
        Index("ix_invoices_payment_id", "payment_id"),
        Index("ix_invoices_withdrawn_by_id", "withdrawn_by_id"),
        Index("ix_invoices_uploaded_by_id", "uploaded_by_id"),
        {"info": {"people_say": "invoices"}},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments_made.id"))
    name: Mapped[str] = mapped_column(Text)
    stored_name: Mapped[str] = mapped_column(Text)
    mime_type: Mapped[str] = mapped_column(Text)
    size: Mapped[int]
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    uploaded_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    uploaded_by_name: Mapped[str] = mapped_column(Text)
    uploaded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)

    withdrawn_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    withdrawn_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    withdrawn_by_name: Mapped[str | None] = mapped_column(Text)
    withdrawn_why: Mapped[str | None] = mapped_column(Text)

    payment: Mapped[PaymentMade] = relationship(back_populates="invoices")
    uploaded_by: Mapped[Person | None] = relationship(foreign_keys=[uploaded_by_id])

    def __repr__(self) -> str:
        return self.name
