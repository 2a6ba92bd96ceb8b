"""The fixed cast, and the small world around it. Every rule is tested with somebody who may and somebody who may not.

`root` is Admin, `alice` administers the service Google Workspace (Gmail, Drive), `bob` the products GitHub Enterprise
(of GitHub) and Slack Business (of Slack), `charlie` is an employee with no role, who uses Gmail. `dora` works here
too, has no account, and uses Copilot.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import select
from werkzeug.security import generate_password_hash

from app.directory import operations as directory
from app.directory.models import Department, Person
from app.foundation.database import db
from app.inventory import operations as inventory
from app.inventory.models import Product, Service
from app.lifecycle import operations as lifecycle

PASSWORD = "a long test password"
NAMES = ("root", "alice", "bob", "charlie")


@cache
def password_hash() -> str:
    """Hashing is slow on purpose; once is enough."""
    return generate_password_hash(PASSWORD)


@dataclass(frozen=True)
class World:
    """Ids by name: people, services, products, departments."""

    people: dict[str, int]
    services: dict[str, int]
    products: dict[str, int]
    departments: dict[str, int]


def settle() -> None:
    """Put the cast and their world into an empty, set up database."""
    engineering = directory.create_department(name="Engineering")
    directory.create_department(name="Sales")
    people = {
        name: directory.create_person(name=name.capitalize(), email=f"{name}@example.com") for name in NAMES
    }
    for person in people.values():
        account = directory.ensure_account(person)
        account.password = password_hash()
    directory.grant_role(people["root"], "Admin")
    dora = directory.create_person(name="Dora", email="dora@example.com", department_id=engineering.id)
    things: dict[str, Any] = {}
    for service, products in {
        "Google Workspace": ["Gmail", "Drive"],
        "GitHub": ["GitHub Enterprise", "Copilot"],
        "Slack": ["Slack Business"],
    }.items():
        things[service] = inventory.create_service(name=service, url="https://example.com")
        for product in products:
            things[product] = inventory.create_product(service_id=things[service].id, name=product)
    inventory.assign_administrator(person_id=people["alice"].id, service_id=things["Google Workspace"].id)
    for product in ("GitHub Enterprise", "Slack Business"):
        inventory.assign_administrator(person_id=people["bob"].id, product_id=things[product].id)
    inventory.grant_access(person_id=people["charlie"].id, product_id=things["Gmail"].id)
    inventory.grant_access(person_id=dora.id, product_id=things["Copilot"].id)
    lifecycle.create_template(
        name="Engineers",
        department_id=engineering.id,
        product_ids=[things[name].id for name in ("Gmail", "GitHub Enterprise", "Copilot")],
    )


def find_world() -> World:
    """Look the ids up by name."""

    def ids(model: Any) -> dict[str, int]:
        return {row.name: row.id for row in db.session.execute(select(model.name, model.id))}

    people = {name.lower(): key for name, key in ids(Person).items()}
    return World(people, ids(Service), ids(Product), ids(Department))
