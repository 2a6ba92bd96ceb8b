"""What the document promises holds for requests that nobody thought of."""

import sys

import pytest

from tests import cast
from tests.attack import fuzz
from tests.deployment import Deployment

pytestmark = pytest.mark.runtime


@pytest.fixture(scope="module")
def portal(engines, templates, attack_template, tmp_path_factory):
    templates(attack_template, "fuzzed")
    deployment = Deployment(
        tmp_path_factory.mktemp("fuzzed"),
        engines.postgres.url_of("fuzzed"),
        JWT_ACCESS_TOKEN_EXPIRE_MINUTES="1440",
    )
    with deployment:
        deployment.start("redis", "web")
        yield deployment


@pytest.mark.parametrize("name", fuzz.PEOPLE if fuzz.BUDGET else fuzz.PEOPLE[:1])
def test_application_is_what_the_document_says(portal, name):
    """No server error, no answer beside its description, no refusal in another shape."""
    sent = {"email": f"{name}@example.com", "password": cast.PASSWORD}
    token = portal.send("POST", "/api/auth/login", sent).json["accessToken"]
    kept = [row[0] for row in portal.rows("SELECT id FROM users WHERE account_id IS NOT NULL")]
    code, findings = fuzz.fuzz(portal, token, kept, *fuzz.BUDGET)
    sys.stdout.write(findings)
    assert code == 0, "Schemathesis found faults; they stand in the output"
    assert portal.get("/api/auth/me", token=token).status == 200, "the fuzzing ran without a sign-in"
