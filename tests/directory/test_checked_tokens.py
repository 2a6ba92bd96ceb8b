"""A token's signature is checked once a process; that it is over, or its session is, holds all the same."""

from datetime import timedelta

import jwt
import pytest
from flask import g
from flask_jwt_extended import create_access_token, decode_token

from app.foundation import clock


@pytest.fixture
def decoded(monkeypatch):
    """Counts how often PyJWT looks at a token."""
    seen = []
    original = jwt.decode

    def count(*args, **options):
        seen.append(args)
        return original(*args, **options)

    monkeypatch.setattr(jwt, "decode", count)
    return seen


def test_known_token_is_not_looked_at_again(root, decoded):
    for _ in range(3):
        assert root.api("GET", "services/").status_code == 200
    once = len(decoded)
    assert root.api("GET", "services/").status_code == 200
    assert len(decoded) == once


def test_known_token_is_looked_at_again_when_its_time_is_over(app, root, decoded, monkeypatch):
    assert root.api("GET", "services/").status_code == 200
    before, later = len(decoded), clock.now() + timedelta(hours=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    with app.app_context():
        decode_token(root.token)
    assert len(decoded) > before


def test_token_that_is_over_is_refused_each_time(app, root):
    with app.test_request_context():
        g.sign_in_session = root.session_id
        over = create_access_token(str(root.account_id), expires_delta=timedelta(seconds=-1))
    for _ in range(2):
        answer = app.test_client().get("/api/services", headers={"Authorization": f"Bearer {over}"})
        assert answer.status_code == 401


def test_changed_token_is_another_one(app, root):
    assert root.api("GET", "services/").status_code == 200
    head, body, signature = root.token.split(".")
    forged = f"{head}.{body}.{signature[:-4]}AAAA"
    answer = app.test_client().get("/api/services", headers={"Authorization": f"Bearer {forged}"})
    assert answer.status_code == 401
