"""The settings: one message for everything that is wrong, no secret in it, and secrets that are made only once."""

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import ValidationError

import config
from tests.runtime.processes import ROOT

SECRET = "q7Rk2mWx9TfLb4ZpVc8NsYd3HgJu6AeE"
PRODUCTION = {
    "ENVIRONMENT": "production",
    "DATABASE_URL": "postgresql://portal:pw@db.company.test/portal?sslmode=verify-full",
    "REDIS_URL": "rediss://:pw@redis.company.test:6379/0",
    "SECRET_KEY": SECRET,
    "JWT_SECRET_KEY": SECRET[::-1],
    "HR_WEBHOOK_API_KEY": SECRET.swapcase(),
    "PUBLIC_URL": "https://portal.company.test",
    "TRUSTED_HOSTS": "portal.company.test",
    "PROXY_COUNT": "1",
}


def load(data_dir: Path, **environ: str) -> config.Settings:
    return config.load({"DATA_DIR": str(data_dir)} | environ)


def faults(environ: dict[str, str]) -> dict[str, str]:
    with pytest.raises(config.ConfigError) as caught:
        config.load(environ)
    return dict(line.strip().split(": ", 1) for line in str(caught.value).splitlines()[1:])


def test_every_bad_variable_is_named_at_once(data_dir: Path) -> None:
    bad = {
        "PORT": "70000",
        "DEBUG": "perhaps",
        "TIMEZONE": "Mars/Olympus",
        "CURRENCY": "Bitcoin",
        "MAX_FILE_SIZE": "7 apples",
        "DATABASE_URL": "mysql://x/y",
        "REDIS_URL": "http://x",
        "API_V1_STR": "api",
        "ADMIN_EMAIL": "nobody",
        "LOG_LEVEL": "LOUD",
        "PUBLIC_URL": "portal",
        "OUTGOING_PORTS": "443,https",
        "OUTGOING_NETWORKS": "10.0.0.1/8",
    }
    assert faults({"DATA_DIR": str(data_dir)} | bad).keys() == bad.keys()


def test_no_message_and_no_printout_holds_a_secret(data_dir: Path) -> None:
    hidden = "hunter2-hunter2"
    environ = dict.fromkeys(("SECRET_KEY", "JWT_SECRET_KEY", "HR_WEBHOOK_API_KEY"), hidden)
    environ |= {"DATABASE_URL": f"mysql://a:{hidden}@b/c", "REDIS_URL": f"http://:{hidden}@r"}
    with pytest.raises(config.ConfigError) as caught:
        config.load({"ENVIRONMENT": "production"} | environ)
    assert hidden not in str(caught.value)
    environ |= {
        "DATABASE_URL": f"postgres://a:{hidden}@b/c",
        "REDIS_URL": f"redis://:{hidden}@r",
        "SMTP_PASSWORD": hidden,
    }
    assert hidden not in repr(load(data_dir, ADMIN_PASSWORD=hidden, **environ))


def test_production_demands_what_development_makes_up(tmp_path: Path) -> None:
    found = faults({"ENVIRONMENT": "production", "DATA_DIR": str(tmp_path / "no")})
    assert found.keys() == PRODUCTION.keys() - {"ENVIRONMENT"}
    assert all(fault.startswith("required in production") for fault in found.values())
    assert not (tmp_path / "no").exists()


def test_production_starts_when_all_is_given() -> None:
    settings = config.load(PRODUCTION)
    assert settings.production
    assert not settings.embedded_database
    assert not settings.embedded_redis
    assert settings.admin_password == ""


@pytest.mark.parametrize(
    "dsn",
    ["sentry", "https://sentry.company.test/1", "https://key@/1", "https://key@host/project", "ftp://k@h/1"],
)
def test_address_of_the_error_reports_is_whole(data_dir: Path, dsn: str) -> None:
    assert faults({"DATA_DIR": str(data_dir), "SENTRY_DSN": dsn}) == {
        "SENTRY_DSN": "not a DSN such as https://key@sentry.company.com/1"
    }
    good = "https://0123456789abcdef@sentry.company.test/under/a/path/42"
    assert load(data_dir, SENTRY_DSN=good).sentry_dsn == good
    assert good not in repr(load(data_dir, SENTRY_DSN=good))


def test_monitoring_is_off_unless_somebody_asks_for_it(tmp_path: Path, data_dir: Path) -> None:
    assert (load(data_dir).metrics_token, load(data_dir).sentry_dsn) == ("", "")
    (tmp_path / "token").write_text(f"{SECRET[::-1].swapcase()}\n")
    given = {"METRICS_TOKEN_FILE": str(tmp_path / "token")}
    assert config.load(PRODUCTION | given).metrics_token == SECRET[::-1].swapcase()
    for bad in ({"METRICS_TOKEN": "short"}, {"METRICS_TOKEN": SECRET}):
        assert faults(PRODUCTION | bad).keys() == {"METRICS_TOKEN"}
    open_line = {"SENTRY_DSN": "http://key@sentry.company.test/1"}
    assert faults(PRODUCTION | open_line).keys() == {"SENTRY_DSN"}


