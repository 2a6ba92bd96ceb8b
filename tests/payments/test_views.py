"""The page of the register, and what a form says about card numbers."""

from app.payments import queries


def key_of(app, world, product: str) -> int:
    with app.app_context():
        return queries.payment_of(world.products[product]).id


FORM = {"amount": "1250.5", "currency": "EUR", "payment_method": "bank-transfer", "auto_renew": "y"}


def test_register_shows_what_was_entered(app, root, world):
    key = key_of(app, world, "Gmail")
    form = {**FORM, "cardholder_name": "Jane Doe", "expiry_date": "2031-03-31", "renewal_frequency": "Once"}
    assert root.post(f"/payments/edit/{key}", form).status_code == 302
    page = root.get("/payments/list/").text
    for shown in ("1,250.50", "EUR", "Bank transfer", "Gmail", "Google Workspace", "Incomplete", "Complete"):
        assert shown in page
    assert "One-off" in page


def test_refused_form_keeps_what_was_typed(app, root, world):
    key = key_of(app, world, "Gmail")
    answer = root.post(
        f"/payments/edit/{key}", {**FORM, "cardholder_name": "4111 1111 1111 1111", "amount": "-7"}
    )
    assert answer.status_code == 422
    assert "payment card" in answer.text
    assert "4111 1111 1111 1111" in answer.text
    answer = root.post(f"/payments/edit/{key}", {**FORM, "amount": "-7", "renewal_frequency": "weekly"})
    assert answer.status_code == 422
    for said in ("An amount can&#39;t be negative.", "every_N_months"):
        assert said in answer.text


def test_no_form_and_no_api_takes_a_card_number(root, bob, world):
    number = "4111 1111 1111 1111"
    answer = root.post("/services/add", {"name": "Card", "description": f"Paid with {number}"})
    assert (answer.status_code, "payment card" in answer.text) == (422, True)
    answer = root.api("POST", "services/", {"name": "Card", "description": f"Paid with {number}"})
    assert (answer.status_code, answer.json["detail"][0]["field"]) == (422, "description")


def test_comment_takes_no_card_number(bob, hr, run_jobs):
    hr("onboarding", name="Jane", email="jane@example.com", department="Engineering")
    run_jobs()
    [task, *_] = bob.api("GET", "tasks/").json["result"]
    answer = bob.api("PUT", f"tasks/{task['id']}", {"comment": "The card is 5555-5555-5555-4444."})
    assert (answer.status_code, answer.json["detail"][0]["field"]) == (422, "comment")
    page = bob.post(f"/inbox/{task['id']}/work", {"comment": "The card is 5555-5555-5555-4444."})
    assert (page.status_code, "payment card" in page.text) == (422, True)


def test_whoever_is_granted_to_read_the_register_finds_it_in_the_menu(granted, alice, bob):
    menu = alice.get("/").text.partition("<main")[0]
    assert 'href="/payments/list/"' in menu
    assert 'href="/renewals/"' in menu
    assert 'href="/spend/"' not in menu
    assert "/payments/list/" not in bob.get("/").text.partition("<main")[0]


def test_charlie_has_no_register(app, charlie, alice, world):
    key = key_of(app, world, "Gmail")
    for visitor in (charlie, alice):
        for path in ("/payments/list/", f"/payments/show/{key}", f"/payments/edit/{key}"):
            assert visitor.get(path).status_code == 403
        assert "Payment register" not in visitor.get("/").text
