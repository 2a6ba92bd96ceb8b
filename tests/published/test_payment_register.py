"""The payment register of the published API."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.foundation import clock
from app.foundation.database import db
from tests.published.test_contract import call  # noqa: F401 - a fixture
from tests.visitor import Script, apart

NOTHING = {
    "status": "incomplete",
    "state": "incomplete",
    "amount": None,
    "currency": "USD",
    "cardholderName": None,
    "cardLast4": None,
    "expiryDate": None,
    "paymentMethod": None,
    "renewalFrequency": None,
    "nextRenewalDate": None,
}


@pytest.fixture
def register(call):  # noqa: F811
    return lambda method, path="", *rest, **more: call(method, f"/payment-register{path}", *rest, **more)


@pytest.fixture
def paid():
    """What makes a payment complete."""
    return {
        "amount": "6",
        "cardholderName": "Jane Doe",
        "cardLast4": "4242",
        "expiryDate": (clock.today() + timedelta(days=400)).isoformat(),
        "paymentMethod": "credit_card",
        "renewalFrequency": "Annually",
    }


def test_register_is_incomplete_first_then_by_service_and_product(register, world, paid):
    found = register("GET")
    assert [one["productName"] for one in found.json] == [
        "Copilot",
        "GitHub Enterprise",
        "Drive",
        "Gmail",
        "Slack Business",
    ]
    copilot = world.products["Copilot"]
    assert found.json[0] == {
        "productId": str(copilot),
        "productName": "Copilot",
        "serviceId": str(world.services["GitHub"]),
        "serviceName": "GitHub",
        "paymentInfo": NOTHING,
    }
    assert register("PUT", f"/{copilot}", body=paid).status_code == 204
    last = register("GET").json[-1]
    assert (last["productName"], last["paymentInfo"]["status"]) == ("Copilot", "complete")


def test_register_is_paged(register):
    page = register("GET", "?page=2&limit=2")
    assert [one["productName"] for one in page.json] == ["Drive", "Gmail"]
    assert page.headers["X-Total-Count"] == "5"
    assert 'rel="next"' in page.headers["Link"]
    assert register("GET", "?limit=0").status_code == 422


def test_payment_is_changed_field_by_field_in_both_spellings(register, world, paid):
    path = f"/{world.products['Gmail']}"
    assert register("PUT", path, body=paid).status_code == 204
    assert (
        register("PUT", path, body={"card_last4": "1111", "status": "incomplete", "x": 1}).status_code == 204
    )
    info = register("GET", path).json["paymentInfo"]
    assert info == {
        **NOTHING,
        **paid,
        "status": "complete",
        "state": "complete",
        "amount": "6.00",
        "cardLast4": "1111",
        "paymentMethod": "Credit card",
        "renewalFrequency": "yearly",
    }
    assert register("PUT", path, body={"amount": 600.0, "currency": "jpy"}).status_code == 204
    assert register("GET", path).json["paymentInfo"]["amount"] == "600"
    assert register("PUT", path, body={"cardholderName": None}).status_code == 204
    assert register("GET", path).json["paymentInfo"]["status"] == "incomplete"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"amount": "-1"}, "amount"),
        ({"amount": -0.01}, "amount"),
        ({"amount": "6.001"}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": 10**15}, "amount"),
        ({"currency": "XYZ"}, "currency"),
        ({"expiryDate": "31/12/2031"}, "expiry_date"),
        ({"cardLast4": "4111111111111111"}, "card_last4"),
        ({"cardholderName": "Jane 4111-1111-1111-1111"}, "cardholder_name"),
        ({"paymentMethod": "x" * 101}, "payment_method"),
        ({"renewalFrequency": "every_121_months"}, "renewal_frequency"),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_is_written(register, world, body, field):
    path = f"/{world.products['Gmail']}"
    answer = register("PUT", path, body={"paymentMethod": "Invoice", **body})
    assert (answer.status_code, [one["field"] for one in answer.json["detail"]]) == (422, [field])
    assert register("GET", path).json["paymentInfo"] == NOTHING


def test_product_is_registered_with_its_payment(register, call, world, paid):  # noqa: F811
    body = {"serviceId": str(world.services["Slack"]), "productName": "Canvas", "paymentInfo": paid}
    made = register("POST", body=body)
    assert (made.status_code, made.json["paymentInfo"]["status"]) == (201, "complete")
    assert call("GET", f"/products/{made.json['productId']}").json["name"] == "Canvas"
    assert register("POST", body=body).status_code == 409
    bare = register("POST", body={"service_id": str(world.services["Slack"]), "product_name": "Lists"})
    assert (bare.status_code, bare.json["paymentInfo"]) == (201, NOTHING)
    wrong = register("POST", body={**body, "productName": "Huddles", "paymentInfo": {"amount": "-6"}})
    assert (wrong.status_code, wrong.json["detail"][0]["field"]) == (422, "payment_info.amount")
    assert "Huddles" not in call("GET", "/products").text


def test_every_door_to_a_product_makes_its_payment(register, call, root, world):  # noqa: F811
    slack = world.services["Slack"]
    call("POST", f"/services/{slack}/products", body={"name": "One"})
    call("POST", "/products", body={"name": "Two", "serviceId": str(slack)})
    root.api("POST", "products/", {"name": "Three", "service_id": slack})
    root.post("/products/add", {"name": "Four", "service_id": slack, "status": "active"})
    found = {one["productName"]: one["paymentInfo"] for one in register("GET").json}
    assert [found.get(name) for name in ("One", "Two", "Three", "Four")] == [NOTHING] * 4


def test_deleted_product_leaves_the_register(register, call, world):  # noqa: F811
    drive = world.products["Drive"]
    assert call("DELETE", f"/products/{drive}", "alice").status_code == 204
    assert register("GET", f"/{drive}").status_code == 404
    assert call("GET", "/audit-logs?action=payment_info.delete").json["pagination"]["total"] == 1


def test_summary_counts_each_state(register, world, paid):
    register("PUT", f"/{world.products['Gmail']}", body=paid)
    soon = (clock.today() + timedelta(days=20)).isoformat()
    register("PUT", f"/{world.products['Drive']}", body={**paid, "nextRenewalDate": soon})
    counts = {"incomplete": 3, "expired": 0, "renewal_due": 1, "expiring": 0, "complete": 1}
    assert register("GET", "/summary").json == {"incompleteCount": 3, "total": 5, "byState": counts}


def test_old_tag_changes_nothing(app, root, world):
    path = f"/api/payment-register/{world.products['Gmail']}"

    def ask(method, body=None, **headers):
        sent = {"Authorization": f"Bearer {root.token}", **headers}
        return apart(app.test_client().open, path, method=method, json=body, headers=sent)

    tag = ask("GET").headers["ETag"]
    assert ask("PUT", {"amount": "1.00"}, **{"If-Match": tag}).status_code == 204
    refused = ask("PUT", {"amount": "2.00"}, **{"If-Match": tag})
    assert (refused.status_code, refused.json["error"]) == (412, "precondition_failed")
    now = ask("GET")
    assert now.json["paymentInfo"]["amount"] == "1.00"
    assert ask("PUT", {"amount": "3.00"}, **{"If-Match": now.headers["ETag"]}).status_code == 204
    assert ask("PUT", {"amount": "4.00"}).status_code == 204


@pytest.mark.parametrize("name", ["alice", "bob", "charlie", None])
def test_register_is_for_admins(register, world, name):
    path = f"/{world.products['Gmail']}"
    status = 403 if name else 401
    body = {"serviceId": str(world.services["Slack"]), "productName": "Canvas"}
    asked = [
        ("GET", ""),
        ("GET", path),
        ("GET", "/summary"),
        ("PUT", path, {"amount": "1"}),
        ("POST", "", body),
    ]
    assert [register(one[0], one[1], name, *one[2:]).status_code for one in asked] == [status] * 5


def test_token_for_payments_alone_adds_no_product(app, world):
    body = {"serviceId": str(world.services["Slack"]), "productName": "Canvas"}
    for scopes, status in ((("payment-infos:write",), 403), (("payment-infos:write", "products:write"), 201)):
        headers = {"Authorization": f"Bearer {Script(app, 'root', scopes).token}"}
        answer = apart(app.test_client().post, "/api/payment-register", json=body, headers=headers)
        assert answer.status_code == status, scopes


@pytest.mark.parametrize("key", ["0", "x", "999999", str(2**70)])
def test_unknown_product_is_not_found(register, key):
    assert register("GET", f"/{key}").status_code == 404
    assert register("PUT", f"/{key}", body={}).status_code == 404


def test_whole_register_is_one_statement_at_any_length(app, register, statements):
    counted = []
    for round_ in range(2):
        register("GET", "?limit=1")
        with statements() as seen:
            found = register("GET").json
        counted.append((len(seen), len(found)))
        with app.app_context():
            db.session.execute(
                text(
                    "WITH made AS (INSERT INTO products (service_id, name, status, created_at, updated_at)"
                    f" SELECT id, 'Many {round_} ' || n, 'active', now(), now() FROM services, generate_series(1, 300) n"
                    " RETURNING id) INSERT INTO payment_infos (product_id, currency, created_at, updated_at)"
                    " SELECT id, 'USD', now(), now() FROM made"
                )
            )
            db.session.commit()
    assert counted == [(counted[0][0], 5), (counted[0][0], 905)]
    # Who calls takes the other one.
    assert counted[0][0] == 2
