"""What a write points to must be visible to whoever writes it, also where no operation looked."""

import pytest
from sqlalchemy import select

from app.foundation.database import db
from app.foundation.errors import InvalidInput
from app.foundation.references import LARGEST_KEY, find, parse_key, visible
from app.foundation.scoping import unscoped
from app.foundation.viewer import viewing_as
from app.inventory.models import AccessGrant, Product


def test_reference_to_something_hidden_is_refused_at_the_flush(context, viewer_of, world):
    with viewing_as(viewer_of("bob")):
        db.session.add(AccessGrant(person_id=world.people["bob"], product_id=world.products["Copilot"]))
        with pytest.raises(InvalidInput) as refusal:
            db.session.flush()
    assert refusal.value.fields == {"product_id": "There is no such entry."}


def test_changed_reference_is_refused_at_the_flush(context, viewer_of, world):
    with viewing_as(viewer_of("bob")):
        slack = db.session.scalars(select(Product).where(Product.name == "Slack Business")).one()
        slack.service_id = world.services["Google Workspace"]
        with pytest.raises(InvalidInput, match="no such entry"):
            db.session.flush()


def test_visible_reference_is_written(context, viewer_of, world):
    with viewing_as(viewer_of("bob")):
        db.session.add(
            AccessGrant(person_id=world.people["bob"], product_id=world.products["Slack Business"])
        )
        db.session.flush()


def test_operation_that_looks_wider_may_point_anywhere(context, viewer_of, world):
    with viewing_as(viewer_of("bob")), unscoped():
        db.session.add(AccessGrant(person_id=world.people["bob"], product_id=world.products["Copilot"]))
        db.session.flush()


def test_row_in_the_sessions_memory_is_found_only_if_visible(context, viewer_of, world):
    with unscoped():
        assert db.session.get(Product, world.products["Copilot"])
    with viewing_as(viewer_of("bob")):
        assert find(Product, world.products["Copilot"]) is None
        assert find(Product, str(world.products["Slack Business"])).name == "Slack Business"
        with pytest.raises(InvalidInput) as refusal:
            visible(Product, world.products["Copilot"], "product_id")
    assert refusal.value.fields == {"product_id": "There is no such entry."}


@pytest.mark.parametrize(
    "key", ["", "0", "-1", "1.0", " 1", "1e3", "٣", "²", "9" * 40, LARGEST_KEY + 1, None, True, [1], "1\x00"]
)
def test_key_that_no_row_can_have_is_none(key):
    assert parse_key(key) is None


@pytest.mark.parametrize("key", [1, "007", LARGEST_KEY])
def test_key_is_read(key):
    assert parse_key(key) == int(key)
