"""Reads of the directory."""

import re
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, bindparam, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import array

from app.directory.models import Account, Department, Group, Person, Role
from app.foundation import prepared
from app.foundation.database import among, db
from app.foundation.scoping import unscoped

TRIGRAM = 3


def role_names(account: Account) -> frozenset[str]:
    """The roles an account has, by itself or through groups."""
    return frozenset(
        role.name for role in [*account.roles, *(r for group in account.groups for r in group.roles)]
    )


def holds_role(name: str) -> ColumnElement[bool]:
    """Whether an account has a role, by itself or through a group."""
    by_group = Account.groups.any(Group.roles.any(Role.name == name))  # type: ignore[attr-defined]
    return or_(Account.roles.any(Role.name == name), by_group)  # type: ignore[attr-defined]


def people_with_role(name: str) -> list[Person]:
    """Active people with this role: who can sign in and stays first, then by how long they have been known."""
    with unscoped():
        query = (
            select(Person)
            .join(Person.account)
            .where(holds_role(name), Person.active, Account.active)
            .order_by(Account.password.is_(None), Person.last_day.is_not(None), Person.id)
        )
        return list(db.session.scalars(query))


def person_matching(external_id: str | None, email: str | None) -> Person | None:
    """The person HR means: by external id, else by e-mail in any case."""
    with unscoped():
        for rule in (
            Person.external_id == external_id if external_id else None,
            func.lower(Person.email) == email.strip().lower() if email else None,
        ):
            found = db.session.scalar(select(Person).where(rule)) if rule is not None else None
            if found:
                return found
    return None


def department_named(name: str | None) -> Department | None:
    """The department of this name, in any case."""
    if not name:
        return None
    with unscoped():
        return db.session.scalar(
            select(Department).where(func.lower(Department.name) == name.strip().lower())
        )


def people_matching(text: str, *columns: Any) -> tuple[Select[Any], dict[str, Any]]:
    """People by name, with these columns; those whose name, e-mail or department holds the text, if there is one.

    A query that is made once for all texts, and the values of its parameters.
    """
    if not text:
        return people_by_name(*columns), {}
    values: dict[str, Any] = {"holds": text, "escaped": re.sub("([/%_])", r"/\1", text)}
    departments: list[int] = []
    if len(text) >= TRIGRAM:
        departments = [row[0] for row in prepared.rows(_DEPARTMENTS, **values)]
    return _people_found(len(text) < TRIGRAM, bool(departments), *columns), values | {
        "departments": departments
    }


@cache
def people_by_name(*columns: Any) -> Select[Any]:
    """These columns of the people."""
    query = select(*columns).select_from(Person).outerjoin(Person.department)
    return query.order_by(func.lower(Person.name), Person.id)


@cache
def _people_found(is_short: bool, has_departments: bool, *columns: Any) -> Select[Any]:  # noqa: FBT001
    """In any case. The index of trigrams finds who may hold the text, a look at them who does.

    Their departments are asked apart: whichever of both found more, PostgreSQL would else leave the index alone.
    """
    fields = (Person.name, Person.email, Person.department_given)
    own = or_(*map(_holds, fields))
    if is_short:
        return people_by_name(*columns).where(or_(own, _holds(Department.name)))
    own &= func.trigrams(array(fields), literal_column("1")).op("@>", is_comparison=True)(
        func.trigrams(array([bindparam("holds", type_=Text)]), TRIGRAM)
    )
    if has_departments:
        members = select(Person.id).where(among(Person.department_id, "departments"))
        own = Person.id.in_(select(Person.id).where(own).union(members))
    return people_by_name(*columns).where(own)


def _holds(column: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = column.icontains(bindparam("escaped", type_=Text), escape="/")
    return found


_DEPARTMENTS: Any = select(Department.id).where(_holds(Department.name))
