"""Row rules hold on every path that a statement can take to a scoped model."""

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import aliased, joinedload, selectinload, subqueryload

from app.directory.models import Person
from app.foundation.database import db
from app.foundation.scoping import unscoped
from app.foundation.viewer import viewing_as
from app.inventory.models import AccessGrant, Product, Service

BOBS = {"GitHub Enterprise", "Slack Business"}


@pytest.fixture
def as_bob(context, viewer_of):
    """Bob administers GitHub Enterprise and Slack Business; he uses Copilot, which he may not see."""
    with viewing_as(viewer_of("root")):
        copilot = db.session.scalars(select(Product).where(Product.name == "Copilot")).one()
        db.session.add(AccessGrant(person_id=viewer_of("bob").id, product_id=copilot.id))
        db.session.flush()
        db.session.expunge_all()
    with viewing_as(viewer_of("bob")):
        yield


def names(statement) -> set[str]:
    return set(db.session.scalars(statement))


def test_plain_select_is_scoped(as_bob):
    assert names(select(Product.name)) == BOBS
    assert {product.name for product in db.session.scalars(select(Product))} == BOBS


def test_count_is_scoped(as_bob):
    assert db.session.scalar(select(func.count(Product.id))) == 2
    assert db.session.query(Product).count() == 2


def test_alias_is_scoped(as_bob):
    other = aliased(Product)
    assert names(select(other.name)) == BOBS


def test_alias_beside_its_model_is_scoped_by_its_own_columns(as_bob):
    other = aliased(Product)
    pairs = select(Product.name, other.name).join(other, other.service_id == Product.service_id)
    assert {tuple(pair) for pair in db.session.execute(pairs)} == {(name, name) for name in BOBS}


def test_alias_as_fab_joins_it_is_scoped(as_bob):
    other = aliased(Product, name="product")
    rows = select(AccessGrant.id, other.name).join(other, AccessGrant.product_id == other.id, isouter=True)
    assert {name for _, name in db.session.execute(rows)} == {None}


@pytest.mark.parametrize("load", [joinedload, selectinload, subqueryload])
def test_eager_load_is_scoped(as_bob, load):
    [grant] = db.session.scalars(select(AccessGrant).options(load(AccessGrant.product))).unique()
    assert grant.product is None


def test_lazy_load_is_scoped(as_bob):
    [grant] = db.session.scalars(select(AccessGrant))
    assert grant.product is None


def test_collection_is_scoped(as_bob):
    github = db.session.scalars(select(Service).where(Service.name == "GitHub")).one()
    assert {product.name for product in github.products} == {"GitHub Enterprise"}


def test_related_row_is_loaded_in_full_where_rules_are_lifted(as_bob):
    github = db.session.scalars(select(Service).where(Service.name == "GitHub")).one()
    with unscoped():
        assert {product.name for product in github.products} == {"Copilot", "GitHub Enterprise"}


def test_subquery_and_exists_are_scoped(as_bob):
    assert not names(select(Service.name).where(Service.products.any(Product.name == "Copilot")))
    inner = select(Product.service_id).where(Product.name == "Copilot")
    assert not names(select(Service.name).where(Service.id.in_(inner)))
    scalar = select(func.count(Product.id)).scalar_subquery()
    assert db.session.scalar(select(scalar)) == 2


def test_union_is_scoped(as_bob):
    union = select(Product.name).union(select(Service.name))
    assert names(union) == {*BOBS, "GitHub", "Slack"}


def test_update_touches_visible_rows_only(as_bob):
    assert db.session.execute(update(Product).values(description="mine")).rowcount == 2
    with unscoped():
        assert names(select(Product.name).where(Product.description == "mine")) == BOBS


def test_delete_touches_visible_rows_only(as_bob):
    deleted = delete(AccessGrant).execution_options(synchronize_session=False)
    with unscoped():
        before = db.session.scalar(select(func.count(AccessGrant.id)))
    assert db.session.execute(deleted).rowcount == 1
    with unscoped():
        assert db.session.scalar(select(func.count(AccessGrant.id))) == before - 1


def test_refresh_of_a_visible_row_works(as_bob):
    slack = db.session.scalars(select(Product).where(Product.name == "Slack Business")).one()
    db.session.refresh(slack)
    db.session.expire_all()
    assert slack.name == "Slack Business"


def test_same_statement_asks_each_viewer_anew(context, viewer_of):
    statement = select(Product.name)
    seen = {}
    for name in ("alice", "bob", "charlie", "root"):
        with viewing_as(viewer_of(name)):
            seen[name] = names(statement)
    assert seen == {
        "alice": {"Gmail", "Drive"},
        "bob": BOBS,
        "charlie": set(),
        "root": {*BOBS, "Gmail", "Drive", "Copilot"},
    }


def test_anonymous_request_sees_nothing(app):
    with app.test_request_context():
        assert db.session.scalars(select(Product)).all() == []
        assert db.session.scalars(select(Person)).all() == []
        other = aliased(Person)
        assert db.session.scalars(select(other)).all() == []


def test_job_sees_everything(context):
    assert db.session.scalar(select(func.count(Product.id))) == 5
