"""Pages of a list are parts of the whole, to the row, at any depth and for whoever sees less."""

import pytest
from sqlalchemy import func, select, text

from app.directory import queries as directory
from app.directory.schemas import USER_COLUMNS
from app.foundation import paging
from app.foundation.database import db
from app.foundation.landmarks import KEPT, Landmarks
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
SERVICES = """
    INSERT INTO services (name, created_at, updated_at) SELECT 'Service ' || n, now(), now() FROM generate_series(1, 3000) AS n
"""


@pytest.fixture
def many(context, world):
    services = {"google": world.services["Google Workspace"], "slack": world.services["Slack"]}
    db.session.execute(text(MANY), services)
    db.session.commit()


LISTS = {
    "products": inventory.products_by_name(*PRODUCT_COLUMNS),
    "services": inventory.services_by_name(*SERVICE_COLUMNS),
    "users": directory.people_by_name(*USER_COLUMNS),
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
            searches = [
                directory.people_matching(part, *USER_COLUMNS) for part in ("do", "example.com", "a", "a")
            ]
            found[name] = [page_of(query, 1, 1, **values)[1] for query, values in searches]
    assert found == {"root": [1, 6, 6, 6], "alice": [1, 6, 6, 6], "charlie": [0, 1, 1, 1]}


def test_search_with_many_hits_has_pages(context, viewer_of):
    with viewing_as(viewer_of("alice")):
        query, values = directory.people_matching("example.com", *USER_COLUMNS)
        whole = db.session.execute(query, values).all()
        pages = [page_of(query, n, 2, **values) for n in range(1, 5)]
    assert [row for rows, _ in pages for row in rows] == whole
    assert {total for _, total in pages} == {len(whole)}


@pytest.mark.parametrize(("table", "rows"), [("users", PEOPLE), ("services", SERVICES)])
@pytest.mark.parametrize("page", [2, 70, 150])
def test_rows_before_a_page_are_skipped_in_the_index(context, explained, table, rows, page):
    db.session.execute(text(rows))
    db.session.commit()
    with db.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(f"VACUUM ANALYZE {table}"))
    *_, found = explained(lambda: page_of(LISTS[table], page, 20))
    assert "Index Only Scan" in found
    assert f"using ix_{table}_lower_name" in found
    assert ("Backward" in found) == (page > 76)


@pytest.fixture
def far(monkeypatch):
    """Landmarks are set from the second page on."""
    monkeypatch.setattr(paging, "FAR", 1)


TURNED = {
    "users": directory.people_by_name(*USER_COLUMNS),
    "products": inventory.products_by_name(*PRODUCT_COLUMNS),
    "newest first": select(Product.name, Product.id).order_by(Product.id.desc()),
    "names backwards": select(Product.id).order_by(func.lower(Product.name).desc(), Product.id.desc()),
    "an optional column": select(Product.id).order_by(Product.url, Product.id),
    "two directions": select(Product.id).order_by(Product.name.desc(), Product.id),
}


@pytest.mark.parametrize("name", ["root", "alice"])
@pytest.mark.parametrize("kind", TURNED)
def test_pages_found_from_landmarks_are_the_same(far, many, viewer_of, kind, name):
    """Forwards, backwards, across, and again."""
    query, limit = TURNED[kind], 7
    with viewing_as(viewer_of(name)):
        whole = db.session.execute(query).all()
        last = -(-len(whole) // limit)
        for page in (*range(1, last + 2), *range(last, 0, -1), *range(2, last, 3), *range(2, last, 3)):
            assert page_of(query, page, limit) == (whole[(page - 1) * limit : page * limit], len(whole))


def test_entities_are_found_from_landmarks_too(far, many, viewer_of):
    query = select(Product).order_by(func.lower(Product.name), Product.id)
    with viewing_as(viewer_of("root")):
        whole = list(db.session.scalars(query))
        for page in (4, 5, 6, 4):
            rows, total = page_of(query, page, 7, load=())
            assert [row[0] for row in rows] == whole[(page - 1) * 7 : page * 7]
            assert total == len(whole)


def test_landmarks_of_before_a_commit_are_forgotten(far, many, viewer_of):
    query = TURNED["products"]
    with viewing_as(viewer_of("root")):
        for page in (5, 6, 7):
            page_of(query, page, 7)
        with db.engine.begin() as somebody_else:
            somebody_else.execute(
                text(
                    "DELETE FROM products WHERE id IN (SELECT id FROM products WHERE name ILIKE 'part%' LIMIT 9)"
                )
            )
        whole = db.session.execute(query).all()
        for page in (7, 6, 8):
            assert page_of(query, page, 7) == (whole[(page - 1) * 7 : page * 7], len(whole))


def test_landmarks_are_not_those_of_another_search_or_viewer(far, many, viewer_of):
    db.session.execute(text(PEOPLE))
    db.session.commit()
    for needle in ("person 1", "person 2", "many.example"):
        with viewing_as(viewer_of("root")):
            query, values = directory.people_matching(needle, *USER_COLUMNS)
            whole = db.session.execute(query, values).all()
            for page in (4, 5, 4):
                expected = whole[(page - 1) * 20 : page * 20]
                assert page_of(query, page, 20, **values) == (expected, len(whole))


def test_next_page_of_a_long_list_begins_where_the_last_one_ended(context, explained):
    db.session.execute(text(PEOPLE))
    db.session.commit()
    with db.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("VACUUM ANALYZE users"))
    page_of(LISTS["users"], 60, 20)
    for page in (60, 61, 62):
        [found] = explained(lambda page=page: page_of(LISTS["users"], page, 20))
        assert "Index Cond: (ROW((lower(name)), id) >= ROW(" in found


def test_landmarks_are_few():
    landmarks = Landmarks()
    for place in range(1000):
        landmarks.add(place, (place,))
    assert landmarks.before(2000) == (999, {"landmark_0": 999})
    assert landmarks.before(1000 - KEPT) == (1000 - KEPT, {"landmark_0": 1000 - KEPT})
    assert landmarks.before(999 - KEPT) == (0, {})
