"""FAB's leak table as an attack: whatever the door, nobody learns of a row that is not theirs, and nothing changes.

Each test walks every registered view and API for everybody of the cast. A leak is the mark of a hidden row in any
answer, a status that tells a hidden row from one that does not exist, or a changed table.
"""

import json

import pytest

from app.foundation.references import LARGEST_KEY
from app.inbox.models import WorkflowTask
from app.inventory.models import AccessGrant
from tests.attack.doors import (
    GUESTS,
    NO_SUCH_KEY,
    PAGE_VERBS,
    REFUSED,
    apis,
    call,
    columns,
    fetch,
    gist,
    pages,
    readable_paths,
    route,
)
from tests.attack.world import EVERYBODY

pytestmark = pytest.mark.usefixtures("unchanged")


def test_crawl_meets_no_hidden_row(app, marks, visitors, findings):
    for name, visitor in visitors.items():
        keys = {
            type(view).__name__: row.key
            for view in [*pages(app), *apis(app)]
            for row in marks.open_to(name, view.datamodel.obj)
        }
        keys |= {"PersonPageView": visitor.person_id, "InboxView": keys.get("TaskApi", 1)}
        for path in readable_paths(app, keys, key=1):
            findings.look(visitor, f"GET {path}", fetch(visitor, path))
    findings.must_be_none()


def test_crawl_along_hidden_keys_meets_nothing(app, marks, visitors, findings):
    for name, visitor in visitors.items():
        keys = {
            type(view).__name__: row.key
            for view in [*pages(app), *apis(app)]
            for row in marks.hidden_from(name, view.datamodel.obj)
        }
        tasks = marks.hidden_from(name, WorkflowTask)
        keys |= {"InboxView": tasks[0].key} if tasks else {}
        for path in readable_paths(app, keys, key=NO_SUCH_KEY):
            findings.look(visitor, f"GET {path}", fetch(visitor, path))
    findings.must_be_none()


def test_api_list_holds_exactly_the_visible_rows(app, marks, visitors, findings):
    for name, visitor in visitors.items():
        for api in apis(app):
            model = api.datamodel.obj
            answer = visitor.api("GET", f"{route(api)}?q=(page_size:100)")
            findings.look(visitor, f"list {route(api)}", answer)
            if answer.status_code != 200:
                continue
            marked = {row.key for row in marks.rows if row.model is model}
            found = set(answer.json["ids"]) & marked
            expected = {row.key for row in marks.open_to(name, model)}
            # The log alone has more rows than a page.
            if found != expected or min(answer.json["count"], 100) != len(answer.json["ids"]):
                findings.note(
                    f"{name}: {route(api)} lists {found}, count {answer.json['count']}, not {expected}"
                )
    findings.must_be_none()


def test_visible_rows_are_there(app, marks, visitors):
    """The counterpart: rules that hid everything would pass every other test."""
    seen = {
        (name, model.__name__)
        for name, visitor in visitors.items()
        for api in apis(app)
        for model in [api.datamodel.obj]
        for row in marks.open_to(name, model)
        if visitor.api("GET", f"{route(api)}{row.key}").status_code == 200
    }
    assert {
        ("alice", "Product"),
        ("alice", "AccessGrant"),
        ("alice", "WorkflowTask"),
        ("bob", "Product"),
        ("bob", "AccessGrant"),
        ("bob", "TaskComment"),
        ("charlie", "WorkflowTask"),
        ("charlie", "Notification"),
    } <= seen
    assert {name for name, _ in seen} == set(EVERYBODY)


def test_hidden_row_and_missing_row_answer_alike_on_pages(app, marks, visitors, findings):
    for name in GUESTS:
        visitor = visitors[name]
        for view in pages(app):
            for row in marks.hidden_from(name, view.datamodel.obj)[:1]:
                for method, verb in PAGE_VERBS:
                    path = f"{view.route_base}/{verb}/"
                    hidden, missing = (
                        getattr(visitor, method)(f"{path}{key}") for key in (row.key, NO_SUCH_KEY)
                    )
                    findings.look(visitor, f"{method} {path}<hidden>", hidden, REFUSED | {302})
                    visitor.get("/notices/")  # takes the messages that were left for the next page
                    if hidden.status_code == 302 and (method, verb) != ("get", "delete"):
                        findings.note(f"{name}: {method} {path}<hidden> -> {hidden.headers['Location']}")
                    if gist(hidden, row.key) != gist(missing, NO_SUCH_KEY):
                        findings.note(f"{name}: {method} {path} tells a hidden row from a missing one")
    findings.must_be_none()


