"""Lists of the generated API: read as columns, in a fixed number of statements, by page numbers or by key."""

import pytest
from sqlalchemy import event, insert

from app.audit.models import AuditEntry
from app.foundation.database import db
from app.foundation.reading import Reader
from app.inventory.models import Product, Service
from app.lifecycle import operations as lifecycle


@pytest.fixture
def many(context, world):
    """45 products more, in a service that alice does not administer."""
    service = world.services["Slack"]
    rows = [{"service_id": service, "name": f"Part {number:03}"} for number in range(45)]
    db.session.execute(insert(Product), rows)
    db.session.commit()


def read_all(visitor, resource, size, query=""):
    """Every row, page by page by key."""
    found, after = [], 0
    while after is not None:
        answer = visitor.api("GET", f"{resource}/?after={after}&q=({query}page_size:{size})")
        assert answer.status_code == 200, answer.text
        assert "count" not in answer.json
        assert len(answer.json["result"]) <= size
        found += answer.json["result"]
        after = answer.json["next"]
    return found


@pytest.mark.parametrize("size", [1, 7, 100])
def test_pages_by_key_hold_every_row_once(root, many, size):
    numbered = root.api("GET", "products/?q=(page_size:100,order_column:id,order_direction:asc)").json
    found = read_all(root, "products", size)
    assert found == numbered["result"]
    assert len(found) == numbered["count"]


def test_pages_by_key_keep_filters_columns_and_row_rules(root, alice, many):
    wanted = "filters:!((col:name,opr:sw,value:'Part 00')),columns:!(name),"
    assert [row["name"] for row in read_all(root, "products", 3, wanted)] == [
        f"Part {n:03}" for n in range(10)
    ]
    assert read_all(alice, "products", 3, wanted) == []
    mine = alice.api("GET", "products/?q=(page_size:100)").json
    assert len(read_all(alice, "products", 2)) == mine["count"] == len(mine["ids"])


def test_page_by_key_neither_repeats_nor_misses_while_rows_are_added(root, world, context):
    first = root.api("GET", "products/?after=0&q=(page_size:3)").json
    db.session.execute(insert(Product), [{"service_id": world.services["Slack"], "name": "Aaa"}])
    db.session.commit()
    ids = first["ids"]
    while first["next"] is not None:
        first = root.api("GET", f"products/?after={first['next']}&q=(page_size:3)").json
        ids += first["ids"]
    assert ids == sorted(set(ids))
    assert len(ids) == root.api("GET", "products/").json["count"]


@pytest.mark.parametrize(
    "query",
    [
        "after=x",
        "after=-1",
        "after=99999999999",
        "after=1.5",
        "after=0&q=(page:1)",
        "after=0&q=(order_column:name)",
    ],
)
def test_nonsense_after_is_refused(root, query):
    answer = root.api("GET", f"products/?{query}")
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_input")


@pytest.mark.parametrize("query", ["(page:-1)", "(page:99999999999)", "(page:21474837)"])
def test_page_out_of_reach_is_refused(root, query):
    answer = root.api("GET", f"products/?q={query}")
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_input")


def test_page_by_key_counts_nothing(root, many, statements):
    with statements() as seen:
        root.api("GET", "products/?after=5&q=(page_size:5)")
    assert [one for one in seen if "count(" in one] == []
    assert len(seen) == 2


@pytest.mark.parametrize("resource", ["products", "access-templates", "access-grants", "tasks", "audit-logs"])
def test_list_builds_no_entities(root, hr, run_jobs, resource):
    hr("onboarding", name="Jane", email="jane@example.com", department="Engineering")
    run_jobs()
    built = []

    def note(target, _context):
        built.append(type(target).__name__)

    event.listen(Product, "load", note)
    event.listen(Service, "load", note)
    event.listen(AuditEntry, "load", note)
    try:
        assert root.api("GET", f"{resource}/").json["count"] > 0
    finally:
        for model in (Product, Service, AuditEntry):
            event.remove(model, "load", note)
    assert built == []


def test_related_rows_are_objects_lists_or_null(root, world, context):
    lifecycle.create_template(
        name="Everything",
        product_ids=[world.products["Gmail"], world.products["Copilot"]],
        department_id=None,
    )
    db.session.commit()
    found = root.api("GET", "access-templates/?q=(filters:!((col:name,opr:eq,value:Everything)))").json[
        "result"
    ]
    assert found[0]["department"] is None
    assert [one["name"] for one in found[0]["products"]] == ["Copilot", "Gmail"]
    product = root.api("GET", f"products/{world.products['Gmail']}").json["result"]
    assert product["service"] == {"name": "Google Workspace"}


def test_reader_knows_no_column_that_the_model_has_not():
    with pytest.raises((AttributeError, KeyError)):
        Reader(Product, ["id", "nonsense"])
    with pytest.raises((AttributeError, KeyError)):
        Reader(Product, ["nonsense.name"])


def test_q_is_checked_by_a_schema_that_is_made_ready_once(root, monkeypatch):
    root.api("GET", "products/?q=(page:0)")

    def again(*_):
        raise AssertionError("a schema was checked again")

    monkeypatch.setattr("jsonschema.Draft202012Validator.check_schema", again)
    monkeypatch.setattr("jsonschema.validate", again)
    assert root.api("GET", "products/?q=(page:0)").status_code == 200
    assert root.api("GET", "products/?q=(page:x)").status_code == 400
