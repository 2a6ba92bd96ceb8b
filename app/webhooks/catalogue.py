"""Every event that other systems can be told of: when it is sent, the fact behind it, and its payload.

To add one: let the room publish a frozen fact (`events.py`), and add a line here. Fields may be added to a version;
whatever else changes a payload makes a new one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.directory.events import PersonDeactivated, PersonJoined
from app.foundation.database import db
from app.inbox.events import TaskCompleted, TaskFinished, TaskOpened, TaskReassigned, TaskReopened
from app.inbox.models import TaskStatus
from app.inventory.events import (
    GrantEnded,
    GrantStarted,
    ProductCreated,
    ProductLeaves,
    ServiceCreated,
    ServiceLeaves,
)
from app.inventory.models import Product
from app.lifecycle.events import CaseClosed, CaseOpened
from app.payments.events import PaymentExpiring, PaymentRecorded
from app.webhooks import objects
from app.webhooks.shapes import Schema, Shape

EXAMPLE_MOMENT = datetime(2026, 2, 20, 9, 30, tzinfo=UTC)


def always(_fact: Any) -> bool:
    """Every fact of its kind is sent."""
    return True


@dataclass(frozen=True, slots=True)
class EventType:
    """`about` is the field of the fact whose row the payload shows; `applies` tells which facts of this kind are meant."""

    name: str
    when: str
    fact: type[Any] | None
    shape: Shape
    about: Callable[[Any], Any]
    applies: Callable[[Any], bool] = always
    version: int = 1

    def payload(self, fact: Any, at: datetime) -> dict[str, Any]:
        """The body of its message."""
        return self.around(self.shape.of(self.about(fact)), at)

    @property
    def example(self) -> dict[str, Any]:
        """A whole body."""
        return self.around(self.shape.example(), EXAMPLE_MOMENT)

    @property
    def schema(self) -> Schema:
        """JSON Schema of a whole body."""
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self.name,
            "description": self.when,
            "type": "object",
            "properties": {
                "type": {"const": self.name},
                "version": {"const": self.version},
                "timestamp": {"type": "string", "format": "date-time"},
                "data": self.shape.schema(),
            },
            "required": ["type", "version", "timestamp", "data"],
        }

    def around(self, data: dict[str, Any], at: datetime) -> dict[str, Any]:
        """A body with this data."""
        return {"type": self.name, "version": self.version, "timestamp": at.isoformat(), "data": data}


@dataclass(frozen=True, slots=True)
class _Expiry:
    """What nears its day, with the product itself."""

    fact: PaymentExpiring
    product: Product

    def __getattr__(self, name: str) -> Any:
        return getattr(self.fact, name)


def _expiry(fact: PaymentExpiring) -> _Expiry:
    return _Expiry(fact, db.session.get_one(Product, fact.product_id))


def _itself(fact: Any) -> Any:
    return fact


def _cancelled(fact: TaskFinished) -> bool:
    return fact.task.status == TaskStatus.CANCELLED


def _person(fact: Any) -> Any:
    return fact.person


def _task(fact: Any) -> Any:
    return fact.task


TEST = EventType(
    "webhook.test",
    "An Admin sends a test to one endpoint. Nobody subscribes to it.",
    None,
    objects.GREETING,
    _itself,
)

EVENT_TYPES: tuple[EventType, ...] = (
    EventType(
        "person.joined",
        "Somebody was added to the directory, or is back after they had left.",
        PersonJoined,
        objects.PERSON,
        _person,
    ),
    EventType(
        "person.left",
        "Somebody was deactivated: their last day has come, or an Admin said so.",
        PersonDeactivated,
        objects.PERSON,
        _person,
    ),
    EventType(
        "case.opened",
        "Somebody joins or leaves, and a case was opened.",
        CaseOpened,
        objects.CASE,
        lambda fact: fact.case,
    ),
    EventType(
        "case.closed",
        "The last task of a case is finished.",
        CaseClosed,
        objects.CASE,
        lambda fact: fact.case,
    ),
    EventType(
        "task.opened", "There is something to do, and somebody to do it.", TaskOpened, objects.TASK, _task
    ),
    EventType("task.reassigned", "A task was given to somebody else.", TaskReassigned, objects.TASK, _task),
    EventType("task.completed", "What a task asked for was done.", TaskCompleted, objects.TASK, _task),
    EventType(
        "task.cancelled", "A task is not needed any more.", TaskFinished, objects.TASK, _task, _cancelled
    ),
    EventType("task.reopened", "An Admin took a finished task up again.", TaskReopened, objects.TASK, _task),
    EventType(
        "grant.started",
        "Somebody was given access to a product.",
        GrantStarted,
        objects.GRANT,
        lambda fact: fact.grant,
    ),
    EventType(
        "grant.ended",
        "Somebody's access to a product was taken away.",
        GrantEnded,
        objects.GRANT,
        lambda fact: fact.grant,
    ),
    EventType(
        "service.created", "A service was added.", ServiceCreated, objects.SERVICE, lambda fact: fact.service
    ),
    EventType(
        "service.deleted", "A service was removed.", ServiceLeaves, objects.SERVICE, lambda fact: fact.service
    ),
    EventType(
        "product.created", "A product was added.", ProductCreated, objects.PRODUCT, lambda fact: fact.product
    ),
    EventType(
        "product.deleted", "A product was removed.", ProductLeaves, objects.PRODUCT, lambda fact: fact.product
    ),
    EventType(
        "payment.recorded",
        "Somebody wrote down a payment, or a correction of one.",
        PaymentRecorded,
        objects.PAYMENT,
        lambda fact: fact.payment,
    ),
    EventType(
        "payment.expiring",
        "A card, a renewal or the last day of notice comes near or has passed; once for each threshold.",
        PaymentExpiring,
        objects.EXPIRY,
        _expiry,
    ),
)

BY_NAME = {one.name: one for one in EVENT_TYPES}


def facts() -> list[type[Any]]:
    """The kinds of facts that `wiring.py` hands on."""
    return list(dict.fromkeys(one.fact for one in EVENT_TYPES if one.fact))


def types_of(fact: Any) -> list[EventType]:
    """What a fact is sent as."""
    return [one for one in EVENT_TYPES if one.fact is type(fact) and one.applies(fact)]
