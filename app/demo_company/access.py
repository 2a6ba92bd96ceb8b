"""Access templates, and who has used what since when."""

import random
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select

from app.demo_company.company import data, first_day, seeded
from app.directory.models import Department, Person
from app.foundation import clock
from app.foundation.database import db
from app.inventory.models import AccessGrant, AccessLevel, GrantSource, PermissionAssignment, Product
from app.lifecycle.models import AccessTemplate

LEVELS = list(AccessLevel)
AS_THE_TEMPLATE_SAYS = 0.97
WITH_SOMETHING_MORE = 0.45
Needs = dict[str, str]


def hand_out(people: list[Person], products: dict[str, Product]) -> None:
    """Templates first, then what everybody holds by them, and what some hold beside them or held before."""
    _write_templates(products)
    chance = seeded("access")
    administered = _administered()
    grants: list[AccessGrant] = []
    for person in people:
        needs = needs_of(person.department_name, person.position)
        for name in administered.get(person.id, ()):
            needs[name] = AccessLevel.ADMIN
        grants += _by_template(person, needs, products, chance)
        if person.active:
            grants += _beside(person, needs, products, chance)
    db.session.add_all(grants)
    db.session.flush()


def needs_of(department: str | None, position: str | None) -> Needs:
    """What the templates ask for: product and level."""
    everything = data("departments")
    one = next(entry for entry in everything["department"] if entry["name"] == department)
    needs: Needs = dict.fromkeys([*everything["basics"], *one["needs"]], AccessLevel.MEMBER)
    extra = one.get("templates", {}).get(position)
    for name in extra["products"] if extra else ():
        level = extra.get("level", AccessLevel.MEMBER)
        needs[name] = max(needs.get(name, level), level, key=LEVELS.index)
    return needs


def _write_templates(products: dict[str, Product]) -> None:
    everything = data("departments")
    departments = {department.name: department for department in db.session.scalars(select(Department))}
    templates = []
    for one in everything["department"]:
        department = departments[one["name"]]
        basics = [*everything["basics"], *one["needs"]]
        templates.append(_template(one["name"], basics, products, department=department))
        for position, extra in one.get("templates", {}).items():
            fields = {"position": position, "level": extra.get("level", AccessLevel.MEMBER)}
            templates.append(
                _template(position, extra["products"], products, department=department, **fields)
            )
    db.session.add_all(templates)
    db.session.flush()


def _template(name: str, wanted: list[str], products: dict[str, Product], **fields: Any) -> AccessTemplate:
    return AccessTemplate(name=name, products=[products[one] for one in wanted], **fields)


def _administered() -> dict[int, list[str]]:
    """The products that people administer by themselves; those they use as administrators."""
    found: dict[int, list[str]] = {}
    query = select(PermissionAssignment.person_id, Product.name).join(PermissionAssignment.product)
    for person_id, name in db.session.execute(query.order_by(PermissionAssignment.id)):
        found.setdefault(person_id, []).append(name)
    return found


def _by_template(
    person: Person, needs: Needs, products: dict[str, Product], chance: random.Random
) -> Iterator[AccessGrant]:
    for name, level in needs.items():
        since = first_day(person) + timedelta(days=chance.choice((0, 0, 0, 1, 1, 2, 5)))
        if chance.random() < AS_THE_TEMPLATE_SAYS:
            grant = AccessGrant(
                person=person,
                product=products[name],
                level=level,
                source=GrantSource.IMPORT,
                valid_from=since,
            )
            yield _ended(grant, person.last_day) if person.last_day else grant


def _beside(
    person: Person, needs: Needs, products: dict[str, Product], chance: random.Random
) -> Iterator[AccessGrant]:
    """Something for a project: some of it for ever, some until a day soon, some forgotten, some ended."""
    if chance.random() > WITH_SOMETHING_MORE:
        return
    name = chance.choice([one for one in products if one not in needs])
    today = clock.today()
    started = today - timedelta(days=chance.randrange(30, 400))
    grant = AccessGrant(
        person=person,
        product=products[name],
        level=chance.choice((AccessLevel.VIEWER, AccessLevel.MEMBER)),
        source=GrantSource.MANUAL,
        valid_from=max(first_day(person), started),
    )
    fate = chance.random()
    if fate < 0.3:
        grant.valid_until = today + timedelta(days=chance.randrange(2, 60))
    elif fate < 0.36:
        grant.valid_until = today - timedelta(days=chance.randrange(1, 15))
    elif fate < 0.66:
        grant = _ended(grant, today - timedelta(days=chance.randrange(1, 28)))
    yield grant


def _ended(grant: AccessGrant, on: date) -> AccessGrant:
    grant.valid_until = on
    grant.ended_at = datetime.combine(on, time(16, 30), clock.zone())
    return grant
