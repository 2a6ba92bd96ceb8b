"""Doors to sign in at, and passwords that are tried there."""

from datetime import timedelta

import pytest

from app.directory.operations import signing_in
from app.foundation import clock
from tests.cast import PASSWORD
from tests.visitor import Visitor, apart

WRONG = "not the password at all"


@pytest.fixture
def at(monkeypatch):
    """`at(minutes)`: that long from now."""
    real = clock.now

    def move(minutes: float) -> None:
        monkeypatch.setattr(clock, "now", lambda: real() + timedelta(minutes=minutes))

    return move


@pytest.fixture
def hashed(monkeypatch):
    """Every password that was hashed; hashing itself is left out, which makes a flood quick."""
    seen: list[str] = []

    def check(_known: str, password: str) -> bool:
        seen.append(password)
        return password == PASSWORD

    monkeypatch.setattr(signing_in, "check_password_hash", check)
    return seen


@pytest.fixture
def doors(app):
    """The three doors, each `(email, password, address, headers) -> answer`."""

    def published(email, password, peer, headers):
        body = {"email": email, "password": password}
        return app.test_client().post(
            "/api/auth/login", json=body, headers=headers, environ_overrides={"REMOTE_ADDR": peer}
        )

    def generated(email, password, peer, headers):
        body = {"username": email, "password": password, "provider": "db"}
        return app.test_client().post(
            "/api/v1/security/login", json=body, headers=headers, environ_overrides={"REMOTE_ADDR": peer}
        )

    def page(email, password, peer, headers):
        form = {"username": email, "password": password}
        return Visitor(app, None).post(
            "/login/", form, headers=headers, environ_overrides={"REMOTE_ADDR": peer}
        )

    return {"published": published, "generated": generated, "page": page}


@pytest.fixture
def guess(doors):
    """One attempt; answers the status."""

    def make(email="alice@example.com", password=WRONG, *, door="published", peer="192.0.2.1", headers=None):
        return apart(doors[door], email, password, peer, headers).status_code

    return make
