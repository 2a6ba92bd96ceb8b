"""The way back in when nobody is Admin any more, as the page on troubleshooting has it."""

from sqlalchemy import text, update

from app.directory.models import Account
from app.foundation.database import db
from tests.visitor import apart

RESCUE = {"email": "rescue@example.com", "password": "a password that is long enough"}


def sign_in(app) -> int:
    return apart(app.test_client().post, "/api/auth/login", json=RESCUE).status_code


def test_setup_makes_an_administrator_when_nobody_is_one(empty_app, monkeypatch) -> None:
    monkeypatch.setitem(empty_app.config, "ADMIN_EMAIL", RESCUE["email"])
    monkeypatch.setitem(empty_app.config, "ADMIN_PASSWORD", RESCUE["password"])
    assert empty_app.test_cli_runner().invoke(args=["setup"]).exit_code == 0
    assert sign_in(empty_app) == 401, "there is an Admin: nobody is made one"
    with empty_app.app_context():
        db.session.execute(update(Account).values(active=False))
        db.session.commit()
    assert empty_app.test_cli_runner().invoke(args=["setup"]).exit_code == 0
    assert sign_in(empty_app) == 200
    with empty_app.app_context():
        assert db.session.scalar(text("SELECT count(*) FROM ab_user WHERE active")) == 1
