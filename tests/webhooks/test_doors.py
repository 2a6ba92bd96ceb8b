"""The doors of webhooks: Admins only, clear refusals, a secret that is seen once."""

import re

import pytest
from sqlalchemy import select
from standardwebhooks import Webhook

from app.audit.models import AuditEntry
from app.foundation.database import db
from app.foundation.sealing import unseal
from app.inventory import operations as inventory
from app.webhooks import operations as webhooks
from app.webhooks.models import WebhookDelivery, WebhookEndpoint
from tests.receiver import answer, receiving

GOOD = {"name": "Ticket system", "url": "https://tickets.example.com/hook", "event_types": ["person.joined"]}
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]{40,}")


def endpoints() -> list[WebhookEndpoint]:
    db.session.expire_all()
    return list(db.session.scalars(select(WebhookEndpoint).order_by(WebhookEndpoint.id)))


def log() -> list[AuditEntry]:
    query = select(AuditEntry).where(AuditEntry.target_type == "webhook_endpoint").order_by(AuditEntry.id)
    return list(db.session.scalars(query))


def test_admin_adds_an_endpoint_and_sees_its_secret_once(root, context):
    saved = root.post("/webhooks/add", {**GOOD, "enabled": "y"})
    assert saved.status_code == 302
    (made,) = endpoints()
    assert saved.headers["Location"].endswith(f"/webhooks/show/{made.id}")
    assert made.event_types == ["person.joined"]
    page = root.get(f"/webhooks/show/{made.id}").text
    assert "Show the secret" in page
    assert not SECRET.search(page)
    shown = root.post(f"/webhooks/{made.id}/secret")
    assert SECRET.search(shown.text).group() == unseal(made.secret)
    assert "no-store" in shown.headers["Cache-Control"]
    again = root.post(f"/webhooks/{made.id}/secret", follow_redirects=True)
    assert not SECRET.search(again.text)
    assert "was shown already" in again.text


def test_new_secret_is_shown_by_making_it(root, context):
    root.post("/webhooks/add", {**GOOD, "enabled": "y"})
    (made,) = endpoints()
    old = unseal(made.secret)
    shown = SECRET.search(root.post(f"/webhooks/{made.id}/rotate").text).group()
    (made,) = endpoints()
    assert shown == unseal(made.secret) != old
    assert unseal(made.previous_secret) == old
    assert "signs too until" in root.get(f"/webhooks/show/{made.id}").text


def test_secret_stands_in_neither_log_nor_api(root, context):
    created = root.api("POST", "webhook-endpoints/", GOOD)
    assert created.status_code == 201, created.text
    (made,) = endpoints()
    root.post(f"/webhooks/{made.id}/rotate")
    read = root.api("GET", f"webhook-endpoints/{made.id}")
    everything = created.text + read.text + root.api("GET", "webhook-endpoints/").text
    everything += "".join(f"{entry.before} {entry.after}" for entry in log())
    for secret in (made.secret, made.previous_secret):
        assert unseal(secret) not in everything
        assert secret.decode() not in everything
    assert "secret" not in read.json["result"]
    assert [entry.action for entry in log()] == [
        "webhook_endpoint.create",
        "webhook_endpoint.update",
        "webhook_endpoint.rotate_secret",
    ]
    assert log()[0].after["secret"] == "(hidden)"


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"url": "javascript:alert(1)"}, "url", "begins with https://"),
        ({"url": "http://tickets.example.com/"}, "url", "begins with https://"),
        ({"url": "https://user:pass@example.com/"}, "url", "user name"),
        ({"url": "https://" + "a" * 70_000}, "url", "2,000|Longer than maximum"),
        ({"url": "https://169.254.169.254/latest"}, "url", "inside of a network"),
        ({"url": "https://[::1]/"}, "url", "inside of a network"),
        ({"url": "https://example.com:22/"}, "url", "Port 22"),
        ({"url": ""}, "url", "required"),
        ({"name": " "}, "name", "required"),
        ({"name": "x" * 70_000}, "name", "200"),
        ({"event_types": ["person.vanished"]}, "event_types", "valid choice|no such event type"),
        ({"event_types": []}, "event_types", "at least one"),
    ],
)
def test_bad_input_is_refused_at_its_field_on_both_doors(root, context, monkeypatch, changes, field, said):
    from app.foundation.reachable import Rules  # noqa: PLC0415

    monkeypatch.setitem(context.config, "OUTGOING", Rules())
    form = root.post("/webhooks/add", {**GOOD, **changes, "enabled": "y"})
    assert form.status_code == 422
    wrong = re.search(rf'<p class="error" id="{field}-error">(.*?)</p>', form.text, re.DOTALL)
    assert re.search(said, wrong.group(1)), wrong.group(1)
    answered = root.api("POST", "webhook-endpoints/", {**GOOD, **changes})
    assert answered.status_code == 422, answered.text
    (detail,) = [one for one in answered.json["detail"] if one["field"].startswith(field)]
    assert re.search(said, detail["message"]), detail
    assert endpoints() == []


