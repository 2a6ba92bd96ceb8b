"""HR announces a leaver: tasks for what they hold, and at the last day the end of their sign-in, at once."""

from datetime import timedelta

from app.foundation import clock
from tests.runtime.processes import wait_until

TASKS = """
    SELECT task.id, task.title, task.action, task.priority, assignee.name FROM workflow_tasks task
    JOIN users person ON person.id = task.target_id JOIN users assignee ON assignee.id = task.assignee_id
    WHERE person.email = %s ORDER BY task.id
"""
ENDED = "SELECT ended_at IS NOT NULL FROM access_grants JOIN users ON users.id = person_id WHERE email = %s"
# Two on a machine that does nothing else; benchmarks/hr_events.py measures it.
VISIBLE_SECONDS = 10


def test_leaver_is_signed_out_before_the_answer_and_tasks_end_their_access(portal, browser):
    token, window = portal.token_of("bob"), browser()
    assert window.sign_in("bob").status == 200
    assert portal.get("/api/v1/tasks/", token=token).status == 200

    answer = portal.hr("offboarding", email="bob@example.com", lastDay=clock.now().date().isoformat())
    assert (answer.status, answer.json["message"]) == (202, "Offboarding workflow triggered")
    assert portal.get("/api/v1/tasks/", token=token).status == 401
    turned_away = window.get("/inbox/", follow=False)
    assert turned_away.status == 302
    assert "/login/" in turned_away.headers["Location"]
    again = browser().sign_in("bob")
    assert (again.status, again.path) == (401, "/login/")

    wait_until(lambda: len(portal.rows(TASKS, "bob@example.com")) == 2, VISIBLE_SECONDS)
    assert {(title, assignee) for _, title, _, _, assignee in portal.rows(TASKS, "bob@example.com")} == {
        ("Find a new administrator for GitHub Enterprise", "Portal Administrator"),
        ("Find a new administrator for Slack Business", "Portal Administrator"),
    }


def test_completing_the_tasks_of_a_leaver_ends_grants_and_keeps_history(portal):
    portal.hr("offboarding", email="charlie@example.com")
    wait_until(lambda: portal.rows(TASKS, "charlie@example.com"), VISIBLE_SECONDS)
    [(task, title, _, priority, assignee)] = portal.rows(TASKS, "charlie@example.com")
    assert (title, priority, assignee) == ("Remove Charlie's access to Gmail", "high", "Alice")

    token = portal.token_of("alice")
    done = portal.send("PUT", f"/api/v1/tasks/{task}", {"status": "completed"}, token=token)
    assert done.status == 200, done.body
    assert portal.rows(ENDED, "charlie@example.com") == [(True,)]
    assert portal.rows("SELECT active FROM users WHERE email = 'charlie@example.com'") == [(False,)]
    assert portal.rows("SELECT kind FROM lifecycle_cases WHERE closed_at IS NOT NULL") == [("offboarding",)]


def test_leaver_with_a_future_last_day_works_until_then(portal, browser):
    window = browser()
    window.sign_in("charlie")
    later = (clock.now() + timedelta(days=30)).date()
    assert portal.hr("offboarding", email="charlie@example.com", lastDay=later.isoformat()).status == 202
    wait_until(lambda: portal.rows(TASKS, "charlie@example.com"), VISIBLE_SECONDS)
    assert window.get("/inbox/", follow=False).status == 200
    assert portal.rows("SELECT active, last_day FROM users WHERE email = 'charlie@example.com'") == [
        (True, later)
    ]


def test_last_admin_stays_until_there_is_another(portal, browser):
    """First the other Admin leaves, then the last one."""
    token = portal.token_of("root")
    other = portal.one("SELECT email FROM users WHERE name = 'Portal Administrator'")
    assert portal.hr("offboarding", email=other).status == 202
    assert portal.hr("offboarding", email="root@example.com").status == 202
    wait_until(lambda: portal.rows(TASKS, "root@example.com"), VISIBLE_SECONDS)
    [(task, title, action, priority, assignee)] = portal.rows(TASKS, "root@example.com")
    assert (title, action, priority, assignee) == ("Replace Root as Admin", "keep_admin", "urgent", "Root")
    assert "last Admin who can sign in" in portal.one(
        "SELECT description FROM workflow_tasks WHERE id = %s", task
    )

    refused = portal.send("PUT", f"/api/v1/tasks/{task}", {"status": "completed"}, token=token)
    assert (refused.status, refused.json["error"]) == (409, "conflict")
    assert portal.get("/api/v1/tasks/", token=token).status == 200

    window = browser()
    window.sign_in("root")
    _make_admin(portal, window, "Alice")
    helper = portal.token_of("alice")
    done = portal.send("PUT", f"/api/v1/tasks/{task}", {"status": "completed"}, token=helper)
    assert done.status == 200, done.body
    assert portal.get("/api/v1/tasks/", token=token).status == 401
    assert portal.rows("SELECT active FROM users WHERE email = 'root@example.com'") == [(False,)]


def _make_admin(portal, window, name):
    """On the person's page, where roles and assignments are one form."""
    key = portal.one("SELECT id FROM users WHERE name = %s", name)
    page = window.get(f"/people/{key}")
    form = page.form_with("roles", "service_ids", "product_ids")
    page = window.submit(page, form, roles=["Admin", *form.fields["roles"]])
    assert page.status == 200, page.html
