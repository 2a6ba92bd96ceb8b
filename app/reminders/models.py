"""The rules of reminding, what was told to whom, and what people answered."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ARRAY, CheckConstraint, DateTime, ForeignKey, Index, Integer, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.directory.models import Person
from app.foundation import clock
from app.foundation.database import Model, Timestamps, one_of
from app.inbox.models import WorkflowTask
from app.inventory.models import Product
from app.payments.agenda import Kind
from app.reminders.thresholds import FURTHEST, MOST

LONGEST_ESCALATION = 60


def _days_in_order(column: str) -> CheckConstraint:
    return CheckConstraint(
        f"cardinality({column}) <= {MOST} AND 1 <= ALL ({column}) AND {FURTHEST} >= ALL ({column})",
        name=column,
        info={"field": column, "message": f"At most {MOST} numbers of days from 1 to {FURTHEST}."},
    )


def _between(column: str, least: int, most: int) -> CheckConstraint:
    return CheckConstraint(
        f"{column} BETWEEN {least} AND {most}",
        name=column,
        info={"field": column, "message": f"Enter a number of days from {least} to {most}."},
    )


class ReminderRules(Model):
    """The company's rules: one row. `days` is how many days before a day of a payment people are told."""

    __tablename__ = "reminder_rules"
    __table_args__ = (
        CheckConstraint(
            "id = 1", name="only_one", info={"field": "id", "message": "There is one set of rules."}
        ),
        _days_in_order("days"),
        _between("escalate_after", 1, LONGEST_ESCALATION),
        _between("access_days", 0, FURTHEST),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    days: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    # Days past its due date until a task goes to the administrators of its service, and as many again to the Admins.
    escalate_after: Mapped[int]
    # Days before access ends that its product's administrators are told; 0 for never.
    access_days: Mapped[int]

    def __repr__(self) -> str:
        return "Rules of reminders"


class ProductReminders(Model):
    """How many days before a product's days people are told, where that differs from the company's rule."""

    __tablename__ = "product_reminders"
    __table_args__ = (
        _days_in_order("days"),
        UniqueConstraint(
            "product_id",
            name="uq_product_reminders_product_id",
            info={"field": "product_id", "message": "This product has days of its own already."},
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"))
    days: Mapped[list[int]] = mapped_column(ARRAY(Integer))

    product: Mapped[Product] = relationship()

    def __repr__(self) -> str:
        return f"Reminders of {self.product}"


class ReminderSent(Model):
    """One person was told of one day of a payment at one threshold: the unique key is what tells nobody twice.

    A row without a person says that other systems were told. `after` is the end of the delay that a reminder came back
    from; each delay begins anew.
    """

    __tablename__ = "reminders_sent"
    __audit__ = False
    __table_args__ = (
        one_of("kind", Kind),
        Index(
            "uq_reminders_sent_once",
            "product_id",
            "kind",
            "day",
            "person_id",
            "after",
            "threshold",
            unique=True,
            postgresql_nulls_not_distinct=True,
            info={"field": "threshold", "message": "This person was reminded already."},
        ),
        Index("ix_reminders_sent_person_id", "person_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(Text)
    day: Mapped[date]
    threshold: Mapped[int]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    after: Mapped[date | None]
    sent_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)


class Reply(StrEnum):
    """What an answer says."""

    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"


class ReminderAnswer(Timestamps, Model):
    """Somebody acknowledged a day of a payment or a task of theirs, or wants to hear of it again only on `until`.

    For one person, or without one for everybody. A payment's answer is about its day: once that moves, it is no answer.
    """

    __tablename__ = "reminder_answers"
    __table_args__ = (
        one_of("kind", Kind),
        CheckConstraint(
            "(task_id IS NULL) = (product_id IS NOT NULL AND kind IS NOT NULL AND day IS NOT NULL)"
            " AND num_nonnulls(product_id, kind, day) IN (0, 3)",
            name="one_thing",
            info={"field": "task_id", "message": "An answer is about a task, or about a day of a payment."},
        ),
        CheckConstraint(
            "task_id IS NULL OR person_id IS NOT NULL",
            name="task_of_one",
            info={"field": "person_id", "message": "A task is answered by whoever has it."},
        ),
        Index(
            "uq_reminder_answers_payment",
            "product_id",
            "kind",
            "day",
            "person_id",
            unique=True,
            postgresql_where="product_id IS NOT NULL",
            postgresql_nulls_not_distinct=True,
            info={"field": "product_id", "message": "This was answered a moment ago. Load the page again."},
        ),
        Index(
            "uq_reminder_answers_task",
            "task_id",
            "person_id",
            unique=True,
            postgresql_where="task_id IS NOT NULL",
            info={"field": "task_id", "message": "This was answered a moment ago. Load the page again."},
        ),
        Index("ix_reminder_answers_person_id", "person_id"),
        Index("ix_reminder_answers_given_by_id", "given_by_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int | None] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"))
    kind: Mapped[str | None] = mapped_column(Text)
    day: Mapped[date | None]
    task_id: Mapped[int | None] = mapped_column(ForeignKey("workflow_tasks.id", ondelete="CASCADE"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    until: Mapped[date | None]
    given_on: Mapped[date]
    given_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    given_by_name: Mapped[str] = mapped_column(Text)

    product: Mapped[Product | None] = relationship()
    task: Mapped[WorkflowTask | None] = relationship()
    person: Mapped[Person | None] = relationship(foreign_keys=[person_id])

    @property
    def reply(self) -> Reply:
        """Acknowledged, or put off until a day."""
        return Reply.ACKNOWLEDGED if self.until is None else Reply.SNOOZED

    def __repr__(self) -> str:
        if self.task_id:
            return f"Answer about task {self.task_id}"
        return f"Answer about the {self.kind} of product {self.product_id} on {self.day}"
