"""FAB's leak table at forms, bodies and searches: nobody learns of a hidden row by what may be chosen, sent or guessed."""

import json

import pytest
from sqlalchemy import inspect

from app.directory.models import Department, Person
from app.foundation.database import db
from app.inventory.models import AccessGrant, Product, Service
from tests.attack.doors import (
    GUESTS,
    NO_SUCH_KEY,
    REFUSED,
    apis,
    columns,
    hidden_from,
    open_to,
    pages,
    relations,
    route,
)

pytestmark = pytest.mark.usefixtures("unchanged")


def test_prefilled_form_shows_no_hidden_row(app, marks, visitors, findings):
    for name in GUESTS:
        visitor = visitors[name]
        for view in pages(app):
            for column in relations(view.datamodel.obj):
                model = getattr(view.datamodel.obj, column).property.mapper.class_
                keys = {row.key for row in marks.hidden_from(name, model)} or {NO_SUCH_KEY}
                query = "&".join(f"_flt_0_{column}={key}" for key in sorted(keys))
                path = f"{view.route_base}/add?{query}"
                findings.look(visitor, path, visitor.get(path))
            query = "&".join(f"_flt_0_{column}=x" for column in columns(view.datamodel.obj))
            findings.look(visitor, f"{view.route_base}/add?*", visitor.get(f"{view.route_base}/add?{query}"))
    findings.must_be_none()


def test_form_offers_no_hidden_row(app, marks, visitors, findings):
    for name in GUESTS:
        visitor = visitors[name]
        for view in pages(app):
            for verb in ("add", *(f"edit/{row.key}" for row in marks.open_to(name, view.datamodel.obj))):
                path = f"{view.route_base}/{verb}"
                findings.look(visitor, path, visitor.get(path))
    findings.must_be_none()


def test_hidden_reference_in_a_form_is_refused(marks, visitors, findings):
    """Whoever may add or change something still can't tie it to what they don't see."""
    product, service = (hidden_from("alice", marks, model) for model in (Product, Service))
    drive, mine = open_to("alice", marks, Product), open_to("alice", marks, AccessGrant)
    person = visitors["charlie"].person_id
    for path, form in (
        ("/products/add", {"service_id": service, "name": "Mine now", "status": "active"}),
        (f"/products/edit/{drive}", {"service_id": service, "name": "Gone", "status": "active"}),
        ("/grants/add", {"person_id": person, "product_id": product, "level": "admin"}),
        ("/assignments/add", {"person_id": person, "product_id": product}),
        ("/assignments/add", {"person_id": person, "service_id": service}),
    ):
        answer = visitors["alice"].post(path, form)
        findings.look(visitors["alice"], f"POST {path} {form}", answer, {200, 422})
        if "There is no such entry" not in answer.text:
            findings.note(f"POST {path} {form} does not say that there is no such entry")
    answer = visitors["bob"].post(f"/grants/edit/{mine}", {"level": "admin"})
    findings.look(visitors["bob"], "POST /grants/edit/<alice's>", answer, {404})
    findings.must_be_none()


def test_hidden_reference_in_an_api_write_is_refused(marks, visitors, findings):
    product, service = (hidden_from("alice", marks, model) for model in (Product, Service))
    drive, grant = open_to("alice", marks, Product), open_to("alice", marks, AccessGrant)
    person = visitors["charlie"].person_id
    alice = visitors["alice"]
    for key in (service, NO_SUCH_KEY):
        for method, path, body in (
            ("POST", "products/", {"service_id": key, "name": "Mine now"}),
            ("PUT", f"products/{drive}", {"serviceId": key}),
            ("POST", "permission-assignments/", {"person_id": person, "service_id": key}),
        ):
            findings.look(alice, f"{method} {path} {body}", alice.api(method, path, body), {422})
    for key in (product, NO_SUCH_KEY):
        for method, path, body in (
            ("POST", "access-grants/", {"person_id": person, "product_id": key}),
            ("POST", "permission-assignments/", {"person_id": person, "product_id": key}),
        ):
            findings.look(alice, f"{method} {path} {body}", alice.api(method, path, body), {422})
    for body in ({"person_id": NO_SUCH_KEY, "product_id": drive}, {"person_id": -1, "product_id": drive}):
        findings.look(alice, f"POST access-grants/ {body}", alice.api("POST", "access-grants/", body), {422})
    unknown = alice.api("PUT", f"access-grants/{grant}", {"product_id": product, "person_id": person})
    findings.look(alice, "PUT access-grants/ with another product", unknown, {200, 422})
    findings.must_be_none()


