"""Shapes of people and departments in requests."""

from typing import Any

from marshmallow import fields
from sqlalchemy import func

from app.directory.models import Department, Person
from app.foundation.openapi.describing import (
    EMAIL,
    FLAG,
    ID,
    MAYBE_TEXT,
    MOMENT,
    TEXT,
    TOKEN,
    Shape,
)
from app.foundation.schemas import Key, PortalSchema, Text


class DepartmentSchema(PortalSchema):
    """A department."""

    name = Text(required=True)
    description = Text(2000, allow_none=True)


class PersonSchema(PortalSchema):
    """A person in the directory."""

    name = Text(required=True)
    email = Text(320, required=True)
    department_id = Key(allow_none=True)
    position = Text(allow_none=True)
    external_id = Text(allow_none=True)
    active = fields.Boolean()
    starts_on = fields.Date(allow_none=True)
    last_day = fields.Date(allow_none=True)


class LoginSchema(PortalSchema):
    """Who signs in. A password is taken as it is typed, spaces included."""

    email = fields.String(required=True)
    password = fields.String(required=True)


class UserSchema(PortalSchema):
    """A person as existing clients send one."""

    name = Text(required=True)
    email = Text(320, required=True)
    department = Text(allow_none=True)
    position = Text(allow_none=True)
    active = fields.Boolean()
    password = fields.String(allow_none=True)


USER = Shape(
    "User",
    {
        "id": ID,
        "name": TEXT,
        "email": EMAIL,
        "department": MAYBE_TEXT,
        "position": MAYBE_TEXT,
        "active": FLAG,
        "created_at": MOMENT,
        "updated_at": MOMENT,
    },
)
REFRESHED = Shape("Refreshed", {"accessToken": TOKEN, "refreshToken": TOKEN})
_WHO = Shape("Who", {"id": ID, "name": TEXT, "email": EMAIL})
SIGNED_IN = Shape("SignedIn", {"accessToken": TOKEN, "refreshToken": TOKEN, "user": _WHO})


USER_COLUMNS = (
    Person.id,
    Person.name,
    Person.email,
    func.coalesce(Department.name, Person.department_given).label("department_name"),
    Person.position,
    Person.active,
    Person.created_at,
    Person.updated_at,
)


def user_json(row: Any) -> dict[str, Any]:
    """A User of the contract, from `USER_COLUMNS`."""
    key, name, email, department, position, active, created_at, updated_at = row
    return {
        "id": str(key),
        "name": name,
        "email": email,
        "department": department,
        "position": position,
        "active": active,
        "created_at": created_at,
        "updated_at": updated_at,
    }
