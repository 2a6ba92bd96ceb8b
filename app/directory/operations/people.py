"""People and departments."""

from typing import Any

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from app.directory.events import PersonDeactivated, PersonJoined
from app.directory.models import Department, Person
from app.directory.operations import accounts
from app.foundation import events
from app.foundation.database import assign, db
from app.foundation.errors import InvalidInput
from app.foundation.references import visible

# Company networks use names such as portalops.local, and tests .test: all are fine for a directory.
SPECIAL_USE_DOMAIN_NAMES.clear()

FIELDS = ("name", "department_given", "position", "external_id", "starts_on", "last_day")


def valid_email(text: str) -> str:
    """An e-mail address as people write it, spaces and Unicode tidied. InvalidInput unless it is one (RFC 5322)."""
    try:
        return validate_email(text.strip(), check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise InvalidInput(email=f"This is no e-mail address: {error}") from None


def create_department(*, name: str, description: str | None = None) -> Department:
    """Add a department. A name that is taken is a conflict."""
    department = Department(name=name.strip(), description=description)
    db.session.add(department)
    db.session.flush()
    return department


def change_department(department: Department, **fields: Any) -> Department:
    """Rename or describe a department."""
    assign(department, fields, ("name", "description"))
    db.session.flush()
    return department


def delete_department(department: Department) -> None:
    """Remove a department that nobody and no template belongs to; otherwise a conflict says what depends on it."""
    db.session.delete(department)
    db.session.flush()


def create_person(*, name: str, email: str, department_id: int | None = None, **fields: Any) -> Person:
    """Put somebody into the directory. They get no account and no password by that."""
    person = Person(name=name.strip(), email=valid_email(email))
    person.department = visible(Department, department_id, "department_id") if department_id else None
    assign(person, fields, FIELDS)
    db.session.add(person)
    db.session.flush()
    events.publish(PersonJoined(person))
    return person


def change_person(person: Person, **fields: Any) -> Person:
    """Change what is known of somebody; their account keeps step with name and e-mail."""
    if "email" in fields:
        person.email = valid_email(fields["email"])
    if "department_id" in fields:
        key = fields["department_id"]
        person.department = visible(Department, key, "department_id") if key else None
        person.department_given = None if key else person.department_given
    if fields.get("active") is False and person.active:
        deactivate_person(person)
    elif fields.get("active") is True and not person.active:
        reactivate_person(person)
    assign(person, fields, FIELDS)
    accounts.keep_in_step(person)
    db.session.flush()
    return person


def deactivate_person(person: Person) -> None:
    """Sign somebody out for good and keep their history. The last Admin can't go (Conflict)."""
    if not person.active:
        return
    accounts.close_sign_in(person)
    person.active = False
    db.session.flush()
    events.publish(PersonDeactivated(person))


def reactivate_person(person: Person) -> None:
    """Somebody is back: the same person. Their account, if they had one, opens again with an invitation only."""
    was_away = not person.active
    person.active = True
    person.last_day = None
    db.session.flush()
    if was_away:
        events.publish(PersonJoined(person))