def test_collections_and_foreign_fields_in_a_body_are_left_alone(app, marks, visitors, findings):
    """A body that names relations, keys and columns which no form has: nothing of it is written."""
    for name in GUESTS:
        visitor = visitors[name]
        keys = sorted({row.key for row in marks.hidden_from(name) if isinstance(row.key, int)})
        for api in apis(app):
            model = api.datamodel.obj
            declared = set(api.add_model_schema.fields)
            body = dict.fromkeys(relations(model), keys)
            body |= {
                column.key: keys[0]
                for column in inspect(model).column_attrs
                if column.columns[0].foreign_keys and column.key not in declared
            }
            body |= {"id": keys[0], "created_at": "2001-01-01T00:00:00Z"}
            for row in marks.open_to(name, model):
                answer = visitor.api("PUT", f"{route(api)}{row.key}", body)
                findings.look(
                    visitor, f"PUT {route(api)}{row.key} {sorted(body)}", answer, REFUSED | {200, 409, 422}
                )
            answer = visitor.api("POST", route(api), body)
            findings.look(visitor, f"POST {route(api)} {sorted(body)}", answer, REFUSED | {422})
    findings.must_be_none()


def test_filter_and_order_on_undeclared_columns_are_refused_by_the_api(app, visitors, findings):
    for name in ("root", "alice"):
        visitor = visitors[name]
        for api in apis(app):
            if visitor.api("GET", route(api)).status_code != 200:
                continue
            model = api.datamodel.obj
            undeclared = {*columns(model), "account.password", "person.email", "password"} - set(
                api.search_columns
            )
            for column in sorted(undeclared):
                for operator in ("eq", "sw"):
                    query = {"filters": [{"col": column, "opr": operator, "value": "a"}]}
                    answer = visitor.api("GET", route(api), query_string={"q": json.dumps(query)})
                    findings.look(visitor, f"{route(api)} filter {column} {operator}", answer, {400})
            for column in sorted({*columns(model), "account.password"} - set(api.order_columns)):
                query = {"order_column": column, "order_direction": "asc"}
                answer = visitor.api("GET", route(api), query_string={"q": json.dumps(query)})
                findings.look(visitor, f"{route(api)} order {column}", answer, {400})
    findings.must_be_none()


def test_columns_that_are_not_listed_are_not_answered(app, marks, visitors, findings):
    for name in ("root", "alice", "charlie"):
        visitor = visitors[name]
        for api in apis(app):
            model = api.datamodel.obj
            wanted = [*columns(model), "account.password", "account.roles", "person.email", "__class__"]
            for key in ("columns", "select_columns"):
                query = {"q": json.dumps({key: wanted})}
                findings.look(
                    visitor, f"{route(api)} {key}", visitor.api("GET", route(api), query_string=query)
                )
                for row in marks.open_to(name, model)[:1]:
                    answer = visitor.api("GET", f"{route(api)}{row.key}", query_string=query)
                    findings.look(visitor, f"{route(api)}<pk> {key}", answer)
                    if answer.status_code == 200:
                        extra = _names_in(answer.json["result"]) - _names_of(api.show_columns)
                        if extra:
                            findings.note(f"{name}: {route(api)}<pk> {key} answers {extra}")
    findings.must_be_none()