@pytest.mark.parametrize(("environ", "json"), [({}, False), ({"LOG_FORMAT": "json"}, True)])
def test_logs_are_for_people_in_development(data_dir: Path, environ: dict[str, str], json: bool) -> None:
    assert load(data_dir, **environ).logs_are_json is json


@pytest.mark.parametrize(("environ", "json"), [({}, True), ({"LOG_FORMAT": "text"}, False)])
def test_logs_are_for_machines_in_production(environ: dict[str, str], json: bool) -> None:
    assert config.load(PRODUCTION | environ).logs_are_json is json


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_the_database_url_names_the_driver(data_dir: Path, scheme: str) -> None:
    settings = load(data_dir, DATABASE_URL=f"{scheme}://u:p@h:5432/d?sslmode=require")
    assert settings.database_url == "postgresql+psycopg2://u:p@h:5432/d?sslmode=require"


def test_a_secret_comes_from_a_file(tmp_path: Path, data_dir: Path) -> None:
    (tmp_path / "key").write_text("from the file\n")
    assert load(data_dir, JWT_SECRET_KEY_FILE=str(tmp_path / "key")).jwt_secret_key == "from the file"


def test_a_secret_given_twice_missing_or_empty_is_named(tmp_path: Path, data_dir: Path) -> None:
    (tmp_path / "empty").touch()
    wrong = faults(
        {
            "DATA_DIR": str(data_dir),
            "SECRET_KEY": "x",
            "SECRET_KEY_FILE": str(tmp_path / "empty"),
            "SMTP_PASSWORD_FILE": str(tmp_path / "missing"),
            "ADMIN_PASSWORD_FILE": str(tmp_path / "empty"),
        }
    )
    assert wrong.keys() == {"SECRET_KEY", "SMTP_PASSWORD", "ADMIN_PASSWORD"}


def test_empty_means_unset_and_lists_are_split(data_dir: Path) -> None:
    settings = load(data_dir, PORT="", DATABASE_URL=" ", HR_WEBHOOK_API_KEY="new, old,", CORS_ORIGINS="")
    assert settings.port == 8000
    assert settings.embedded_database
    assert settings.hr_webhook_api_key == ("new", "old")
    assert settings.cors_origins == ()


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"HOST": "0.0.0.0", "PORT": "80"}, "http://localhost:80"),
        ({"HOST": "::1"}, "http://[::1]:8000"),
        ({"PUBLIC_URL": "https://portal.company.test/"}, "https://portal.company.test"),
    ],
)
def test_the_public_url_follows_the_listen_address(data_dir: Path, environ: dict[str, str], url: str) -> None:
    assert load(data_dir, **environ).public_url == url


def test_generated_secrets_are_private_and_stay(data_dir: Path) -> None:
    first, second = load(data_dir), load(data_dir)
    assert first == second
    assert first.secret_key != first.jwt_secret_key
    assert all(map(first.is_generated, ("secret_key", "admin_password", "hr_webhook_api_key")))
    assert not load(data_dir, ADMIN_PASSWORD="mine").is_generated("admin_password")
    assert stat.S_IMODE((data_dir / "secrets").stat().st_mode) == 0o700
    files = list((data_dir / "secrets").iterdir())
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert {file.name for file in files} == {
        "secret_key",
        "jwt_secret_key",
        "hr_webhook_api_key",
        "admin_password",
    }


def test_processes_that_start_together_get_the_same_secrets(data_dir: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len({settings.secret_key for settings in pool.map(load, [data_dir] * 32)}) == 1


def test_settings_do_not_change(data_dir: Path) -> None:
    with pytest.raises(ValidationError):
        load(data_dir).port = 1


def test_the_example_names_every_setting_and_its_defaults_load(data_dir: Path) -> None:
    lines = [
        line for line in (ROOT / "env.example").read_text().splitlines() if line and not line.startswith("#")
    ]
    example = dict(line.split("=", 1) for line in lines)
    assert {name.lower() for name in example} == set(config.Settings.model_fields)
    assert config.load(example | {"DATA_DIR": str(data_dir)}) == load(data_dir)


def test_only_the_engines_addresses_are_imported_with_the_settings() -> None:
    code = "import config, sys; print({'redis', 'psycopg2', 'flask', 'sqlalchemy'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
