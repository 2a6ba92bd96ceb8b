"""A card expires: its administrator and the Admins are told by the worker, once; what is acknowledged is told no more."""

from datetime import timedelta

from app.foundation import clock
from tests.browsing import Browser, Form, Page
from tests.deployment import Deployment
from tests.runtime.processes import wait_until

CHECK = "app.reminders.jobs.check_payments"
RUNS = "SELECT count(*) FROM scheduled_runs WHERE job = %s AND finished_at IS NOT NULL"
NOTICES = """
    SELECT person.name, notice.title FROM notifications notice JOIN users person ON person.id = notice.person_id
    WHERE notice.kind = 'payments' ORDER BY notice.id
"""


def run_check(portal: Deployment, window: Browser) -> list[tuple[str, str]]:
    """Let an Admin run the check now; the notices that it left, by name."""
    runs, before = portal.one(RUNS, CHECK), len(portal.rows(NOTICES))
    page = window.get(f"/schedule/{CHECK}")
    token = next(one.fields["csrf_token"] for one in page.forms if "csrf_token" in one.fields)
    form = Form(f"/schedule/{CHECK}/run", "post", {"csrf_token": token})
    assert window.submit(page, form).status == 200
    wait_until(lambda: portal.one(RUNS, CHECK) > runs)
    return sorted(portal.rows(NOTICES)[before:])


def acknowledging(page: Page) -> Form:
    [form] = [one for one in page.forms if "acknowledge" in one.buttons and "until" not in one.fields]
    return form


def test_card_that_expires_is_told_once_and_acknowledged(portal, browser):
    day = (clock.today() + timedelta(days=20)).isoformat()
    root = portal.token_of("root")
    gmail = portal.one("SELECT id FROM products WHERE name = 'Gmail'")
    payment = portal.one("SELECT id FROM payment_infos WHERE product_id = %s", gmail)
    card = {"expiry_date": day, "payment_method": "Credit card", "card_last4": "4242"}
    changed = portal.send("PUT", f"/api/v1/payment-infos/{payment}", card, token=root)
    assert changed.status == 200, changed.body
    admin, alice = browser(), browser()
    admin.sign_in("root")
    alice.sign_in("alice")
    wait_until(lambda: portal.one(RUNS, CHECK) > 0)

    told = run_check(portal, admin) or sorted(portal.rows(NOTICES))
    assert [name for name, _ in told] == ["Alice", "Portal Administrator", "Root"]
    assert told[0][1] == "The card for Google Workspace Gmail expires in 20 days"
    assert run_check(portal, admin) == []

    page = alice.get("/reminders/")
    page = alice.submit(page, acknowledging(page), press="acknowledge")
    assert "Acknowledged by you" in page.html
    sooner = portal.send(
        "POST", "/api/v1/product-reminders/", {"productId": gmail, "days": [60, 20]}, token=root
    )
    assert sooner.status == 201, sooner.body
    assert [name for name, _ in run_check(portal, admin)] == ["Portal Administrator", "Root"]
