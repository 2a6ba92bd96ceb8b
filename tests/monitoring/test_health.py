"""The three probes: alive, ready, well; each with what is wrong, and whatever name they are asked by."""

import os

import pytest
from sqlalchemy import text

from app import health
from app.foundation import listening, redis_client
from app.foundation.database import db

PROBES = ("/livez", "/readyz", "/health")
WELL = {"database": "ok", "migrations": "ok", "disk": "ok", "redis": "ok"}


@pytest.fixture
def run_sql(app):
    def run(statement: str, **values: str) -> None:
        with app.app_context():
            db.session.execute(text(statement), values)
            db.session.commit()

    return run


def test_portal_that_is_well_says_so(nobody):
    assert nobody.get("/livez").json == {"status": "alive"}
    assert nobody.get("/readyz").json == {"status": "ready", "checks": WELL}
    answer = nobody.get("/health")
    assert answer.json == {"status": "healthy", **WELL, "service": "PortalOps", "version": "0.1.0"}
    assert answer.headers["Cache-Control"] == "no-store"


def test_liveness_touches_nothing(root, nobody, statements):
    """Not even for somebody with a cookie; readiness asks one thing."""
    for visitor in (root, nobody):
        with statements() as seen:
            assert visitor.get("/livez").status_code == 200
        assert seen == []
    with statements() as seen:
        nobody.get("/readyz")
    assert len(seen) == 1


def test_process_without_database_and_redis_is_alive_and_not_ready(cut_off):
    client = cut_off.test_client()
    assert client.get("/livez").status_code == 200
    answer = client.get("/readyz")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json["status"] == "not ready"
    assert answer.json["checks"]["database"] == "unreachable"
    answer = client.get("/health")
    assert (answer.status_code, answer.json["status"], answer.json["database"]) == (
        503,
        "unhealthy",
        "unreachable",
    )


@pytest.mark.parametrize("path", PROBES)
def test_probe_is_answered_by_any_name_and_without_tls(cut_off, path):
    """As a container engine asks; the proxy's words about itself change nothing."""
    client = cut_off.test_client()
    for headers in (
        {"Host": "localhost"},
        {"Host": "127.0.0.1:8000"},
        {"Host": "10.0.0.7:8000", "X-Forwarded-Host": "10.0.0.7", "X-Forwarded-Proto": "http"},
    ):
        assert client.get(path, headers=headers).status_code in {200, 503}, headers


def test_page_is_not_served_by_a_name_that_is_not_trusted(cut_off):
    client = cut_off.test_client()
    answer = client.get("/login/", headers={"Host": "evil.test"})
    assert (answer.status_code, answer.text) == (400, "The portal does not answer to this name.")
    answer = client.get("/api/services", headers={"Host": "evil.test"})
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_input")


def test_portal_without_redis_is_degraded_and_ready(app, nobody, monkeypatch):
    monkeypatch.setitem(
        app.extensions, "redis_quick", redis_client.connect("unix:///nowhere/redis.sock", 1.0)
    )
    answer = nobody.get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "degraded")
    assert answer.json["checks"]["redis"] == "unreachable, work waits"
    assert nobody.get("/health").json["status"] == "healthy"


def test_process_that_is_about_to_end_says_so_and_lives(nobody, monkeypatch):
    """A proxy asks another one before anybody is refused."""
    monkeypatch.setattr(listening, "_leaving", bytearray(b"\1"))
    answer = nobody.get("/readyz")
    assert (answer.status_code, answer.json) == (503, {"status": "leaving"})
    assert "Retry-After" in answer.headers
    assert nobody.get("/livez").status_code == 200
    assert nobody.get("/login/").status_code == 200


def test_portal_whose_tables_are_old_is_not_ready(nobody, run_sql):
    run_sql("UPDATE alembic_version SET version_num = '0024'")
    answer = nobody.get("/readyz")
    assert answer.status_code == 503
    assert answer.json["checks"]["migrations"] == "behind this version: run `flask setup`"
    run_sql("DELETE FROM alembic_version")
    assert nobody.get("/readyz").status_code == 503
    run_sql("DROP TABLE alembic_version")
    answer = nobody.get("/readyz")
    assert answer.status_code == 503
    assert answer.json["checks"] == WELL | {"migrations": "none applied: run `flask setup`"}


def test_portal_whose_tables_are_newer_goes_on(nobody, run_sql):
    """A deploy migrates first; the processes of the old version serve until they are replaced."""
    run_sql("UPDATE alembic_version SET version_num = '9999'")
    assert nobody.get("/readyz").json == {"status": "ready", "checks": WELL}


def test_portal_without_room_is_not_ready(nobody, monkeypatch):
    monkeypatch.setattr(health, "LEAST_FREE_BYTES", 2**60)
    answer = nobody.get("/readyz")
    assert answer.status_code == 503
    assert answer.json["checks"]["disk"].startswith("almost full: less than")


def test_portal_that_can_write_nothing_is_not_ready(app, nobody, monkeypatch, tmp_path):
    monkeypatch.setitem(app.config, "DATA_DIR", os.fspath(tmp_path / "gone"))
    assert nobody.get("/readyz").json["checks"]["disk"] == "can't be written: No such file or directory"


def test_probes_say_nothing_of_addresses_and_passwords(cut_off):
    for path in PROBES:
        body = cut_off.test_client().get(path).get_data(as_text=True)
        assert "127.0.0.1" not in body
        assert "nobody@" not in body
