"""A task is one thing that one person has to do, about somebody and some product or service."""

from datetime import date, datetime
from enum import IntEnum, StrEnum
from typing import Any

from sqlalchemy import ARRAY, CheckConstraint, DateTime, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.directory.models import Person
from app.foundation import clock
from app.foundation.database import Model, Timestamps, not_blank, one_of
from app.inventory.models import Product, Service


class TaskType(StrEnum):
    """Which kind of case a task belongs to, or `access` for one about access alone."""

    ONBOARDING = "onboarding"
    OFFBOARDING = "offboarding"
    ACCESS = "access"


class TaskAction(StrEnum):
    """What there is to do, and so what completing it records."""

    GRANT_ACCESS = "grant_access"
    REVOKE_ACCESS = "revoke_access"
    DECIDE_ACCESS = "decide_access"
    HAND_OVER = "hand_over"
    KEEP_ADMIN = "keep_admin"


class TaskStatus(StrEnum):
    """Where a task stands; `invited` says that the vendor's own invitation is out."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    INVITED = "invited"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


FINISHED = frozenset({TaskStatus.COMPLETED, TaskStatus.CANCELLED})


class Priority(StrEnum):
    """How soon it matters."""

    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class WorkflowTask(Timestamps, Model):
    """`key` names the task within its case, so that planning a case twice opens nothing twice; without one, in all."""

    __tablename__ = "workflow_tasks"
    __audit_noun__ = "task"
    __generated__ = ("key", "title", "description")
    __table_args__ = (
        one_of("type", TaskType),
        one_of("action", TaskAction),
        one_of("status", TaskStatus),
        one_of("priority", Priority),
        UniqueConstraint(
            "case_id",
            "key",
            name="uq_workflow_tasks_case_id_key",
            info={"field": "key", "message": "The case has this task already."},
        ),
        Index(
            "uq_workflow_tasks_key",
            "key",
            unique=True,
            postgresql_where="case_id IS NULL",
            info={"field": "key", "message": "There is this task already."},
        ),
        Index("ix_workflow_tasks_assignee_id", "assignee_id", "status", "id"),
        Index("ix_workflow_tasks_target_id", "target_id"),
        Index("ix_workflow_tasks_service_id", "service_id", "status"),
        Index("ix_workflow_tasks_product_id", "product_id"),
        Index("ix_workflow_tasks_grant_id", "grant_id"),
        Index("ix_workflow_tasks_completed_by_id", "completed_by_id"),
        Index("ix_workflow_tasks_on_behalf_of_id", "on_behalf_of_id"),
        Index("ix_workflow_tasks_open", "id", postgresql_where="status NOT IN ('completed', 'cancelled')"),
        {"info": {"people_say": "tasks"}},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("lifecycle_cases.id"))
    key: Mapped[str] = mapped_column(Text)
    type: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, default=TaskStatus.PENDING)
    priority: Mapped[str] = mapped_column(Text, default=Priority.NORMAL)
    title: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    due_on: Mapped[date | None]
    assignee_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    target_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    service_id: Mapped[int | None] = mapped_column(ForeignKey("services.id"))
    product_id: Mapped[int | None] = mapped_column(ForeignKey("products.id"))
    grant_id: Mapped[int | None] = mapped_column(ForeignKey("access_grants.id"))
    completed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    completed_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    # For whom the assignee stands in.
    on_behalf_of_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    assignee: Mapped[Person] = relationship(foreign_keys=[assignee_id])
    target: Mapped[Person | None] = relationship(foreign_keys=[target_id])
    completed_by: Mapped[Person | None] = relationship(foreign_keys=[completed_by_id])
    on_behalf_of: Mapped[Person | None] = relationship(foreign_keys=[on_behalf_of_id])
    service: Mapped[Service | None] = relationship()
    product: Mapped[Product | None] = relationship()
    comments: Mapped[list["TaskComment"]] = relationship(back_populates="task", order_by="TaskComment.id")
    escalations: Mapped[list["TaskEscalation"]] = relationship(order_by="TaskEscalation.level", viewonly=True)

    @property
    def is_finished(self) -> bool:
        """Whether nothing more is to be done."""
        return self.status in FINISHED

    @property
    def is_overdue(self) -> bool:
        """Whether it is open past its due date."""
        return not self.is_finished and self.due_on is not None and self.due_on < clock.today()

    def __repr__(self) -> str:
        return self.title


class TaskComment(Model):
    """What somebody said about a task; appended, never overwritten."""

    __tablename__ = "task_comments"
    __table_args__ = (
        not_blank("content", "The comment"),
        Index("ix_task_comments_task_id", "task_id", "id"),
        Index("ix_task_comments_author_id", "author_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("workflow_tasks.id"))
    author_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    author_name: Mapped[str] = mapped_column(Text)
    content: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)

    task: Mapped[WorkflowTask] = relationship(back_populates="comments")
    author: Mapped[Person | None] = relationship()

    def __repr__(self) -> str:
        return self.content[:80]


class Level(IntEnum):
    """Whom an overdue task goes to, one after the other."""

    SERVICE = 1
    ADMINS = 2


class TaskEscalation(Model):
    """An overdue task was brought before others, once for each level. `told` is whom, by name, as it was then."""

    __tablename__ = "task_escalations"
    __table_args__ = (
        CheckConstraint(
            "level BETWEEN 1 AND 2",
            name="level",
            info={
                "field": "level",
                "message": "A task goes to its service's administrators, then to the Admins.",
            },
        ),
        UniqueConstraint(
            "task_id",
            "level",
            name="uq_task_escalations_task_id_level",
            info={"field": "level", "message": "This task was escalated already."},
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("workflow_tasks.id", ondelete="CASCADE"))
    level: Mapped[int]
    told: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)

    def __repr__(self) -> str:
        return f"Escalation of task {self.task_id} to {', '.join(self.told)}"
