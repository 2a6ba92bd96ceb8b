"""`ENVIRONMENT=production` refuses what is unsafe: each line of the rules, and all of them in one message."""

import os
import subprocess
import sys

import pytest

import config
from tests.runtime.processes import ROOT
from tests.runtime.test_config import PRODUCTION, SECRET, faults

POSTGRES, REDIS = "postgresql://portal:pw", "redis://:pw"
MAIL = {"SMTP_HOST": "mail.company.test", "SMTP_USER": "portal", "SMTP_PASSWORD": "their own"}
REFUSED = {
    "debug mode": ("DEBUG", "true", "must be off"),
    "a short secret": ("SECRET_KEY", "k7Qz", "shorter than 32"),
    "a default": ("SECRET_KEY", "please-change-me-please-change-me-123", "default"),
    "the product's name": ("SECRET_KEY", "PortalOps-9f2LkQ7zVb41XcRtYw8uEo", "default"),
    "one letter": ("JWT_SECRET_KEY", "a" * 64, "default"),
    "a sequence": ("JWT_SECRET_KEY", "0123456789abcdefghijklmnopqrstuvwxyz", "default"),
    "something repeated": ("JWT_SECRET_KEY", "kQ7zVb41XcRt" * 3, "default"),
    "a secret in two places": ("JWT_SECRET_KEY", SECRET, "the same as SECRET_KEY"),
    "one short key of two": ("HR_WEBHOOK_API_KEY", f"{SECRET.swapcase()},short", "shorter than 32"),
    "a key that is another secret": ("HR_WEBHOOK_API_KEY", SECRET[::-1], "the same as JWT_SECRET_KEY"),
    "a key twice": ("HR_WEBHOOK_API_KEY", f"{SECRET.swapcase()},{SECRET.swapcase()}", "same key twice"),
    "a weak first password": ("ADMIN_PASSWORD", "admin", "shorter than 12"),
    "a guessable first password": ("ADMIN_PASSWORD", "Password1234!", "default"),
    "a password that is a secret": ("ADMIN_PASSWORD", SECRET, "the same as SECRET_KEY"),
    "a mail password that is a secret": ("SMTP_PASSWORD", SECRET, "the same as SECRET_KEY"),
    "scripts of everybody": ("CORS_ORIGINS", "https://a.test,*", "wildcard"),
    "scripts without TLS": ("CORS_ORIGINS", "http://intranet.company.test", "https://"),
    "a page for an origin": ("CORS_ORIGINS", "https://intranet.company.test/page", "not an origin"),
    "any host": ("TRUSTED_HOSTS", "*", "wildcard"),
    "hosts without ours": ("TRUSTED_HOSTS", "other.company.test", "portal.company.test"),
    "pages without TLS": ("PUBLIC_URL", "http://portal.company.test", "https://"),
    "a database across the network": ("DATABASE_URL", f"{POSTGRES}@db.test/p", "nothing encrypts"),
    "... that may fall back": ("DATABASE_URL", f"{POSTGRES}@db.test/p?sslmode=prefer", "nothing encrypts"),
    "... named beside": ("DATABASE_URL", f"{POSTGRES}@/p?host=db.test:5433", "the way to db.test"),
    "... the second of two": ("DATABASE_URL", f"{POSTGRES}@localhost,db.test/p", "the way to db.test"),
    "Redis across the network": ("REDIS_URL", f"{REDIS}@redis.test", "nothing encrypts"),
    "... unchecked": ("REDIS_URL", "rediss://:pw@redis.test?ssl_cert_reqs=none", "nothing encrypts"),
    "... open to all": ("REDIS_URL", "rediss://redis.test", "no password"),
}
ADMITTED = {
    "a database here": {"DATABASE_URL": f"{POSTGRES}@127.0.0.1/p"},
    "a database by socket": {"DATABASE_URL": f"{POSTGRES}@/p?host=/run/postgresql"},
    "an encrypted line": {"DATABASE_URL": f"{POSTGRES}@db.test/p?sslmode=require"},
    "Redis here": {"REDIS_URL": "redis://localhost:6379/0"},
    "Redis by socket": {"REDIS_URL": "unix:///run/redis.sock?db=0"},
    "containers": {
        "PLAINTEXT_HOSTS": "db, redis",
        "DATABASE_URL": f"{POSTGRES}@db/p",
        "REDIS_URL": f"{REDIS}@redis/0",
    },
    "subdomains": {"TRUSTED_HOSTS": ".company.test"},
    "no proxy, said aloud": {"PROXY_COUNT": "0"},
    "an origin": {"CORS_ORIGINS": "https://intranet.company.test:8443"},
    "an administrator": {"ADMIN_EMAIL": "jo@company.test", "ADMIN_PASSWORD": "violet-harbor-tin-42"},
    "mail by TLS": MAIL,
    "mail by TLS from the start": MAIL | {"SMTP_STARTTLS": "false", "SMTP_PORT": "465"},
    "a relay here": MAIL | {"SMTP_HOST": "localhost", "SMTP_STARTTLS": "false"},
    "a relay without password": {"SMTP_HOST": "mail.company.test", "SMTP_STARTTLS": "false"},
}


@pytest.mark.parametrize(("name", "value", "why"), REFUSED.values(), ids=REFUSED)
def test_production_refuses(name, value, why):
    [(found, fault)] = faults(PRODUCTION | {name: value}).items()
    assert found == name
    assert why in fault


@pytest.mark.parametrize("name", sorted(PRODUCTION.keys() - {"ENVIRONMENT"}))
def test_production_misses(name):
    assert name in faults(PRODUCTION | {name: ""})


@pytest.mark.parametrize("given", ADMITTED.values(), ids=ADMITTED)
def test_production_admits(given):
    assert config.load(PRODUCTION | given).production


def test_production_wants_a_person_for_the_first_administrator():
    wrong = faults(PRODUCTION | {"ADMIN_PASSWORD": "violet-harbor-tin-42"})
    assert wrong.keys() == {"ADMIN_EMAIL"}


def test_production_sends_no_password_of_mails_in_the_clear():
    wrong = faults(PRODUCTION | MAIL | {"SMTP_STARTTLS": "false"})
    assert wrong.keys() == {"SMTP_STARTTLS"}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, value, _ in REFUSED.values()])
def test_development_does_not_ask(tmp_path, name, value):
    if "/page" not in value:
        config.load({"DATA_DIR": str(tmp_path / "data"), name: value})


@pytest.mark.parametrize(
    "program",
    [
        ["run.py"],
        ["-m", "flask", "--app", "app", "setup"],
        ["-m", "flask", "--app", "app", "worker"],
        ["-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "app:create_app()"],
    ],
    ids=["run.py", "setup", "worker", "gunicorn"],
)
def test_every_program_names_every_fault_at_once_and_ends(program):
    names = {"DEBUG", "SECRET_KEY", "CORS_ORIGINS", "PUBLIC_URL", "PROXY_COUNT", "DATABASE_URL"}
    bad = {"DEBUG": "1", "SECRET_KEY": "short", "CORS_ORIGINS": "*", "PROXY_COUNT": ""}
    bad |= {"PUBLIC_URL": "http://portal.company.test", "DATABASE_URL": f"{POSTGRES}@db.test/p"}
    env = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]} | PRODUCTION | bad
    done = subprocess.run(
        [sys.executable, *program], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert {line.strip().partition(":")[0] for line in done.stderr.splitlines()[1:]} == names