def test_hidden_row_and_missing_row_answer_alike_on_apis(app, marks, visitors, findings):
    for name in GUESTS:
        visitor = visitors[name]
        for api in apis(app):
            for row in marks.hidden_from(name, api.datamodel.obj)[:1]:
                for method in ("GET", "PUT", "DELETE", "PATCH"):
                    body = None if method == "GET" else {"name": "Taken over", "status": "completed"}
                    hidden, missing = (
                        visitor.api(method, f"{route(api)}{key}", body) for key in (row.key, NO_SUCH_KEY)
                    )
                    findings.look(visitor, f"{method} {route(api)}<hidden>", hidden, REFUSED)
                    if gist(hidden, row.key) != gist(missing, NO_SUCH_KEY):
                        findings.note(f"{name}: {method} {route(api)} tells a hidden row from a missing one")
    findings.must_be_none()


def test_bulk_actions_do_nothing_for_others(app, marks, visitors, findings):
    for name in GUESTS:
        visitor = visitors[name]
        for view in pages(app):
            rows = [str(row.key) for row in marks.hidden_from(name, view.datamodel.obj)]
            for action in ["muldelete", "nonsense", *view.actions]:
                answer = visitor.post(f"{view.route_base}/action_post", {"action": action, "rowid": rows})
                findings.look(visitor, f"{view.route_base}/action_post {action}", answer, REFUSED)
            answer = visitor.post(f"{view.route_base}/action_post")
            findings.look(
                visitor, f"{view.route_base}/action_post without an action", answer, REFUSED | {400}
            )
    findings.must_be_none()


def test_info_tells_no_hidden_row(app, visitors, findings):
    for visitor in visitors.values():
        for api in apis(app):
            for query in ({}, {"keys": ["add_columns", "edit_columns", "filters", "permissions", "none"]}):
                answer = visitor.api("GET", f"{route(api)}_info", query_string={"q": json.dumps(query)})
                findings.look(visitor, f"{route(api)}_info {query}", answer, {200, 403})
            wanted = {column: {"page_size": -1, "filters": []} for column in columns(api.datamodel.obj)}
            query = {"add_columns": wanted, "edit_columns": wanted}
            answer = visitor.api("GET", f"{route(api)}_info", query_string={"q": json.dumps(query)})
            findings.look(visitor, f"{route(api)}_info with columns", answer, {200, 400, 403})
    findings.must_be_none()


def test_related_tabs_hold_visible_rows_only(app, marks, visitors, findings):
    for name, visitor in visitors.items():
        for view in pages(app):
            for row in marks.open_to(name, view.datamodel.obj)[:2]:
                for arguments in ("", "?psize_ProductView=100&page_ProductView=0&_flt_0_name=Vault"):
                    path = f"{view.route_base}/show/{row.key}{arguments}"
                    findings.look(visitor, path, visitor.get(path, follow_redirects=True))
    findings.must_be_none()


def test_page_of_a_person_shows_only_what_the_viewer_may_see(marks, visitors, findings):
    """Alice may look at everybody, but not at the access of others to what she does not administer."""
    keys = {row.key for row in marks.rows if row.model.__tablename__ == "users"}
    keys |= {visitor.person_id for visitor in visitors.values()}
    for visitor in visitors.values():
        for key in sorted(keys):
            findings.look(visitor, f"/people/{key}", visitor.get(f"/people/{key}"), {200, 403, 404})
        findings.look(visitor, "/me/", visitor.get("/me/"), {200})
    findings.must_be_none()


def test_person_page_cannot_be_used_by_others(marks, visitors, findings):
    erin = marks.hidden_from(
        "charlie", next(row.model for row in marks.rows if row.model.__tablename__ == "users")
    )
    for name in GUESTS:
        visitor = visitors[name]
        for key in (visitor.person_id, erin[0].key, NO_SUCH_KEY):
            for verb, form in (("access", {"roles": "Admin", "service_ids": "1"}), ("invite", {})):
                answer = visitor.post(f"/people/{key}/{verb}", form)
                findings.look(visitor, f"POST /people/{key}/{verb}", answer, {403})
    findings.must_be_none()


