"""How somebody signs in, and whether they are signed in."""

from tests.cast import PASSWORD
from tests.visitor import Visitor

WRONG = "not the password at all"
NEW_PASSWORD = "quite another long password"


def sign_in(visitor: Visitor, email: str, password: str = PASSWORD, path: str = "/login/", **options):
    return visitor.post(path, {"username": email, "password": password}, **options)


def get_token(app, email: str, password: str = PASSWORD, **more):
    body = {"username": email, "password": password, "provider": "db", **more}
    return app.test_client().post("/api/v1/security/login", json=body)


def is_signed_in(visitor: Visitor) -> bool:
    return visitor.get("/me/").status_code == 200


def token_works(visitor: Visitor) -> bool:
    status = visitor.api("GET", "notifications/").status_code
    assert status in {200, 401}
    return status == 200
