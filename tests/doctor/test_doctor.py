"""The doctor names what is broken: each test breaks one thing for real, and sees that it is found."""

import json
from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import text

from app import create_app
from app.doctor import findings
from app.foundation import clock, redis_client
from app.foundation.backups.shelf import name_of
from app.foundation.database import db
from tests import cast
from tests.deployment import free_port
from tests.postoffice import post_office
from tests.visitor import apart

Findings = dict[str, list[dict[str, str]]]


@pytest.fixture
def ask(app, settings) -> Callable[..., tuple[int, Findings]]:
    """The doctor's exit code and findings by check, with some settings changed."""

    def run(*words: str, **changed) -> tuple[int, Findings]:
        asked = create_app(settings.model_copy(update=changed)) if changed else app
        result = apart(asked.test_cli_runner().invoke, args=["doctor", "--json", *words])
        told = json.loads(result.stdout)
        by_check: Findings = {}
        for one in told["findings"]:
            by_check.setdefault(one["check"], []).append(one)
        states = [one["state"] for one in told["findings"]]
        assert (told["faults"], told["warnings"]) == (states.count("fault"), states.count("warning"))
        if changed:
            with asked.app_context():
                db.engine.dispose()
        return result.exit_code, by_check

    return run


def sql(app, *statements: str) -> None:
    with app.app_context(), db.engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


WORK = """
    INSERT INTO outbox (job, arguments, queue, state, attempts, begun, due_at, created_at)
    VALUES ('x', '[]', 'default', '{state}', 9, {begun}, now(), now() - interval '{age} minutes')
"""
FAILED_RUN = """
    INSERT INTO scheduled_runs (name, job, slot, state, trigger, attempts, error)
    VALUES ('Audit head', 'app.audit.jobs.export_head', now(), 'failed', 'schedule', 1, E'Disk full\nmore')
"""
NO_PERMISSION = """
    DELETE FROM ab_permission_view
    WHERE view_menu_id IN (SELECT id FROM ab_view_menu WHERE name = 'Schedule')
"""
BROKEN = {
    "tables of an older version": (
        "Migrations", "fault", ["UPDATE alembic_version SET version_num = '0001'"], "behind", "flask --app app setup"),
    "no tables": ("Migrations", "fault", ["DROP TABLE alembic_version"], "none applied", "flask --app app setup"),
    "a role that is gone": (
        "Roles", "fault", ["UPDATE ab_role SET name = 'Adm' WHERE name = 'Admin'"], "missing: Admin", "setup"),
    "a permission that is gone": (
        "Roles", "fault", ["DELETE FROM ab_permission_view_role", NO_PERMISSION], "Schedule", "setup"),
    "nobody is Admin": (
        "Administrators", "fault", ["UPDATE ab_user SET active = false"], "Nobody can sign in", "ADMIN_EMAIL"),
    "a log that was changed": (
        "Audit log", "fault",
        ["ALTER TABLE audit_logs DISABLE TRIGGER USER", "UPDATE audit_logs SET action = 'x' WHERE id = 2"],
        "Entry 2", "backup"),
    "work that waits for hours": (
        "Waiting work", "fault", [WORK.format(state="waiting", begun=0, age=180)], "180 minutes", "workers"),
    "work that waits for minutes": (
        "Waiting work", "warning", [WORK.format(state="waiting", begun=0, age=10)], "10 minutes", "workers"),
    "work that was given up": (
        "Dead letters", "warning", [WORK.format(state="dead", begun=10, age=1)], "1 pieces", "Background work"),
    "a periodic job that failed": ("Periodic jobs", "fault", [FAILED_RUN], "failed: Disk full", "Schedule"),
}  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_what_is_broken_in_the_database_is_named(app, ask, broken):
    check, state, statements, says, mends = broken
    assert [one for one in ask()[1][check] if says in one["says"]] == []
    sql(app, *statements)
    code, found = ask()
    [named] = [one for one in found[check] if says in one["says"]]
    assert named["state"] == state
    assert mends in named["mend"]
    assert state == "warning" or code == 1


