"""A product that was paid, its invoice, and a service administrator who may read payments."""

import pytest
from sqlalchemy import select

from app.foundation.database import db
from app.payments.history_models import PaymentMade
from tests.payments.files import jpeg, pdf, png
from tests.payments.paying import FORM, grant_reading, kept_files, upload
from tests.payments.sheets import Importer


@pytest.fixture
def no_files(app):
    """No file of an earlier test is left."""
    for path in kept_files(app):
        path.unlink()


@pytest.fixture
def gmail(world) -> int:
    return world.products["Gmail"]


@pytest.fixture
def granted(app) -> None:
    grant_reading(app)


@pytest.fixture
def paid(app, root, gmail) -> int:
    """The key of a payment with an invoice of each kind."""
    files = ((pdf(), "march.pdf"), (png(), "march.png"), (jpeg(), "march.jpeg"))
    assert root.post(f"/payments/products/{gmail}/record", upload(*files, **FORM)).status_code == 302
    with app.app_context():
        return db.session.scalars(select(PaymentMade)).one().id


@pytest.fixture
def importer(app, root, run_jobs) -> Importer:
    return Importer(app, root, run_jobs)
