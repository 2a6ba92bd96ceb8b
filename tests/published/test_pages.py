"""Pages of a list are parts of the whole, to the row, at any depth and for whoever sees less."""

import pytest
from sqlalchemy import func, select, text

from app.directory import queries as directory
from app.directory.schemas import USER_COLUMNS
from app.foundation.database import db
from app.foundation.paging import counts, page_of
from app.foundation.viewer import viewing_as
from app.inventory import queries as inventory
from app.inventory.models import Product
from app.inventory.schemas import PRODUCT_COLUMNS, SERVICE_COLUMNS
from app.payments import queries as payments
from app.payments.models import PaymentInfo

# Names that differ by case alone, so that ids decide; every third product is of a service of Alice's.
MANY = """
    INSERT INTO products (service_id, name, status, created_at, updated_at)
    SELECT (ARRAY[:google, :slack, :slack])[1 + n % 3], CASE n % 2 WHEN 0 THEN 'Part ' ELSE 'PART ' END || n / 4 || repeat('.', n % 4),
        'active', now(), now()
    FROM generate_series(1, 100) AS n
"""
PEOPLE = """
    INSERT INTO users (name, email, active, created_at, updated_at)
    SELECT 'Person ' || n % 700, 'number.' || n || '@many.example', true, now(), now() FROM generate_series(1, 3000) AS n
"""


@pytest.fixture
def many(context, world):
    services = {"google": world.services["Google Workspace"], "slack": world.services["Slack"]}
    db.session.execute(text(MANY), services)
    db.session.commit()


LISTS = {
    "products": inventory.products_by_name(*PRODUCT_COLUMNS),
    "services": inventory.services_by_name(*SERVICE_COLUMNS),
    "users": directory.people_matching("", *USER_COLUMNS),
    "register": payments.register(),
    "newest products": select(Product.name, Product.id).order_by(Product.id.desc()),
    "active products": select(Product.id)
    .where(Product.name.icontains("part"))
    .order_by(Product.status.desc(), func.lower(Product.name), Product.id),
}


@pytest.mark.parametrize("name", ["root", "alice", "bob", "charlie"])
def test_pages_make_up_the_list(many, viewer_of, name):
    with viewing_as(viewer_of(name)):
        for query in LISTS.values():
            whole = db.session.execute(query).all()
            for limit in (1, 7, 20):
                for page in range(1, -(-len(whole) // limit) + 3):
                    rows, total = page_of(query, page, limit)
                    assert rows == whole[(page - 1) * limit : page * limit]
                    assert total == len(whole)


def test_who_sees_less_has_fewer_pages(many, viewer_of):
    totals = {}
    for name in ("root", "alice", "bob", "charlie"):
        with viewing_as(viewer_of(name)):
            totals[name] = [page_of(LISTS[listed], 2, 1)[1] for listed in ("products", "services", "users")]
    assert totals == {"root": [105, 3, 6], "alice": [35, 1, 6], "bob": [2, 2, 6], "charlie": [0, 0, 1]}


def total_of(name: str, page: int = 1) -> int:
    return page_of(LISTS[name], page, 1)[1]


def test_total_is_counted_once_until_something_is_committed(context, statements):
    total = total_of("products")
    with statements() as seen:
        assert [total_of("products"), total_of("products", 4)] == [total, total]
    assert len(seen) == 2
    db.session.rollback()
    with db.engine.begin() as somebody_else:
        somebody_else.execute(text("DELETE FROM access_grants"))
        somebody_else.execute(text("DELETE FROM products WHERE name = 'Drive'"))
        assert total_of("products") == total
    assert total_of("products", 2) == total - 1


def test_total_counts_what_the_transaction_itself_wrote_and_nobody_else_keeps_it(context):
    total = total_of("products")
    db.session.execute(text("UPDATE products SET name = name || '!' WHERE name = 'Drive'"))
    db.session.add(Product(name="Meet", service_id=db.session.scalar(select(Product.service_id).limit(1))))
    db.session.flush()
    assert [total_of("products"), total_of("products", 2)] == [total + 1, total + 1]
    db.session.rollback()
    assert [total_of("products"), total_of("products", 2)] == [total, total]


COUNTS = (select(func.count()).select_from(Product), select(func.count(PaymentInfo.id)))


def test_counts_are_one_statement_and_exact_after_every_commit(context, statements):
    products, payments_ = counts(COUNTS)
    assert (products, payments_) == (5, 5)
    with statements() as seen:
        assert counts(COUNTS) == [products, payments_]
    assert len(seen) == 1
    db.session.rollback()
    with db.engine.begin() as somebody_else:
        somebody_else.execute(text("DELETE FROM access_grants"))
        somebody_else.execute(text("DELETE FROM products WHERE name = 'Drive'"))
        assert counts(COUNTS) == [products, payments_]
    assert counts(COUNTS) == [products - 1, payments_ - 1]


def test_counts_of_a_transaction_that_wrote_are_its_own(context):
    products, payments_ = counts(COUNTS)
    db.session.execute(text("DELETE FROM access_grants"))
    db.session.execute(text("DELETE FROM products WHERE name = 'Drive'"))
    assert [counts(COUNTS), counts(COUNTS)] == [[products - 1, payments_ - 1]] * 2
    db.session.rollback()
    assert counts(COUNTS) == [products, payments_]


def test_counts_are_of_the_rows_that_the_viewer_sees(context, viewer_of):
    found = {}
    for name in ("root", "alice", "bob", "charlie"):
        with viewing_as(viewer_of(name)):
            found[name] = counts(COUNTS)
    assert found == {"root": [5, 5], "alice": [2, 2], "bob": [2, 0], "charlie": [0, 0]}


def test_total_is_of_the_values_asked_for_and_of_the_viewer(context, viewer_of):
    found = {}
    for name in ("root", "alice", "charlie"):
        with viewing_as(viewer_of(name)):
            found[name] = [
                page_of(directory.people_matching(part, *USER_COLUMNS), 1, 1)[1]
                for part in ("do", "example.com", "a", "a")
            ]
    assert found == {"root": [1, 6, 6, 6], "alice": [1, 6, 6, 6], "charlie": [0, 1, 1, 1]}


def test_search_with_many_hits_has_pages(context, viewer_of):
    with viewing_as(viewer_of("alice")):
        whole = db.session.execute(directory.people_matching("example.com", *USER_COLUMNS)).all()
        pages = [page_of(directory.people_matching("example.com", *USER_COLUMNS), n, 2) for n in range(1, 5)]
    assert [row for rows, _ in pages for row in rows] == whole
    assert {total for _, total in pages} == {len(whole)}


@pytest.mark.parametrize("page", [2, 70, 150])
def test_rows_before_a_page_are_skipped_in_the_index(context, explained, page):
    db.session.execute(text(PEOPLE))
    db.session.commit()
    with db.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("VACUUM ANALYZE users"))
    *_, found = explained(lambda: page_of(LISTS["users"], page, 20))
    assert "using ix_users_lower_name" in found
    assert ("Backward" in found) == (page > 76)
