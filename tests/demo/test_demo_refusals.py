"""Where the demo company is not loaded. Apart from its other tests, which share one loaded database."""

import click
import pytest
from sqlalchemy import func, select

from app import demo_company
from app.directory.models import Department
from app.foundation.database import db
from app.inventory.models import Service


def services() -> int:
    return db.session.scalar(select(func.count(Service.id)))


def test_loading_beside_another_company_does_nothing(empty_app):
    with empty_app.app_context():
        db.session.add(Department(name="Somebody else's"))
        db.session.commit()
        assert demo_company.load() is False
        assert services() == 0
        db.session.remove()


def test_production_refuses_the_demo(empty_app, monkeypatch):
    monkeypatch.setitem(empty_app.config, "ENVIRONMENT", "production")
    with empty_app.app_context():
        with pytest.raises(click.ClickException, match="refused in production"):
            demo_company.load()
        assert services() == 0
        db.session.remove()
