"""What we change of Flask-AppBuilder, and what we rely on in it: this fails when a new version moves something."""

import ast
import inspect
import json
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice

import flask_appbuilder.api
import flask_appbuilder.baseviews
import prison
import pytest
from flask_appbuilder.api import ModelRestApi
from flask_appbuilder.baseviews import BaseCRUDView, BaseModelView
from flask_appbuilder.models.filters import Filters
from flask_appbuilder.models.sqla.interface import SQLAInterface
from flask_appbuilder.security import decorators
from flask_appbuilder.urltools import get_filter_args
from sqlalchemy import inspect as inspect_model

from app.directory import operations as directory
from app.foundation import fab
from app.foundation.database import db
from app.inventory import operations as inventory
from app.inventory.models import Service

THREADS = 16


def original(changed):
    """The function of FAB that ours wraps."""
    return inspect.getclosurevars(changed).nonlocals["original"]


def parameters(function) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_changes_are_in_place_once(one_app):
    fab.install()
    assert isinstance(BaseModelView.__dict__["_filters"], fab.FiltersOfThisRequest)
    assert isinstance(ModelRestApi.__dict__["_filters"], fab.FiltersOfThisRequest)
    for changed in (BaseCRUDView._get_list_widget, Filters.add_filter_index, prison.loads):
        assert changed.is_ours
        assert not hasattr(original(changed), "is_ours"), "wrapped twice"


def test_fab_still_has_what_is_wrapped(one_app):
    assert parameters(original(Filters.add_filter_index)) == [
        "self",
        "column_name",
        "filter_instance_index",
        "value",
    ]
    wanted = {"self", "order_column", "order_direction", "page", "page_size"}
    assert wanted <= set(parameters(original(BaseCRUDView._get_list_widget)))
    assert parameters(SQLAInterface.apply_all)[7] == "select_columns"
    assert parameters(SQLAInterface.get)[:3] == ["self", "id", "filters"]
    assert parameters(ModelRestApi._handle_filters_args) == ["self", "rison_args"]
    assert {"_all_filters", "filters", "values"} <= set(vars(Filters)) | set(Filters.__annotations__)
    assert flask_appbuilder.api.prison is prison


def test_fab_still_calls_what_is_wrapped():
    """List pages name their arguments, so that the wrapper sees them; filters of a page come by their index."""
    tree = ast.parse(inspect.getsource(flask_appbuilder.baseviews))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    lists = [call for call in found if getattr(call.func, "attr", "") == "_get_list_widget"]
    assert len(lists) == 2
    for call in lists:
        words = {word.arg for word in call.keywords}
        assert not call.args
        assert {"page_size", "order_column"} <= words or words == {None}
    source = textwrap.dedent(inspect.getsource(get_filter_args))
    assert "filters.add_filter_index(filter_column, filter_index" in source
    assert "filters.clear_filters()" in source


def test_refused_page_is_a_403_for_whoever_is_signed_in():
    """Older versions sent people to the sign-in, which sends them back: a loop."""
    assert "abort(403)" in inspect.getsource(decorators.has_access)


@pytest.fixture
def many(context):
    """130 departments."""
    for number in range(130):
        directory.create_department(name=f"Department {number:03}")
    db.session.commit()


def rows_in(page) -> int:
    return page.text.partition("<tbody")[2].partition("</tbody>")[0].count("<tr")


@pytest.mark.parametrize("size", ["101", "100000", "2147483647"])
def test_page_size_of_a_list_is_capped(root, many, size):
    assert rows_in(root.get(f"/departments/list/?psize_DepartmentView={size}")) == fab.LARGEST_PAGE


def test_page_size_of_a_list_is_taken_below_the_cap(root, many):
    assert rows_in(root.get("/departments/list/?psize_DepartmentView=30")) == 30
    assert rows_in(root.get("/departments/list/")) == 25


@pytest.mark.parametrize("size", [-1, 0, 101, 100_000])
def test_page_size_of_the_api_is_capped(root, many, size):
    answer = root.api("GET", f"departments/?q=(page_size:{size})")
    assert answer.status_code == 200
    assert len(answer.json["result"]) <= 100


