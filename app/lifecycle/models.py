"""What HR said, what access a department or a position asks for, and the case that a joiner or leaver makes."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, DateTime, ForeignKey, Index, Table, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.directory.models import Department, Person
from app.foundation import clock
from app.foundation.database import Model, Timestamps, not_blank, one_of
from app.inbox.models import WorkflowTask
from app.inventory.models import AccessLevel, Product


class EventKind(StrEnum):
    """What HR announced; a case is of the same kind."""

    ONBOARDING = "onboarding"
    OFFBOARDING = "offboarding"


access_template_products = Table(
    "access_template_products",
    Model.metadata,
    Column("template_id", ForeignKey("access_templates.id", ondelete="CASCADE"), primary_key=True),
    Column("product_id", ForeignKey("products.id", ondelete="CASCADE"), primary_key=True),
    Index("ix_access_template_products_product_id", "product_id"),
)


class AccessTemplate(Timestamps, Model):
    """The products that people of a department, in a position, or both, need. Neither given means everybody."""

    __tablename__ = "access_templates"
    __table_args__ = (
        not_blank("name", "The name"),
        one_of("level", AccessLevel),
        Index(
            "uq_access_templates_name",
            func.lower(text("name")),
            unique=True,
            info={"field": "name", "message": "There is a template of this name already."},
        ),
        Index("ix_access_templates_department_id", "department_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))
    position: Mapped[str | None] = mapped_column(Text)
    level: Mapped[str] = mapped_column(Text, default=AccessLevel.MEMBER)
    active: Mapped[bool] = mapped_column(default=True)

    department: Mapped[Department | None] = relationship()
    products: Mapped[list[Product]] = relationship(secondary=access_template_products, order_by=Product.name)

    def __repr__(self) -> str:
        return self.name


class LifecycleCase(Model):
    """A joiner or leaver until the last task is done. `effective_on` is the start or the last day."""

    __tablename__ = "lifecycle_cases"
    __audit_noun__ = "case"
    __table_args__ = (
        one_of("kind", EventKind),
        Index(
            "uq_lifecycle_cases_open",
            "person_id",
            "kind",
            unique=True,
            postgresql_where="closed_at IS NULL",
            info={"field": "person_id", "message": "This person has an open case of this kind already."},
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    person_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    effective_on: Mapped[date]
    opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    person: Mapped[Person] = relationship()
    tasks: Mapped[list[WorkflowTask]] = relationship(order_by=WorkflowTask.id)

    @property
    def state(self) -> str:
        """`open` or `closed`."""
        return "closed" if self.closed_at else "open"

    def __repr__(self) -> str:
        return f"{self.kind.capitalize()} of {self.person}"


class HrEvent(Model):
    """One announcement, kept as it came. Its identity is the delivery's id, or else its content while a case is open."""

    __tablename__ = "hr_events"
    __generated__ = ("delivery_id", "content_key", "body_hash", "request_id")
    __table_args__ = (
        one_of("kind", EventKind),
        Index(
            "uq_hr_events_delivery",
            "source",
            "delivery_id",
            unique=True,
            postgresql_where="delivery_id IS NOT NULL",
            info={"field": "delivery_id", "message": "This delivery was received already."},
        ),
        Index(
            "uq_hr_events_content",
            "source",
            "content_key",
            unique=True,
            postgresql_where="delivery_id IS NULL AND settled_at IS NULL",
            info={"field": "content_key", "message": "This announcement was received already."},
        ),
        Index("ix_hr_events_case_id", "case_id"),
        Index("ix_hr_events_person_id", "person_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    delivery_id: Mapped[str | None] = mapped_column(Text)
    content_key: Mapped[str] = mapped_column(Text)
    body_hash: Mapped[str] = mapped_column(Text)
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    planned_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    settled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("lifecycle_cases.id"))
    request_id: Mapped[str | None] = mapped_column(Text)

    person: Mapped[Person | None] = relationship()
    case: Mapped[LifecycleCase | None] = relationship()

    @property
    def state(self) -> str:
        """`received` until its case is planned, then `planned`, and `settled` when the case is closed."""
        if self.settled_at:
            return "settled"
        return "planned" if self.planned_at else "received"

    def __repr__(self) -> str:
        return f"{self.kind} #{self.id}"
