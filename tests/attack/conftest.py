"""The attack's world stands in a template database of its own, so that a test gets it for the price of a copy."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from app.directory.models import Account, Invitation
from app.foundation import redis_client
from app.foundation.database import db
from tests.attack import settling
from tests.attack import world as attacked
from tests.attack.doors import (
    Findings,
)
from tests.visitor import Visitor


@pytest.fixture(scope="session")
def attack_template(one_app: Flask, templates: Callable[..., None]) -> str:
    """The cast's world and the marked rows."""
    templates("cast")
    with one_app.app_context():
        settling.settle()
        db.session.commit()
        db.session.remove()
    templates("test", "attack")
    return "attack"


@pytest.fixture
def app(one_app: Flask, templates: Callable[..., None], attack_template: str) -> Iterator[Flask]:
    """The application with the attack's world."""
    templates(attack_template)
    with one_app.app_context():
        redis_client.quick().flushdb()
    yield one_app
    with one_app.app_context():
        db.session.remove()


@pytest.fixture
def marks(app: Flask) -> attacked.Marks:
    with app.app_context():
        return attacked.find_marks()


@pytest.fixture
def visitors(visit, world) -> dict[str, Visitor]:
    """The whole cast, each signed in as a browser and as a script."""
    found = {name: visit(name) for name in attacked.EVERYBODY}
    for name, visitor in found.items():
        visitor.person_id = world.people[name]
    return found


@pytest.fixture
def secrets_of_accounts(app: Flask) -> list[str]:
    """Every password hash and every hash of an invitation's token."""
    with app.app_context():
        hashes = [one for one in db.session.scalars(db.select(Account.password)) if one]
        return hashes + [one.hex() for one in db.session.scalars(db.select(Invitation.token_hash))]


@pytest.fixture
def unchanged(app: Flask):
    """Fails if any table but the log and the sign-ins changes between the start of the test and its end."""
    with app.app_context():
        before = attacked.checksums()
    yield
    with app.app_context():
        after = attacked.checksums()
    assert after == before, f"changed: {[name for name in before if before[name] != after[name]]}"


@pytest.fixture
def findings(marks, visitors, secrets_of_accounts) -> Findings:
    """Also looks for what not even root may read: password hashes, token hashes, ids of sign-ins."""
    return Findings(marks, [*secrets_of_accounts, *(visitor.session_id for visitor in visitors.values())])
