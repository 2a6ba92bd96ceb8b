"""HR announces a joiner, and an administrator does what there is to do: every step through a real process."""

import re
from html import unescape

from tests.runtime.processes import wait_until

TRACE = "walkthrough-of-a-joiner"
TASKS = """
    SELECT product.name, assignee.name, task.status FROM workflow_tasks task
    JOIN users person ON person.id = task.target_id JOIN users assignee ON assignee.id = task.assignee_id
    LEFT JOIN products product ON product.id = task.product_id WHERE person.email = %s ORDER BY task.id
"""
# Two on a machine that does nothing else; benchmarks/hr_events.py measures it.
VISIBLE_SECONDS = 10


def test_joiner_is_announced_and_an_administrator_gives_the_access(portal, browser):
    answer = portal.hr(
        "onboarding",
        headers={"X-Request-ID": TRACE},
        name="Jane Doe",
        email="jane@example.com",
        department="Engineering",
        position="Developer",
    )
    assert (answer.status, answer.json["message"]) == (202, "Onboarding workflow triggered")
    wait_until(lambda: len(portal.rows(TASKS, "jane@example.com")) == 3, VISIBLE_SECONDS)
    assert {(product, assignee) for product, assignee, _ in portal.rows(TASKS, "jane@example.com")} == {
        ("Gmail", "Alice"),
        ("GitHub Enterprise", "Bob"),
        ("Copilot", "Portal Administrator"),
    }
    assert portal.rows("SELECT account_id FROM users WHERE email = 'jane@example.com'") == [(None,)]

    bob = browser()
    bob.sign_in("bob")
    page = bob.get(_address_of("Give Jane Doe access to GitHub Enterprise", bob.get("/inbox/")))
    page = bob.submit(
        page, page.form_with("comment", "csrf_token"), press="in_progress", comment="Asked for a seat."
    )
    assert page.status == 200
    assert "Asked for a seat." in unescape(page.html)
    assert ("GitHub Enterprise", "Bob", "in_progress") in portal.rows(TASKS, "jane@example.com")
    page = bob.submit(
        page, page.form_with("comment", "csrf_token"), press="completed", comment="She has one."
    )
    assert page.status == 200
    assert portal.rows(
        "SELECT product.name, level, source, ended_at FROM access_grants JOIN users ON users.id = person_id"
        " JOIN products product ON product.id = product_id WHERE users.email = 'jane@example.com'"
    ) == [("GitHub Enterprise", "member", "task", None)]
    assert "Give Jane Doe" not in unescape(bob.get("/inbox/").html), "a finished task leaves the inbox"


def test_case_closes_with_its_last_task_and_the_log_tells_the_story(portal):
    portal.hr(
        "onboarding",
        headers={"X-Request-ID": TRACE},
        name="Sam",
        email="sam@example.com",
        department="Skunk Works",
    )
    wait_until(lambda: portal.rows(TASKS, "sam@example.com"), VISIBLE_SECONDS)
    [(_, assignee, _)] = portal.rows(TASKS, "sam@example.com")
    assert assignee == "Portal Administrator"
    task, case = portal.rows("SELECT id, case_id FROM workflow_tasks ORDER BY id DESC LIMIT 1")[0]

    token = portal.token_of("root")
    work = {"status": "completed", "comment": "He needs nothing."}
    done = portal.send("PUT", f"/api/v1/tasks/{task}", work, token=token)
    assert done.status == 200, done.body
    assert portal.one("SELECT closed_at IS NOT NULL FROM lifecycle_cases WHERE id = %s", case)

    told = _log(portal, token, TRACE)
    assert {"user.create", "hr_event.receive", "task.create", "case.create"} <= {
        entry["action"] for entry in told
    }
    assert {entry["actor_name"] for entry in told} == {"HR system (hr)"}
    changed = {entry["action"]: entry for entry in _log(portal, token, done.headers["X-Request-ID"])}
    assert {"task.update", "task_comment.create", "case.update"} <= changed.keys()
    assert (changed["task.update"]["before"]["status"], changed["task.update"]["after"]["status"]) == (
        "pending",
        "completed",
    )
    assert changed["case.update"]["before"] == {"closed_at": None}
    assert {(entry["actor_name"], entry["address"]) for entry in changed.values()} == {("Root", "127.0.0.1")}


def _address_of(title, page):
    """Where the list's link to a task leads."""
    links = re.findall(r'<a\b[^>]*href="(/inbox/\d+[^"]*)"[^>]*>(.*?)</a>', page.html, re.DOTALL)
    found = [unescape(address) for address, text in links if title in unescape(text)]
    assert len(found) == 1, f"{title}: {found} in\n{page.html}"
    return found[0]


def _log(portal, token, trace):
    query = f"(filters:!((col:request_id,opr:eq,value:'{trace}')),page_size:100)"
    answer = portal.get(f"/api/v1/audit-logs/?q={query}", token=token)
    assert answer.status == 200, answer.body
    return answer.json["result"]