def test_same_name_again_is_a_conflict(root, context):
    assert root.api("POST", "webhook-endpoints/", GOOD).status_code == 201
    again = root.api("POST", "webhook-endpoints/", {**GOOD, "name": "TICKET SYSTEM"})
    assert (again.status_code, again.json["detail"][0]["field"]) == (409, "name")


def test_change_through_both_doors(root, context):
    key = root.api("POST", "webhook-endpoints/", GOOD).json["id"]
    assert root.api("PUT", f"webhook-endpoints/{key}", {"every_event": True}).status_code == 200
    (made,) = endpoints()
    assert (made.hears, made.event_types) == (["Every event"], [])
    kept = {"name": "Tickets", "url": GOOD["url"], "event_types": ["task.opened", "task.completed"]}
    assert root.post(f"/webhooks/edit/{key}", kept).status_code == 302
    (made,) = endpoints()
    assert (made.name, made.enabled, made.hears) == ("Tickets", False, ["task.completed", "task.opened"])
    assert root.api("DELETE", f"webhook-endpoints/{key}").status_code == 200
    assert endpoints() == []


@pytest.mark.parametrize("name", ["alice", "bob", "charlie"])
def test_nobody_else_sees_or_does_anything(visit, root, context, name):
    with receiving() as receiver:
        key = root.api(
            "POST", "webhook-endpoints/", {**GOOD, "url": receiver.url(), "every_event": True}
        ).json["id"]
        inventory.create_service(name="Zoom")
        db.session.commit()
        somebody = visit(name)
        delivery = db.session.scalars(select(WebhookDelivery.id)).one()
        for path in (
            "/webhooks/list/",
            f"/webhooks/show/{key}",
            f"/webhooks/deliveries/{delivery}",
            "/webhooks/events",
        ):
            assert somebody.get(path).status_code == 403, path
        for path in (
            f"{key}/secret",
            f"{key}/rotate",
            f"{key}/test",
            f"{key}/replay",
            f"deliveries/{delivery}/replay",
        ):
            assert somebody.post(f"/webhooks/{path}").status_code == 403, path
        assert somebody.api("GET", "webhook-endpoints/").status_code == 403
        assert somebody.api("POST", "webhook-endpoints/", {**GOOD, "name": "Mine"}).status_code == 403
        assert receiver.requests == []
    (made,) = endpoints()
    assert made.shown_at is None


def test_what_anybody_does_is_told_although_they_see_no_endpoint(alice, root, context):
    """Row rules hide endpoints from whoever acts, not what happens from the endpoints."""
    root.api("POST", "webhook-endpoints/", {**GOOD, "event_types": ["service.created"]})
    assert alice.api("POST", "services/", {"name": "Alice's own"}).status_code == 201
    (delivery,) = db.session.scalars(select(WebhookDelivery)).all()
    assert "Alice's own" in delivery.message.body


def test_test_shows_the_real_answer(root, context):
    with receiving(answer(418, b"short and stout", X_Pot="tea")) as receiver:
        key = root.api("POST", "webhook-endpoints/", {**GOOD, "url": receiver.url()}).json["id"]
        page = root.post(f"/webhooks/{key}/test", follow_redirects=True).text
        assert "The test did not arrive. Answered 418" in page
        assert "short and stout" in page
        assert "x-pot" in page
        receiver.answers[:] = [answer(204)]
        page = root.post(f"/webhooks/{key}/test", follow_redirects=True).text
        assert "The test arrived: answered 204" in page
        (made,) = endpoints()
        assert Webhook(unseal(made.secret)).verify(receiver.requests[1].body, receiver.requests[1].headers)
        assert b'"type":"webhook.test"' in receiver.requests[1].body
    (made,) = endpoints()
    assert (made.failing_since, made.last_success_at) == (None, None), "a test says nothing about an endpoint"
    assert [
        one.state for one in db.session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id))
    ] == [
        "failed",
        "delivered",
    ]
    assert [entry.action for entry in log()].count("webhook_endpoint.test") == 2


