"""New passwords: long, and not among the first that somebody would try; every door says so at the field."""

import time

import pytest
from sqlalchemy import select

from app.demo_company import company
from app.directory.models import Account, Person
from app.directory.operations import passwords
from app.foundation.database import db
from app.foundation.errors import InvalidInput
from tests.cast import PASSWORD
from tests.visitor import apart

COMMON = [
    "password1234",
    "passwordpassword",
    "123456789012",
    "qwertyuiopas",
    "administrator",
    "letmein12345",
    "iloveyou1234",
    "Password12345",
    "aaaaaaaaaaaaaaaa",
    "abcabcabcabcabc",
    "a" * 1000,
    "alice@example.com1",
    "portalopsportalops",
    "Alice-Alice-Alice",
    company.PASSWORD,
]
GOOD = [
    PASSWORD,
    "correct horse battery staple",
    "vier woorden zonder verband",
    "kQ7#tz!9WmLp",
    "пароль из четырёх слов",
    "x" * 10 + " and then a long story about a ship, a fog, and seventy-two lamps " * 12,
]


@pytest.fixture
def account() -> Account:
    return Account(first_name="Alice", last_name="-", username="alice@example.com", email="alice@example.com")


@pytest.mark.parametrize("password", ["", "short", "eleven char", "x" * 1025, "ALICE@example.com", *COMMON])
def test_bad_password_is_refused_in_words(account, password):
    with pytest.raises(InvalidInput) as refused:
        passwords.check(password, account)
    assert refused.value.fields["password"].endswith(".")


@pytest.mark.parametrize("password", GOOD)
def test_good_password_is_taken(account, password):
    passwords.check(password, account)


def test_longest_password_is_judged_quickly(account):
    began = time.process_time()
    for password in ("aB3$" * 256, "password" * 128, "1" * 1024):
        with pytest.raises(InvalidInput):
            passwords.check(password, account)
    assert time.process_time() - began < 1


def test_first_administrators_password_opens_the_portal(empty_app):
    body = {"email": "first@example.com", "password": PASSWORD}
    assert empty_app.test_client().post("/api/auth/login", json=body).status_code == 200


def test_weak_administrators_password_stops_the_first_start_with_words(empty_app, monkeypatch):
    monkeypatch.setitem(empty_app.config, "ADMIN_PASSWORD", "password1234")
    monkeypatch.setitem(empty_app.config, "ADMIN_EMAIL", "second@example.com")
    with empty_app.app_context():
        for account in db.session.scalars(select(Account)):
            account.active = False
        db.session.commit()
    result = empty_app.test_cli_runner().invoke(args=["setup"])
    assert result.exit_code == 1
    assert result.output.strip().endswith(
        "ADMIN_PASSWORD: This password is easy to guess. Use a few unrelated words instead."
    )


def send_in_the_profile(alice, root, world, password):
    form = {"password": password, "conf_password": password}
    return alice.post("/resetmypassword/form", form)


def send_by_an_admin(alice, root, world, password):
    form = {"password": password, "conf_password": password}
    return root.post(f"/resetpassword/form?pk={alice.account_id}", form)


@pytest.mark.parametrize("send", [send_in_the_profile, send_by_an_admin])
def test_page_says_it_at_the_field(alice, root, world, send):
    answer = send(alice, root, world, "password1234")
    assert answer.status_code == 422
    assert "easy to guess" in answer.text
    assert "password-error" in answer.text
    assert "password1234" not in answer.text
    assert alice.get("/me/").status_code == 200


def test_published_api_names_the_field(app, root, world):
    headers = {"Authorization": f"Bearer {root.token}"}
    path = f"/api/users/{world.people['alice']}"
    answer = apart(app.test_client().put, path, json={"password": "password1234"}, headers=headers)
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json["detail"]] == ["password"]
    body = {"name": "Eve", "email": "eve@example.com", "password": "qwertyuiopas"}
    assert apart(app.test_client().post, "/api/users", json=body, headers=headers).status_code == 422
    with app.app_context():
        assert db.session.scalar(select(Person).where(Person.email == "eve@example.com")) is None