@pytest.mark.parametrize("value", ["abc", "-1", "1e3", "99999999999999999999", "", "0x10", "%00"])
def test_page_argument_that_is_no_number_is_refused(root, value):
    for name in ("page_DepartmentView", "psize_DepartmentView"):
        assert root.get(f"/departments/list/?{name}={value}").status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        "(page:-2)",
        "(page:99999999999999999999)",
        "(page:a)",
        "(order_column:nonsense)",
        "(order_column:name,order_direction:sideways)",
        "(",
        "!",
        "'",
        "(filters:1)",
        "(filters:!((col:name)))",
        "(filters:!((col:name,opr:eq)))",
        "(filters:!((col:name,opr:nonsense,value:a)))",
        "(filters:!((col:nonsense,opr:eq,value:a)))",
        "(filters:!((col:name,opr:eq,value:!())))",
        "(filters:!((col:name,opr:rel_o_m,value:1)))",
        "(filters:!((opr:eq,value:a)))",
        '{"filters": [{"col": "name", "opr": "ct", "value": "a"}, {"col": "name"}]}',
    ],
)
def test_list_arguments_that_make_no_sense_are_refused_by_the_api(root, query):
    answer = root.api("GET", "departments/", query_string={"q": query})
    assert answer.status_code in {400, 422}
    assert answer.json["error"] == "invalid_input"


@pytest.mark.parametrize(
    "value",
    [
        "\x00",
        "99999999999999999999",
        "'",
        "\ud800",
        ["a", 1, True],
        [],
        [[1]],
        {"a": 1},
        None,
        True,
        1.5,
        10**30,
    ],
)
def test_strange_filter_value_breaks_nothing(root, app, value):
    """On a column of every kind that may be filtered, with every operator for it."""
    faults = []
    for (_, operator), (path, column) in kinds_of_filters(app).items():
        query = {"filters": [{"col": column, "opr": operator, "value": value}]}
        answer = root.api("GET", path, query_string={"q": json.dumps(query)})
        if answer.status_code not in {200, 400, 422}:
            faults.append(f"{path} {query} -> {answer.status_code}")
    assert faults == []


def kinds_of_filters(app) -> dict[tuple[str, str], tuple[str, str]]:
    """(type of a column, operator) -> an API and a column that has them."""
    found = {}
    for api in app.appbuilder.baseviews:
        for column in api.search_columns if isinstance(api, ModelRestApi) else ():
            kind = str(inspect_model(api.datamodel.obj).columns[column].type)
            for one in api._filters.get_search_filters()[column]:
                found[kind, one.arg_name] = (f"{api.resource_name}/", column)
    return found


@pytest.mark.parametrize(
    ("path", "column", "value"),
    [
        ("people/", "department_id", "abc"),
        ("people/", "department_id", [1]),
        ("people/", "last_day", "the day after tomorrow, perhaps"),
        ("people/", "last_day", 7),
        ("people/", "active", "perhaps"),
        ("people/", "active", 1),
        ("tasks/", "created_at", "never"),
        ("people/", "name", True),
        ("people/", "name", "\x00"),
    ],
)
def test_filter_value_that_does_not_fit_is_refused(root, path, column, value):
    """FAB makes NULL of it, and answers with the rows that have none."""
    query = {"filters": [{"col": column, "opr": "eq", "value": value}]}
    assert root.api("GET", path, query_string={"q": json.dumps(query)}).status_code in {400, 422}


@pytest.mark.parametrize(
    ("column", "value", "found"),
    [
        ("name", "Dora", ["Dora"]),
        ("active", True, ["Alice", "Bob", "Charlie", "Dora", "Portal Administrator", "Root"]),
        ("active", False, []),
        ("external_id", 17, ["Alice"]),
        ("last_day", "2031-05-01", ["Alice"]),
    ],
)
def test_filter_value_that_fits_finds(root, world, column, value, found):
    root.api("PUT", f"people/{world.people['alice']}", {"external_id": "17", "last_day": "2031-05-01"})
    query = {"filters": [{"col": column, "opr": "eq", "value": value}], "order_column": "name"}
    answer = root.api("GET", "people/", query_string={"q": json.dumps(query)})
    assert sorted(row["name"] for row in answer.json["result"]) == found


