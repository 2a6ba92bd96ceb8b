"""Receiving what HR says: acknowledged only after it is kept, and kept once however often it is said."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from app.audit import recorder
from app.directory import operations as directory
from app.directory import queries as people
from app.directory.models import Person
from app.foundation import clock, outbox
from app.foundation.actor import acting_as
from app.foundation.database import db
from app.foundation.errors import Conflict, NotFound
from app.foundation.scoping import unscoped
from app.foundation.trace import request_id
from app.lifecycle.models import EventKind, HrEvent
from app.lifecycle.operations.cases import depart

# Core, not the mapper: an HR system may send hundreds a second.
EVENTS = HrEvent.__table__
OTHER_BODY = "This delivery was received before with another body. Send it under an id of its own."


@dataclass(frozen=True, slots=True)
class Employee:
    """Whom HR means, as HR says it."""

    name: str | None = None
    email: str | None = None
    department: str | None = None
    position: str | None = None
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class Announcement:
    """One delivery. `on` is the start or the last day; without one it is the day of receipt."""

    kind: EventKind
    employee: Employee
    on: date | None = None
    delivery_id: str | None = None
    source: str = "hr"

    @property
    def payload(self) -> dict[str, Any]:
        """What is kept and compared: the announcement without its delivery."""
        return {
            "kind": self.kind.value,
            "employee": asdict(self.employee),
            "date": self.on.isoformat() if self.on else None,
        }

    @property
    def content_key(self) -> str:
        """Kind, employee and date: the identity of a delivery that names none."""
        who = self.employee.external_id or (self.employee.email or "").strip().lower()
        return _digest([self.kind.value, who, (self.on or clock.today()).isoformat()])


def receive_event(announcement: Announcement) -> tuple[int, bool]:
    """Keep an announcement and promise its planning: the event's id, and whether it is new.

    The person stands in the directory, and a leaver whose day has come is signed out, before this returns.
    NotFound for a leaver nobody knows; Conflict for a delivery that was received with another body.
    """
    with unscoped(), acting_as(f"HR system ({announcement.source})"):
        body_hash = _digest(announcement.payload)
        key = _insert(announcement, body_hash)
        if key is None:
            return _earlier(announcement, body_hash), False
        person = _joiner(announcement) if announcement.kind is EventKind.ONBOARDING else _leaver(announcement)
        db.session.execute(update(EVENTS).where(EVENTS.c.id == key).values(person_id=person.id))
        recorder.record(
            "hr_event.receive",
            target_type="hr_event",
            target_id=str(key),
            target_label=str(person),
            after=announcement.payload,
        )
        outbox.enqueue("app.lifecycle.jobs.plan_case", key)
        db.session.flush()
        return key, True


def _insert(announcement: Announcement, body_hash: str) -> int | None:
    row = insert(EVENTS).values(
        source=announcement.source,
        kind=announcement.kind.value,
        delivery_id=announcement.delivery_id,
        content_key=announcement.content_key,
        body_hash=body_hash,
        payload=announcement.payload,
        request_id=request_id(),
    )
    key: int | None = db.session.scalar(row.on_conflict_do_nothing().returning(EVENTS.c.id))
    return key


def _earlier(announcement: Announcement, body_hash: str) -> int:
    """The event that this delivery repeats. A case may settle between the insert and this look: HR sends again."""
    query = select(HrEvent).where(HrEvent.source == announcement.source)
    if announcement.delivery_id:
        query = query.where(HrEvent.delivery_id == announcement.delivery_id)
    else:
        query = query.where(
            HrEvent.content_key == announcement.content_key,
            HrEvent.delivery_id.is_(None),
            HrEvent.settled_at.is_(None),
        )
    event: HrEvent | None = db.session.scalar(query)
    if event is None or event.body_hash != body_hash:
        raise Conflict(OTHER_BODY)
    return event.id


def _joiner(announcement: Announcement) -> Person:
    """Somebody who joins, or joins again: the same person, by external id or e-mail."""
    employee = announcement.employee
    department = people.department_named(employee.department)
    said = _said(announcement) | ({"department_id": department.id} if department else {})
    person = people.person_matching(employee.external_id, employee.email)
    if person is None:
        person = _create(employee, said)
    else:
        _welcome_back(person, said)
    if employee.department and department is None:
        person.department, person.department_given = None, employee.department
    db.session.flush()
    return person


def _said(announcement: Announcement) -> dict[str, Any]:
    """What HR says of a joiner; what HR leaves out stays."""
    employee = announcement.employee
    fields = {
        "name": employee.name,
        "email": employee.email,
        "position": employee.position,
        "external_id": employee.external_id,
        "starts_on": announcement.on,
    }
    return {field: value for field, value in fields.items() if value}


def _create(employee: Employee, said: dict[str, Any]) -> Person:
    """Somebody new, unless another delivery puts them into the directory at this very moment."""
    try:
        with db.session.begin_nested():
            return directory.create_person(**said)
    except IntegrityError:
        person = people.person_matching(employee.external_id, employee.email)
        if person is None:
            raise
    _welcome_back(person, said)
    return person


def _welcome_back(person: Person, said: dict[str, Any]) -> None:
    directory.change_person(person, **said)
    if not person.active or person.last_day:
        directory.reactivate_person(person)


def _leaver(announcement: Announcement) -> Person:
    employee = announcement.employee
    person = people.person_matching(employee.external_id, employee.email)
    if person is None:
        raise NotFound(f"Nobody in the directory is known as {employee.external_id or employee.email}.")
    person.last_day = announcement.on or clock.today()
    if person.last_day <= clock.today():
        depart(person)
    db.session.flush()
    return person


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
