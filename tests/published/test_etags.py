"""Lost updates: what a client saw, it may change; what somebody else changed meanwhile, it must read again."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tests.visitor import apart


@pytest.fixture
def ask(app, root):
    def send(method, path, body=None, **headers):
        sent = {"Authorization": f"Bearer {root.token}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return apart(app.test_client().open, f"/api{path}", method=method, json=body, headers=sent)

    return send


@pytest.fixture
def things(ask, world):
    """One thing of each kind, with a body that changes it."""
    service = ask("POST", "/services", {"name": "Tagged"}).json["id"]
    product = ask("POST", "/products", {"name": "Tagged", "serviceId": service}).json["id"]
    person = ask("POST", "/users", {"name": "Tagged", "email": "tagged@example.com"}).json["id"]
    return {
        f"/users/{person}": {"name": "Other"},
        f"/products/{product}": {"description": "Other"},
        f"/services/{service}/products/{product}": {"description": "Another"},
        f"/services/{service}": {"name": "Other"},
    }


def test_get_is_answered_304_until_the_thing_changes(ask, things):
    for path, change in things.items():
        tag = ask("GET", path).headers["ETag"]
        same = ask("GET", path, If_None_Match=tag)
        assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", tag)
        changed = ask("PUT", path, change)
        assert changed.headers["ETag"] != tag
        assert ask("GET", path, If_None_Match=tag).status_code == 200
        assert ask("GET", path).headers["ETag"] == changed.headers["ETag"]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_old_tag_changes_nothing(ask, things, method):
    for path, change in things.items():
        tag = ask("GET", path).headers["ETag"]
        current = ask("PUT", path, change).json
        for sent in (tag, '"made up"', "W/" + tag, "nonsense", ""):
            refused = ask(method, path, {"name": "Lost"} if method == "PUT" else None, If_Match=sent)
            assert (refused.status_code, refused.json["error"]) == (412, "precondition_failed"), (path, sent)
        assert ask("GET", path).json == current


def test_current_tag_any_tag_and_no_tag_change(ask, things):
    for path, change in things.items():
        assert ask("PUT", path, change, If_Match=ask("GET", path).headers["ETag"]).status_code == 200
        assert ask("PUT", path, change, If_Match="*").status_code == 200
        assert ask("PUT", path, change).status_code == 200
    for path in list(things)[1:2] + list(things)[3:] + list(things)[:1]:
        assert ask("DELETE", path, If_Match=ask("GET", path).headers["ETag"]).status_code == 204


def test_service_s_tag_knows_its_products(ask, things):
    service = list(things)[3]
    tag = ask("GET", service).headers["ETag"]
    ask("POST", f"{service}/products", {"name": "One more"})
    assert ask("PUT", service, {"name": "Lost"}, If_Match=tag).status_code == 412


def test_task_is_changed_by_whoever_saw_it_last(ask, hr, run_jobs):
    hr("onboarding", name="Eve", email="eve@example.com", department="Engineering")
    run_jobs()
    key = ask("GET", "/inbox/tasks").json
    if not key:
        key = ask("GET", "/v1/tasks/").json["result"]
    path = f"/inbox/tasks/{key[0]['id']}"
    tag = ask("GET", path).headers["ETag"]
    assert ask("PUT", path, {"comment": "first"}, If_Match=tag).status_code == 204
    assert ask("PUT", path, {"comment": "second"}, If_Match=tag).status_code == 412
    assert [one["content"] for one in ask("GET", path).json["comments"]] == ["first"]


@pytest.mark.parametrize("round_", range(5))
def test_of_two_writers_at_once_one_wins(ask, things, round_):
    """Both saw the same state and write at the same moment, each on a connection of its own."""
    for path in list(things)[:2] + list(things)[3:]:
        tag, start = ask("GET", path).headers["ETag"], Barrier(2)

        def write(name, path=path, tag=tag, start=start):
            start.wait(10)
            return ask("PUT", path, {"name": name}, If_Match=tag)

        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(write, ["Writer 1", "Writer 2"]))
        assert sorted(answer.status_code for answer in answers) == [200, 412], path
        won = next(answer for answer in answers if answer.status_code == 200)
        assert ask("GET", path).json["name"] == won.json["name"]
