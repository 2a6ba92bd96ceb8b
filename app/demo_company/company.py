"""Departments, people and the three of them who can sign in."""

import random
import tomllib
import unicodedata
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from sqlalchemy import select
from werkzeug.security import generate_password_hash

from app.demo_company.names import NAMES
from app.directory.access import ADMIN
from app.directory.models import Account, Department, Person, Role
from app.foundation import clock
from app.foundation.database import db

DOMAIN = "larkspur.example"
PASSWORD = "portalops demo"  # noqa: S105 - documented, and never loaded in production
CAST = {
    "Alice": ("Alice Marchetti", "IT", "Collaboration Lead"),
    "Bob": ("Bob Adeyemi", "Design", "Design Operations Manager"),
    "Charlie": ("Charlie Nakagawa", "Sales", "Account Executive"),
}
FORMER = 12
OLDEST_DAYS = 3_300
NO_ASCII = str.maketrans({"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "ß": "ss", "đ": "d", "æ": "ae"})


@cache
def data(name: str) -> dict[str, Any]:
    """One of the TOML files beside this module."""
    return tomllib.loads((files(__package__) / f"{name}.toml").read_text(encoding="utf-8"))


def seeded(subject: str) -> random.Random:
    """Chance that falls the same way every time, and for each subject apart from the others."""
    return random.Random(f"Larkspur Systems: {subject}")  # noqa: S311 - no secret


def found() -> list[Person]:
    """Departments and everybody in them, in the order in which they joined; the cast can sign in."""
    departments = {
        one["name"]: Department(name=one["name"], description=one["description"])
        for one in data("departments")["department"]
    }
    db.session.add_all(departments.values())
    db.session.flush()
    people = sorted(_hired(departments), key=first_day)
    for number, person in enumerate(people, start=1):
        person.external_id = f"LS-{number:04}"
    _let_go(people)
    db.session.add_all(people)
    db.session.flush()
    _open_accounts(people)
    return people


def _hired(departments: dict[str, Department]) -> Iterator[Person]:
    chance, today = seeded("people"), clock.today()
    full_names = _full_names(chance)
    for name, department, position in CAST.values():
        yield _person(
            name,
            name.split()[0],
            departments[department],
            position,
            today - timedelta(days=chance.randrange(900, 1500)),
        )
    for one in data("departments")["department"]:
        for rank, (position, count) in enumerate(one["positions"].items()):
            for _ in range(count):
                name = next(full_names)
                days = chance.randrange(2200, OLDEST_DAYS) if rank == 0 else chance.randrange(40, 2600)
                yield _person(name, name, departments[one["name"]], position, today - timedelta(days=days))


def _person(name: str, mailbox: str, department: Department, position: str, since: date) -> Person:
    return Person(
        name=name, email=address(mailbox), department=department, position=position, starts_on=since
    )


def address(name: str) -> str:
    """first.last at the company, in ASCII."""
    plain = unicodedata.normalize("NFKD", name.translate(NO_ASCII)).encode("ascii", "ignore").decode()
    return f"{plain.lower().replace(' ', '.')}@{DOMAIN}"


def _full_names(chance: random.Random) -> Iterator[str]:
    """Names without end, none twice."""
    taken: set[str] = set()
    while True:
        firsts, lasts = chance.choice(NAMES)
        if chance.random() < 0.2:
            lasts = chance.choice(NAMES)[1]
        name = f"{chance.choice(firsts.split())} {chance.choice(lasts.split())}"
        if address(name) not in taken:
            taken.add(address(name))
            yield name


def _let_go(people: list[Person]) -> None:
    """Some have left since: the directory keeps them, inactive."""
    chance, today = seeded("former people"), clock.today()
    long_ago = today - timedelta(days=365)
    leavable = [person for person in people if first_day(person) < long_ago]
    leavable = [person for person in leavable if not is_cast(person) and not is_head(person)]
    for person in chance.sample(leavable, FORMER):
        person.active = False
        person.last_day = today - timedelta(days=chance.randrange(14, 300))


def first_day(person: Person) -> date:
    """When they joined; everybody in the demo has such a day."""
    return person.starts_on or clock.today()


def is_cast(person: Person) -> bool:
    """Whether it is one of the three who sign in."""
    return person.name in {name for name, _, _ in CAST.values()}


def is_head(person: Person) -> bool:
    """Whether they lead their department."""
    return any(
        person.position == next(iter(one["positions"]))
        for one in data("departments")["department"]
        if one["name"] == person.department_name
    )


def _open_accounts(people: list[Person]) -> None:
    """The cast's, with one hash for all (scrypt takes its time), and the Director of IT as a second Admin."""
    admin = db.session.scalars(select(Role).where(Role.name == ADMIN)).one()
    password = generate_password_hash(PASSWORD)
    for person in people:
        if is_cast(person):
            open_account(person).password = password
        elif person.position == "Director of IT":
            open_account(person).roles = [admin]
    db.session.flush()


def open_account(person: Person) -> Account:
    """Their account, a new one without a password: as `directory.ensure_account`, without a flush for each."""
    if person.account is None:
        first, _, last = person.name.partition(" ")
        person.account = Account(
            first_name=first, last_name=last, username=person.email, email=person.email, active=True
        )
    return person.account
