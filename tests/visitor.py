"""A visitor: the test client with the sign-in, the CSRF token and the headers of somebody of the cast."""

import secrets
from collections.abc import Callable
from contextvars import Context
from typing import Any

from flask import Flask, g, has_app_context
from flask_jwt_extended import create_access_token
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import select

from app.directory import operations as directory
from app.directory.models import Account, SignInSession
from app.foundation import clock
from app.foundation.database import db
from app.foundation.scoping import unscoped


def apart(call: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Run a request or a job as another process would: a test's own application context would lend it its `g`.

    Afterwards the test's session reads anew what it asks for.
    """
    answer = Context().run(call, *args, **options)
    if has_app_context():
        db.session.expire_all()
    return answer


class Visitor:
    """`get` and `post` act as a browser with a cookie, `api` as a script with a token."""

    def __init__(self, app: Flask, name: str | None) -> None:
        self.app, self.name = app, name
        self.client = app.test_client()
        self.token: str | None = None
        self._csrf = secrets.token_hex(20)
        if name:
            self._sign_in(f"{name}@example.com")

    def _sign_in(self, email: str) -> None:
        """Opens a session as the sign-in page does, without the slow hash."""
        with self.app.test_request_context(), unscoped():
            account = db.session.scalar(select(Account).where(Account.email == email))
            opened = SignInSession(id=secrets.token_urlsafe(24), account_id=account.id)
            db.session.add(opened)
            db.session.commit()
            self.session_id, self.account_id = opened.id, account.id
            g.sign_in_session = opened.id
            self.token = create_access_token(identity=str(account.id))
        with self.client.session_transaction() as session:
            session.update(
                _user_id=str(self.account_id), _fresh=True, sid=self.session_id, csrf_token=self._csrf
            )

    def get(self, path: str, **options: Any) -> Any:
        return apart(self.client.get, path, **options)

    def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> Any:
        """A form, with its CSRF token."""
        with self.client.session_transaction() as session:
            session.setdefault("csrf_token", self._csrf)
            raw = session["csrf_token"]
        signed = URLSafeTimedSerializer(self.app.secret_key, salt="wtf-csrf-token").dumps(raw)
        return apart(self.client.post, path, data={**(data or {}), "csrf_token": signed}, **options)

    def api(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """A call of the generated API; `path` continues /api/v1/."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        fresh = self.app.test_client()
        return apart(fresh.open, f"/api/v1/{path}", method=method, json=body, headers=headers, **options)


class Script(Visitor):
    """Somebody's personal token with some scopes, and nothing else: it is shown to pages too."""

    def __init__(self, app: Flask, name: str, scopes: tuple[str, ...]) -> None:
        super().__init__(app, None)
        email = f"{name}@example.com"
        with app.app_context(), unscoped():
            account = db.session.scalar(select(Account).where(Account.email == email))
            _, self.token = directory.create_token(
                account.id,
                name="Script",
                scopes=list(scopes),
                expires_on=clock.today(),
                resources={scope.partition(":")[0] for scope in scopes},
            )
            db.session.commit()

    def get(self, path: str, **options: Any) -> Any:
        return super().get(path, headers=self._headers, **options)

    def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> Any:
        return super().post(path, data, headers=self._headers, **options)

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}