def test_replay_of_one_and_of_all(root, context):
    with receiving(answer(410)) as receiver:
        key = root.api(
            "POST", "webhook-endpoints/", {**GOOD, "url": receiver.url(), "every_event": True}
        ).json["id"]
        for number in range(3):
            inventory.create_service(name=f"Service {number}")
        db.session.commit()
        webhooks.drain()
        (first, *_) = db.session.scalars(select(WebhookDelivery.id).order_by(WebhookDelivery.id))
        refused = root.post(f"/webhooks/deliveries/{first}/replay", follow_redirects=True)
        assert "is turned off. Turn it on first." in refused.text
        receiver.answers[:] = [answer(200)]
        root.api("PUT", f"webhook-endpoints/{key}", {"enabled": True})
        assert (
            "It will be sent again now."
            in root.post(f"/webhooks/deliveries/{first}/replay", follow_redirects=True).text
        )
        assert (
            "on its way already"
            in root.post(f"/webhooks/deliveries/{first}/replay", follow_redirects=True).text
        )
        none = root.post(f"/webhooks/{key}/replay", {"since": "2999-01-01"}, follow_redirects=True)
        assert "Nothing has failed since then." in none.text
        bad = root.post(f"/webhooks/{key}/replay", {"since": "yesterday"}, follow_redirects=True)
        assert "Choose the first day to replay" in bad.text
        assert "2 will be sent again." in root.post(f"/webhooks/{key}/replay", follow_redirects=True).text
        before = {one.headers["webhook-id"] for one in receiver.requests}
        webhooks.drain()
    after = [one.headers["webhook-id"] for one in receiver.requests[-3:]]
    assert len(set(after)) == 3
    assert before <= set(after), "the same ids as before"
    db.session.expire_all()
    assert {one.state for one in db.session.scalars(select(WebhookDelivery))} == {"delivered"}
    assert [entry.action for entry in log()].count("webhook_endpoint.replay") == 2


def test_log_is_filtered_and_paged(root, context, statements):
    with receiving(answer(500)) as receiver:
        key = root.api(
            "POST", "webhook-endpoints/", {**GOOD, "url": receiver.url(), "every_event": True}
        ).json["id"]
        service = inventory.create_service(name="Zoom")
        for number in range(30):
            inventory.create_product(service_id=service.id, name=f"Product {number}")
        db.session.commit()
        webhooks.drain(seconds=0)
    page = root.get(f"/webhooks/show/{key}").text
    assert page.count("row-link") == 25
    older = re.search(r"before=(\d+)", page).group()
    assert root.get(f"/webhooks/show/{key}?{older}").text.count("row-link") == 6
    assert root.get(f"/webhooks/show/{key}?type=service.created").text.count("row-link") == 1
    assert root.get(f"/webhooks/show/{key}?state=failed").text.count("row-link") == 0
    assert root.get(f"/webhooks/show/{key}?state=nonsense&before=x&type=none").status_code == 200
    with statements() as seen:
        root.get(f"/webhooks/show/{key}")
    assert len(seen) <= 12
    listed = root.api(
        "GET", "webhook-deliveries/?q=(filters:!((col:state,opr:eq,value:waiting)),page_size:100)"
    )
    assert listed.json["count"] == 31
    assert {
        one["message.type"] if "message.type" in one else one["message"]["type"]
        for one in listed.json["result"]
    } == {
        "service.created",
        "product.created",
    }


def test_event_types_are_shown_with_examples(root):
    page = root.get("/webhooks/events").text
    assert "grant.ended" in page
    assert "&#34;days_left&#34;: 14" in page


@pytest.mark.parametrize("key", ["0", "abc", "99999999999999999999", "-1", "%00"])
def test_strange_keys_are_not_found(root, key):
    for path in (f"/webhooks/show/{key}", f"/webhooks/deliveries/{key}"):
        assert root.get(path).status_code in {400, 404}, path
    for path in (f"{key}/test", f"{key}/secret", f"{key}/replay", f"deliveries/{key}/replay"):
        assert root.post(f"/webhooks/{path}").status_code in {400, 404}, path