def test_database_that_is_away_is_named_and_nothing_that_needs_it_is_asked(ask):
    gone = f"postgresql+psycopg2://portal@127.0.0.1:{free_port()}/portal"
    code, found = ask(database_url=gone)
    assert code == 1
    [named] = found["Database"]
    assert named["state"] == "fault"
    assert "127.0.0.1" in named["says"]
    assert "DATABASE_URL" in named["mend"]
    assert not {"Migrations", "Roles", "Clock", "Connections", "Administrators", "Audit log"} & found.keys()
    assert "Redis" in found


@contextmanager
def redis_set(app, name: str, value: str):
    with app.app_context():
        redis = redis_client.quick()
        before = redis.config_get(name)[name]
        redis.config_set(name, value)
    try:
        yield
    finally:
        redis.config_set(name, before)


def test_redis_that_forgets_is_named(app, ask):
    assert ask()[1]["Redis memory"][0]["state"] == "ok"
    with redis_set(app, "maxmemory-policy", "allkeys-lru"):
        [named] = ask()[1]["Redis memory"]
    assert named["state"] == "fault"
    assert "allkeys-lru" in named["says"]


def test_redis_without_a_disk_is_named(app, ask):
    assert ask()[1]["Redis on disk"][0]["state"] == "warning"
    with redis_set(app, "appendonly", "yes"):
        assert ask()[1]["Redis on disk"][0]["state"] == "ok"


def test_redis_that_is_away_is_named(ask, tmp_path):
    code, found = ask(redis_url=f"unix://{tmp_path}/none.sock?db=0")
    assert code == 1
    assert "REDIS_URL" in found["Redis"][0]["mend"]
    assert not {"Redis memory", "Workers", "Scheduler"} & found.keys()


def test_queues_without_workers_and_a_missing_scheduler_are_named(ask):
    """Nothing but the database and Redis runs here."""
    code, found = ask()
    assert code == 1
    assert [one["mend"] for one in found["Workers"]] == [
        f"Start one: `flask --app app worker --queue {queue}`." for queue in ("default", "long", "messages")
    ]
    assert found["Scheduler"][0]["state"] == "fault"


def test_too_many_connections_are_named(ask):
    assert ask()[1]["Connections"][0]["state"] == "ok"
    [named] = ask(web_workers=16, web_threads=16, db_pool_size=20)[1]["Connections"]
    assert named["state"] == "fault"
    assert "may open 519 connections" in named["says"]
    [_, waits] = ask(web_threads=20)[1]["Connections"]
    assert waits["state"] == "warning"


def test_secrets_that_others_read_are_named(ask, tmp_path):
    folder = tmp_path / "data"
    (folder / "secrets").mkdir(parents=True, mode=0o700)
    folder.chmod(0o700)
    secret = folder / "secrets" / "secret_key"
    secret.touch(0o600)
    assert ask(data_dir=folder)[1]["Data directory"][0]["state"] == "ok"
    secret.chmod(0o644)
    [named] = ask(data_dir=folder)[1]["Data directory"]
    assert named["mend"] == f"chmod 600 {secret}"
    secret.chmod(0o600)
    folder.chmod(0o755)
    [named] = ask(data_dir=folder)[1]["Data directory"]
    assert named["mend"] == f"chmod o= {folder}"


def test_data_directory_that_is_not_there_is_named(ask, tmp_path):
    code, found = ask(data_dir=tmp_path / "none")
    assert code == 1
    assert "is not there" in found["Data directory"][0]["says"]
    assert "Disk" not in found


@pytest.fixture
def shelf(app, tmp_path, monkeypatch):
    """The folder that the application finds its backups in."""
    monkeypatch.setitem(app.config, "BACKUP_DIR", str(tmp_path / "backups"))
    (tmp_path / "backups").mkdir()
    return tmp_path / "backups"


@pytest.mark.parametrize(("hours", "state"), [(10, "ok"), (49, "ok"), (51, "fault"), (24 * 30, "fault")])
def test_backups_that_are_old_are_named(ask, shelf, hours, state):
    made = clock.now() - timedelta(hours=hours)
    (shelf / name_of(made, encrypted=False)).touch()
    [found] = ask()[1]["Backups"]
    assert found["state"] == state
    assert f"{hours} hours" in found["says"]