def _names_of(listed: list[str]) -> set[str]:
    return {part for column in listed for part in column.split(".")}


def _names_in(result: dict) -> set[str]:
    found = set(result)
    for name, inner in result.items():
        if isinstance(inner, dict) and name not in {"payload", "before", "after"}:
            found |= set(inner)
    return found


def test_hidden_text_cannot_be_guessed_letter_by_letter(app, marks, visitors, findings):
    """A filter that fits a hidden row finds as much as one that fits nothing."""
    for name in GUESTS:
        visitor = visitors[name]
        for api in apis(app):
            if visitor.api("GET", route(api)).status_code == 403:
                continue
            for row in marks.hidden_from(name, api.datamodel.obj):
                for column in api.search_columns:
                    operator = "eq" if column == "id" else "sw"
                    value = row.mark[:6] if operator == "sw" else row.key
                    query = {"filters": [{"col": column, "opr": operator, "value": value}]}
                    answer = visitor.api("GET", route(api), query_string={"q": json.dumps(query)})
                    findings.look(visitor, f"{route(api)} {query}", answer, {200, 400, 403, 422})
                    if answer.status_code == 200 and row.key in answer.json["ids"]:
                        findings.note(f"{name}: {route(api)} {query} finds {row.mark}")
    findings.must_be_none()


def test_undeclared_arguments_of_a_page_change_nothing(app, visitors, findings):
    root = visitors["root"]
    for view in pages(app):
        path, title = f"{view.route_base}/list/", type(view).__name__
        plain, model = root.get(path), view.datamodel.obj
        filters = sorted(set(columns(model)) - set(view.search_columns))
        orders = sorted({*columns(model), "account.password", "id;--"} - set(view.order_columns))
        queries = ["&".join(f"_flt_0_{column}=a&_flt_1_{column}=0" for column in filters)]
        queries += [f"_oc_{title}={column}&_od_{title}=desc" for column in orders]
        for query in queries:
            answer = root.get(f"{path}?{query}")
            findings.look(root, f"{path}?{query}", answer, {200, 400})
            if answer.status_code == 200 and rows_of(answer) != rows_of(plain):
                findings.note(f"{path}?{query} changes the rows")
    findings.must_be_none()


def rows_of(answer) -> str:
    return answer.text.partition("<tbody")[2].partition("</tbody>")[0]


def test_search_form_offers_no_hidden_row(app, visitors, findings):
    for name in GUESTS:
        visitor = visitors[name]
        for view in pages(app):
            for column in view.search_columns:
                for value in ("1", "a"):
                    path = f"{view.route_base}/list/?_flt_0_{column}={value}"
                    findings.look(visitor, path, visitor.get(path), {200, 302, 400, 403, 422})
            findings.look(visitor, f"{view.route_base}/list/", visitor.get(f"{view.route_base}/list/"))
    findings.must_be_none()


def test_lookup_finds_exactly_the_visible_rows(app, marks, visitors, findings):
    offered = {"departments": Department, "users": Person, "products": Product, "services": Service}
    for name, visitor in visitors.items():
        for table, model in offered.items():
            for query in ("", "?q=Vault", "?q=%25", "?q=Erin", "?page=2", "?page=-1&q=%00"):
                answer = visitor.get(f"/lookup/{table}{query}")
                findings.look(visitor, f"/lookup/{table}{query}", answer, {200, 400})
                if answer.status_code == 400:
                    continue
                found = {one["id"] for one in answer.json["results"]}
                leaked = found & {row.key for row in marks.hidden_from(name, model)}
                missed = {row.key for row in marks.open_to(name, model)} - found if not query else set()
                if leaked or missed:
                    findings.note(f"{name}: /lookup/{table}{query} finds {leaked}, misses {missed}")
    for table in sorted(set(db.metadata.tables) - set(offered)):
        findings.look(visitors["root"], f"/lookup/{table}", visitors["root"].get(f"/lookup/{table}"), {404})
    findings.must_be_none()