def test_inbox_shows_and_changes_only_visible_tasks(marks, visitors, findings):
    for name in GUESTS:
        visitor = visitors[name]
        for scope in ("mine", "team", "all"):
            for person in ("", "Erin", "mark-erin", "Dora"):
                path = f"/inbox/?scope={scope}&status=&person={person}"
                findings.look(visitor, path, visitor.get(path), {200})
        for row in marks.hidden_from(name, WorkflowTask)[:2]:
            for key in (row.key, NO_SUCH_KEY):
                for what, answer in (
                    ("show", visitor.get(f"/inbox/{key}")),
                    ("part", visitor.get(f"/inbox/{key}?part=task")),
                    ("work", visitor.post(f"/inbox/{key}/work", {"status": "completed", "comment": "Mine"})),
                    ("reassign", visitor.post(f"/inbox/{key}/reassign", {"assignee_id": visitor.person_id})),
                    ("put", visitor.api("PUT", f"tasks/{key}", {"status": "completed"})),
                ):
                    findings.look(visitor, f"{what} task {key}", answer, {404})
    findings.must_be_none()


def test_inbox_filter_does_not_test_the_address_of_somebody_hidden(marks, visitors):
    """Charlie's task is about Erin, whose e-mail he may not read: a filter must not confirm it to him."""
    [title] = {row.mark for row in marks.open_to("charlie", WorkflowTask) if row.mark.startswith("mark-task")}
    page = visitors["charlie"].get("/inbox/?scope=all&status=&person=hidden.test")
    assert title not in page.text
    assert title in visitors["root"].get("/inbox/?scope=all&status=&person=hidden.test").text


def test_task_of_somebody_else_in_the_team_cannot_be_worked_on(marks, visitors):
    """Alice sees root's task about her service, and that is all."""
    [task] = {row.key for row in marks.open_to("alice", WorkflowTask)}
    alice = visitors["alice"]
    assert alice.get(f"/inbox/{task}").status_code == 200
    assert alice.api("PUT", f"tasks/{task}", {"status": "completed"}).status_code == 403
    assert alice.post(f"/inbox/{task}/work", {"status": "completed"}).status_code in {403, 422}


def test_own_access_to_something_hidden_can_be_read_but_not_changed(marks, visitors, findings):
    bob = visitors["bob"]
    own = next(row.key for row in marks.open_to("bob", AccessGrant) if row.mark.startswith("2097"))
    assert bob.api("GET", f"access-grants/{own}").status_code == 200
    findings.look(
        bob, "PUT own grant", bob.api("PUT", f"access-grants/{own}", {"level": "admin"}), {403, 404}
    )
    findings.look(bob, "DELETE own grant", bob.api("DELETE", f"access-grants/{own}"), {403, 404})
    findings.look(bob, "edit own grant", bob.get(f"/grants/edit/{own}"), {200, 403, 404})
    edited = bob.post(f"/grants/edit/{own}", {"level": "admin"})
    findings.look(bob, "POST edit own grant", edited, {200, 403, 404, 422})
    findings.look(bob, "POST delete own grant", bob.post(f"/grants/delete/{own}"), {302, 403, 404})
    findings.must_be_none()


def test_strange_keys_are_not_found(app, visitors, findings):
    """Huge, negative, blank and broken keys on every route that takes one."""
    strange = [str(LARGEST_KEY + 1), "9" * 40, "-1", "abc", "1%00", "%F0%9F%90%98"]
    for rule in app.url_map.iter_rules():
        if "pk>" not in rule.rule:
            continue
        for key in strange:
            path = rule.rule.replace("<int:pk>", key).replace("<pk>", key).replace("<string:name>", "x")
            for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
                refuses_get = method == "GET" and ("/delete/" in path or "/action/" in path)
                allowed = {400, 404, 405, 302} if refuses_get else {400, 403, 404, 405}
                answer = call(visitors["root"], method, path, None if method in {"GET", "DELETE"} else {})
                findings.look(visitors["root"], f"{method} {path}", answer, allowed)
    findings.must_be_none()
