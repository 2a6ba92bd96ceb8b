"""The generated page and API of a model: the same verbs, the same refusals, and forms that keep what was typed."""

import pytest

LISTS = [
    "/services/list/",
    "/products/list/",
    "/assignments/list/",
    "/grants/list/",
    "/people/list/",
    "/departments/list/",
    "/cases/list/",
    "/templates/list/",
    "/hr-events/list/",
    "/outbox/list/",
    "/schedule/",
    "/schedule/app.lifecycle.jobs.leave_on_last_days",
    "/scheduled-runs/list/",
    "/users/list/",
    "/roles/list/",
    "/groups/list/",
    "/audit/",
    "/inbox/",
    "/notices/",
    "/",
]


def test_form_keeps_what_was_typed_and_says_why_next_to_the_field(root):
    answer = root.post("/services/add", {"name": "slack", "vendor": "Typed by hand", "url": "ftp://x"})
    page = answer.text
    assert answer.status_code == 422
    assert 'value="Typed by hand"' in page
    assert "Enter an address that starts with http:// or https://." in page
    assert 'aria-invalid="true"' in page


def test_taken_name_is_said_at_the_name(root):
    page = root.post("/services/add", {"name": "slack"}).text
    assert "There is a service of this name already." in page
    assert 'value="slack"' in page


def test_added_service_is_listed(root):
    assert root.post("/services/add", {"name": "Notion"}).status_code == 302
    assert "Notion" in root.get("/services/list/").text


def test_edit_changes_and_delete_removes(root, world):
    key = world.services["Slack"]
    assert root.post(f"/services/edit/{key}", {"name": "Slack 2"}).status_code == 302
    assert "Slack 2" in root.get("/services/list/").text
    root.post("/departments/add", {"name": "Attic"})
    attic = root.api("GET", "departments/?q=(filters:!((col:name,opr:eq,value:Attic)))").json["ids"][0]
    root.post(f"/departments/delete/{attic}")
    assert root.api("GET", f"departments/{attic}").status_code == 404


def test_delete_that_is_refused_says_what_depends_on_it(root, world):
    answer = root.post(f"/departments/delete/{world.departments['Engineering']}", follow_redirects=True)
    assert "depend on it" in answer.text
    assert root.api("DELETE", f"departments/{world.departments['Engineering']}").status_code == 409


def test_form_without_its_token_changes_nothing(root):
    answer = root.client.post("/departments/add", data={"name": "Forged"})
    assert answer.status_code == 400
    assert "Forged" not in root.get("/departments/list/").text


def test_get_never_deletes(root, world):
    assert root.get(f"/services/delete/{world.services['Slack']}").status_code in {302, 405}
    assert root.api("GET", f"services/{world.services['Slack']}").status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, "name"),
        ({"name": " "}, 422, "name"),
        ({"name": "x" * 201}, 422, "name"),
        ({"name": "\x00"}, 422, "name"),
        ({"name": "\ud800"}, 422, "name"),
        ({"name": 7}, 422, "name"),
        ({"name": "Notion", "url": "javascript:alert(1)"}, 422, "url"),
        ({"name": "SLACK"}, 409, "name"),
    ],
)
def test_api_refuses_a_bad_service_at_the_field(root, body, status, field):
    answer = root.api("POST", "services/", body)
    assert answer.status_code == status
    assert field in [one["field"] for one in answer.json["detail"]]


@pytest.mark.parametrize("body", [[], "text", 7, None, [[]]])
def test_api_refuses_a_body_that_is_no_object(root, body):
    assert root.api("POST", "services/", body).status_code == 400


def test_api_takes_both_spellings_and_ignores_what_it_does_not_know(root, world):
    body = {"serviceId": str(world.services["Slack"]), "name": "Slack Connect", "id": 7, "created_by": 1}
    answer = root.api("POST", "products/", body)
    assert (answer.status_code, answer.json["result"]["service_id"]) == (201, world.services["Slack"])
    assert answer.json["id"] != 7


def test_api_put_changes_what_is_sent_and_keeps_the_rest(root, world):
    key = world.products["Gmail"]
    root.api("PUT", f"products/{key}", {"description": "Mail"})
    result = root.api("GET", f"products/{key}").json["result"]
    assert (result["name"], result["description"]) == ("Gmail", "Mail")


@pytest.mark.parametrize(
    "q",
    [
        "(page:!t)",
        "((",
        "(filters:!((col:name,opr:nope,value:x)))",
        "(filters:!((col:name)))",
        "(order_column:password)",
        "(filters:!((col:created_at,opr:eq,value:x)))",
    ],
)
def test_api_refuses_a_query_it_does_not_understand(root, q):
    answer = root.api("GET", "services/", query_string={"q": q})
    assert answer.status_code == 400
    assert set(answer.json) == {"error", "message", "detail"}


@pytest.mark.parametrize("key", ["0", "-1", "abc", "99999999999999999999", "1.5", "%00"])
def test_key_that_no_row_can_have_is_not_found(root, key):
    assert root.api("PUT", f"services/{key}", {"name": "x"}).status_code in {400, 404}
    assert root.get(f"/services/show/{key}").status_code in {400, 404}


def test_lists_take_at_most_12_statements_at_any_length(root, hr, run_jobs, statements):
    def count(path: str) -> int:
        with statements() as seen:
            assert root.get(path).status_code == 200, path
        return len(seen)

    few = {path: count(path) for path in LISTS}
    for number in range(30):
        hr("onboarding", name=f"Person {number}", email=f"p{number}@example.com", department="Engineering")
        root.api("POST", "departments/", {"name": f"Department {number}"})
        service = root.api("POST", "services/", {"name": f"Service {number}"}).json["id"]
        root.api("POST", "products/", {"name": f"Product {number}", "serviceId": service})
    run_jobs()
    many = {path: count(path) for path in LISTS}
    assert {path: number for path, number in many.items() if number > 12} == {}
    # A list that had nothing to show had no related rows to load either.
    assert {path: number for path, number in many.items() if number > few[path] + 2} == {}