def test_filter_in_takes_a_list(root):
    query = {"filters": [{"col": "name", "opr": "in", "value": ["Dora", "Alice", "Nobody"]}]}
    answer = root.api("GET", "people/", query_string={"q": json.dumps(query)})
    assert {row["name"] for row in answer.json["result"]} == {"Dora", "Alice"}


def test_unknown_filter_of_a_page_is_refused(root):
    assert root.get("/people/list/?_flt_9_active=x").status_code == 400
    assert root.get("/people/list/?_flt_0_name=x").status_code == 200


def test_unknown_order_of_a_page_is_ignored(root, many):
    plain = root.get("/departments/list/")
    for column in ("id", "created_at", "people.name", "nonsense", "name;--"):
        ordered = root.get(f"/departments/list/?_oc_DepartmentView={column}&_od_DepartmentView=desc")
        assert ordered.status_code == 200
        assert "Department 000" in ordered.text
        assert rows_in(ordered) == rows_in(plain)
    declared = root.get("/departments/list/?_oc_DepartmentView=name&_od_DepartmentView=desc")
    assert "Department 000" not in declared.text
    assert "Department 129" in declared.text


def test_filters_outside_of_a_request_are_the_views_own(one_app):
    view = next(view for view in one_app.appbuilder.baseviews if type(view).__name__ == "DepartmentView")
    assert view._filters is view._filters
    with one_app.test_request_context():
        mine = view._filters
        assert mine is view._filters
        mine.add_filter_index("name", 0, ["x"])
        assert len(view._filters.filters) == 1
    with one_app.test_request_context():
        assert view._filters is not mine
        assert view._filters.filters == []
    assert view._filters.filters == []


@pytest.fixture
def impatient():
    """Threads take turns as often as Python can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_threads_never_see_each_others_filters(app, visit, impatient, context):
    for number in range(THREADS):
        directory.create_department(name=f"Only {number:02}")
    db.session.commit()
    visitors = [visit("root") for _ in range(THREADS)]

    def ask(number: int) -> list[str]:
        name, visitor, wrong = f"Only {number:02}", visitors[number], []
        for kind in islice(cycle(["api", "page"]), 8):
            if kind == "api":
                answer = visitor.api("GET", f"departments/?q=(filters:!((col:name,opr:eq,value:'{name}')))")
                found = [row["name"] for row in answer.json.get("result", [])]
            else:
                answer = visitor.get(f"/departments/list/?_flt_0_name=Only+{number:02}")
                body = answer.text.partition("<tbody")[2].partition("</tbody>")[0]
                found = [f"Only {other:02}" for other in range(THREADS) if f"Only {other:02}" in body]
            if found != [name]:
                wrong.append(f"{name} by {kind}: {answer.status_code} {found}")
        return wrong

    with ThreadPoolExecutor(THREADS) as pool:
        assert [fault for faults in pool.map(ask, range(THREADS)) for fault in faults] == []


@pytest.mark.parametrize(
    "path", ["/products/list/?psize_ProductView=100", "/grants/list/?psize_GrantView=100"]
)
def test_list_costs_the_same_at_any_number_of_rows(root, statements, context, world, path):
    def cost() -> int:
        with statements() as seen:
            assert root.get(path).status_code == 200
        return len(seen)

    cost()
    few = cost()
    service = db.session.get(Service, world.services["Slack"])
    for number in range(30):
        other = inventory.create_service(name=f"Service {number}")
        product = inventory.create_product(service_id=other.id, name=f"Product {number}")
        person = directory.create_person(name=f"Person {number}", email=f"p{number}@example.com")
        inventory.grant_access(person_id=person.id, product_id=product.id)
    assert service
    db.session.commit()
    assert cost() == few
    assert few <= 12