def test_no_backup_at_all_is_named(ask, shelf):
    [found] = ask()[1]["Backups"]
    assert found["state"] == "warning"
    assert "flask --app app backup" in found["mend"]


def test_user_of_the_database_who_may_too_much_is_named(app, ask):
    sql(app, "DROP ROLE IF EXISTS modest", "CREATE ROLE modest LOGIN", "GRANT pg_read_all_data TO modest")
    assert "superuser" in ask()[1]["Database rights"][0]["says"]
    modest = app.config["SQLALCHEMY_DATABASE_URI"].replace("portalops@", "modest@")
    _, found = ask(database_url=modest)
    assert "Database rights" not in found
    assert found["Database"][0]["state"] == "ok"


def test_mail_server_is_asked(ask):
    assert "never sent" in ask()[1]["Mail"][0]["says"]
    [named] = ask(smtp_host="127.0.0.1", smtp_port=free_port(), smtp_starttls=False)[1]["Mail"]
    assert named["state"] == "fault"
    with post_office() as office:
        port = {"smtp_host": "127.0.0.1", "smtp_port": office.port}
        assert ask(**port, smtp_starttls=False)[1]["Mail"][0]["state"] == "ok"
        [named] = ask(**port)[1]["Mail"]
        assert "STARTTLS" in named["says"]


def test_first_password_that_is_still_in_use_is_named(ask):
    found = ask()[1]["Administrators"]
    assert {one["says"].split()[-1] for one in found if "ADMIN_PASSWORD" in one["says"]} >= {
        "root@example.com."
    }
    calm = ask(admin_password="")[1]["Administrators"]
    assert [one["state"] for one in calm] == ["ok"]


def test_lonely_administrator_is_told(app, ask):
    sql(app, "UPDATE ab_user SET active = false WHERE email = 'first@example.com'")
    assert "Only one person" in ask(admin_password="")[1]["Administrators"][0]["says"]


def test_development_says_what_production_would_refuse(ask):
    [named] = ask()[1]["Settings"]
    assert named["state"] == "warning"
    for name in ("PROXY_COUNT", "PUBLIC_URL", "SECRET_KEY", "TRUSTED_HOSTS"):
        assert name in named["says"]


def test_what_production_admits_but_is_not_best_is_told(ask):
    changed = {"environment": "production", "outgoing_http": True, "plaintext_hosts": ("redis",)}
    _, found = ask(**changed, proxy_count=0)
    assert found["Settings"][0]["state"] == "ok"
    assert "PROXY_COUNT" in found["Proxy"][0]["says"]
    assert [one["state"] for one in found["Lines to others"]] == ["warning", "warning"]


def test_check_that_breaks_is_a_finding(ask, monkeypatch):
    def broken():
        raise RuntimeError("no idea")
        yield

    monkeypatch.setattr(findings, "_checks", [findings._Registered("Odd", broken, "")])
    code, found = ask()
    assert code == 1
    assert "RuntimeError: no idea" in found["Odd"][0]["says"]


def test_lines_are_for_people(app):
    result = apart(app.test_cli_runner().invoke, args=["doctor"])
    assert result.exit_code == 1
    assert "fault    Scheduler: No scheduler is alive" in result.stdout
    assert "→ Start one: `flask --app app scheduler`." in result.stdout
    assert result.stdout.splitlines()[-1].endswith("findings")


def test_nothing_told_is_a_secret(app, settings):
    result = apart(app.test_cli_runner().invoke, args=["doctor"])
    for secret in (settings.secret_key, settings.jwt_secret_key, cast.PASSWORD, *settings.hr_webhook_api_key):
        assert secret not in result.stdout


def test_every_check_with_a_ground_names_one_that_is_there():
    names = [one.name for one in findings._checks]
    for place, one in enumerate(findings._checks):
        assert not one.after or one.after in names[:place]
