"""The way to a database on another machine: encrypted, and to nobody else. The other end is PgBouncer, whose TLS is real.

(The embedded PostgreSQL is built without.)
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import text

from app import create_app
from app.foundation.database import db
from tests.bouncer import bouncing
from tests.certificates import Authority
from tests.deployment import free_port
from tests.visitor import apart

Url = Callable[..., str]


@pytest.fixture
def url(engines, app, tmp_path) -> Iterator[Url]:
    """The address of the cast's database with these parameters; only encrypted lines lead to it."""
    authority = Authority(tmp_path)
    certificate, key = authority.sign("localhost")
    port = free_port()
    tls = {"client_tls_sslmode": "require", "client_tls_cert_file": certificate, "client_tls_key_file": key}
    with (
        TemporaryDirectory(prefix="po-") as short,
        bouncing(engines.postgres, "test", Path(short), listen_addr="127.0.0.1", listen_port=port, **tls),
    ):

        def make(host: str = "localhost", **parameters: object) -> str:
            given = {"sslmode": "verify-full", "sslrootcert": authority.certificate} | parameters
            query = "&".join(f"{name}={value}" for name, value in given.items())
            return f"postgresql+psycopg2://portalops@{host}:{port}/test?{query}"

        yield make


@pytest.fixture
def use(settings):
    """An application on that database, and what its doctor finds there."""
    made = []

    def run(url: str):
        made.append(create_app(settings.model_copy(update={"database_url": url})))
        told = json.loads(apart(made[-1].test_cli_runner().invoke, args=["doctor", "--json"]).stdout)
        found = {one["check"]: one for one in told["findings"] if one["check"].startswith("Database")}
        return made[-1], found

    yield run
    for app in made:
        with app.app_context():
            db.engine.dispose()


def test_checked_certificate_opens_the_line(url, use):
    app, found = use(url())
    assert found["Database"]["state"] == "ok"
    assert found["Database line"]["says"] == "Encrypted."
    assert apart(app.test_client().get, "/readyz").status_code == 200
    with app.app_context():
        connections = set()
        for _ in range(5):
            with db.engine.connect() as connection:
                assert connection.execute(text("SELECT count(*) FROM users")).scalar_one() > 0
                connections.add(id(connection.connection.dbapi_connection))
        assert len(connections) == 1, "an encrypted line lies in the pool like any other"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"sslrootcert": "stranger"}, "certificate verify failed"),
        ({"host": "127.0.0.1"}, "does not match host name"),
        ({"sslrootcert": "/nowhere/ca.pem"}, "/nowhere/ca.pem"),
        ({"sslmode": "disable"}, "SSL required"),
    ],
    ids=["another authority", "another name", "no such file", "no encryption"],
)
def test_line_that_is_not_to_be_trusted_is_refused_in_words(url, use, tmp_path, change, why):
    if change.get("sslrootcert") == "stranger":
        change = {"sslrootcert": Authority(tmp_path, "stranger").certificate}
    app, found = use(url(**change))
    assert found["Database"]["state"] == "fault"
    assert why in found["Database"]["says"]
    assert apart(app.test_client().get, "/readyz").status_code == 503
