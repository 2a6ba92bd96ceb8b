"""Larkspur Systems: a company of 300 people to try the portal with, the same ones every time.

Dates count from today, so that the demo never looks stale; everything else is seeded. What cases and tasks hold is
made by the operations that a real announcement runs through.
"""

from typing import Any

import click
from flask import current_app
from sqlalchemy import func, select

from app.demo_company import access, cases, catalogue, company, messages, payment_history, payments, reminders
from app.directory.access import ADMIN
from app.directory.models import Department, Person, Role
from app.foundation import advisory
from app.foundation.actor import acting_as
from app.foundation.database import db
from app.foundation.transactions import transaction
from app.inventory.models import AccessGrant, Product, Service
from app.lifecycle.models import LifecycleCase


def load() -> bool:
    """Fill an empty portal, all or nothing, and say whether anything was done.

    ClickException in production, where a documented password has no place, and before `flask setup`.
    """
    if current_app.config["ENVIRONMENT"] == "production":
        raise click.ClickException("The demo company has a documented password: it is refused in production.")
    with transaction():
        advisory.take_turns("demo company")
        if not _is_empty():
            click.echo("There is a company here already; nothing was loaded.")
            return False
        if db.session.scalar(select(Role.id).where(Role.name == ADMIN)) is None:
            raise click.ClickException("Run `flask setup` first: there are no roles yet.")
        _fill()
        click.echo(_summary())
    return True


def _is_empty() -> bool:
    return not any(db.session.scalar(select(key).limit(1)) for key in (Service.id, Department.id))


def _fill() -> None:
    with acting_as("Demo data"):
        people = company.found()
        products = catalogue.sign_up(people)
        access.hand_out(people, products)
        payment_history.tell(payments.enter(products, people), people)
    cases.tell(people)
    with acting_as("Demo data"):
        reminders.tell(people)
        messages.tell()


def _summary() -> str:
    counted: dict[str, type[Any]] = {
        "people": Person,
        "services": Service,
        "products": Product,
        "access grants": AccessGrant,
        "cases": LifecycleCase,
    }
    parts = [f"{db.session.scalar(select(func.count(model.id)))} {noun}" for noun, model in counted.items()]
    names = ", ".join(f"{first.lower()}@{company.DOMAIN}" for first in company.CAST)
    return f"Larkspur Systems is in: {', '.join(parts)}. Sign in as {names} with the password “{company.PASSWORD}”."
