"""What a savepoint took back is not in the log, however it was taken back."""

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.audit.models import AuditEntry
from app.foundation.database import db
from app.inventory import operations as inventory
from app.inventory.models import Product


def created(since: int) -> list[str]:
    query = select(AuditEntry.target_label).where(
        AuditEntry.id > since, AuditEntry.action == "product.create"
    )
    return list(db.session.scalars(query.order_by(AuditEntry.id)))


@pytest.mark.parametrize("name", ["Inside", "Huddles"], ids=["an error", "a refusal of the database"])
def test_savepoint_that_failed_is_not_in_the_log(context, world, name):
    since = db.session.scalar(select(AuditEntry.id).order_by(AuditEntry.id.desc()).limit(1))
    slack = world.services["Slack"]
    inventory.create_product(service_id=slack, name="Huddles")

    def fails() -> None:
        with db.session.begin_nested():
            inventory.create_product(service_id=slack, name="First")
            inventory.create_product(service_id=slack, name=name)
            raise LookupError

    with pytest.raises((IntegrityError, LookupError)):
        fails()
    inventory.create_product(service_id=slack, name="After")
    db.session.commit()
    assert created(since) == ["Huddles", "After"]
    assert db.session.scalar(select(Product.id).where(Product.name == "First")) is None
