"""What docker-compose.yml and docker-compose.replicas.yml promise, read as Compose reads them."""

import re
import subprocess
import sys
from itertools import pairwise

import pytest

import config
import run
from app.foundation import web_worker
from drills import compose_file, dockerfile
from tests.architecture.sources import ROOT

MAIN, REPLICAS = ROOT / "docker-compose.yml", ROOT / "docker-compose.replicas.yml"
VARIABLES = {"PORTAL_HOST": "portal.example.com", "ADMIN_EMAIL": "jo@example.com"}
FILE = compose_file.load(MAIN, REPLICAS, variables=VARIABLES)
SERVICES = FILE["services"]
PORTAL = sorted(set(SERVICES) - {"postgres", "redis", "caddy"})
# They end by themselves; who waits for them waits for that.
ONE_SHOTS = {"setup"}


def every(names=SERVICES):
    return pytest.mark.parametrize("name", sorted(names))


def seconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(s|m)", text).groups()
    return float(number) * {"s": 1, "m": 60}[unit]


def test_files_are_what_the_specification_allows():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*command, MAIN, REPLICAS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", VARIABLES)
def test_what_nobody_can_guess_must_be_said(name):
    with pytest.raises(KeyError, match=f"Set {name} in .env"):
        compose_file.load(MAIN, variables={**VARIABLES, name: ""})


@every(set(SERVICES) - ONE_SHOTS)
def test_service_says_how_it_is(name):
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] in {"CMD", "CMD-SHELL"}
    assert seconds(check["timeout"]) <= seconds(check["interval"])
    assert "curl" not in " ".join(check["test"])


@every()
def test_service_can_change_nothing_and_has_limits(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "caddy" else [])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert any(one.startswith("/tmp:") for one in service["tmpfs"])
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}
    assert service["restart"] == ("on-failure:3" if name in ONE_SHOTS else "unless-stopped")
    assert not {"privileged", "network_mode", "pid", "ipc", "userns_mode"} & set(service)


@every()
def test_images_are_pinned_to_a_version(name):
    tag = SERVICES[name]["image"].partition(":")[2]
    assert tag == "local" if name in PORTAL else re.match(r"\d+\.\d+\.\d+-|\d+\.\d+-", tag)


@every()
def test_what_it_needs_is_there_before_it(name):
    """A service that is waited for says how it is; what the database must have stands in it before anybody starts."""
    needed = SERVICES[name].get("depends_on", {})
    for other, how in needed.items():
        expected = "service_completed_successfully" if other in ONE_SHOTS else "service_healthy"
        assert how["condition"] == expected, other
    if name in set(PORTAL) - ONE_SHOTS:
        assert set(needed) == {"setup", "redis"}
    if name in ONE_SHOTS:
        assert set(needed) == {"postgres", "redis"}
    if name == "caddy":
        assert set(needed) == {"web", "web2"}


def test_only_the_proxy_can_be_reached_from_elsewhere():
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {
        "caddy": ["80:80", "443:443", "443:443/udp"],
        "web": ["127.0.0.1:8000:8000"],
    }


def test_engines_are_out_of_the_proxys_reach():
    assert FILE["networks"]["engines"] == {"internal": True}
    for name in ("postgres", "redis", "setup", "scheduler"):
        assert SERVICES[name]["networks"] == ["engines"], name
    assert SERVICES["caddy"]["networks"] == ["front"]


@every(PORTAL)
def test_every_variable_is_one_that_the_portal_reads(name):
    known = {field.upper() for field in config.Settings.model_fields}
    secret = {f"{one.upper()}_FILE" for one in config.SECRETS}
    environment = SERVICES[name]["environment"]
    assert set(environment) <= known | secret
    assert not {one.upper() for one in config.SECRETS} & set(environment), "a secret in the open"


@every()
def test_secrets_come_as_files_that_are_made(name):
    service = SERVICES[name]
    given = {value for key, value in service.get("environment", {}).items() if key.endswith("_FILE")}
    assert given <= {f"/run/secrets/{secret}" for secret in service.get("secrets", [])}
    assert set(service.get("secrets", [])) <= set(FILE["secrets"])
    script = (ROOT / "deploy/make-secrets.sh").read_text()
    for secret in service.get("secrets", []):
        assert FILE["secrets"][secret] == {"file": f"./secrets/{secret}"}
        assert secret in script


def test_only_setup_knows_the_first_password():
    assert [name for name, one in SERVICES.items() if "admin_password" in one.get("secrets", [])] == ["setup"]


def test_settings_of_compose_are_a_production_that_starts(tmp_path):
    environment = dict(SERVICES["setup"]["environment"])
    subprocess.run([ROOT / "deploy/make-secrets.sh", tmp_path], check=True, capture_output=True)
    environment |= {
        key: value.replace("/run/secrets", str(tmp_path))
        for key, value in environment.items()
        if "_FILE" in key
    }
    settings = config.load(environment)
    assert settings.production
    assert (settings.public_url, settings.trusted_hosts) == (
        "https://portal.example.com",
        ("portal.example.com",),
    )
    assert settings.proxy_count == 1


def test_what_is_under_way_may_end():
    """As long as run.py grants, and longer than gunicorn gives to the requests that it is answering."""
    web = seconds(SERVICES["web"]["stop_grace_period"])
    assert web > web_worker.GRACE_SECONDS
    assert web >= run._WEB_GRACE_SECONDS
    for name in ("worker", "worker-messages", "worker-long"):
        assert seconds(SERVICES[name]["stop_grace_period"]) >= run._WORKER_GRACE_SECONDS


def test_every_queue_has_a_worker():
    words = [SERVICES[name]["command"] for name in PORTAL if name.startswith("worker")]
    queues = [after for command in words for word, after in pairwise(command) if word == "--queue"]
    assert sorted(queues) == ["default", "long", "messages"]


def test_second_replica_is_like_the_first():
    web, web2 = dict(SERVICES["web"]), dict(SERVICES["web2"])
    web.pop("ports")
    image = dockerfile.stages(ROOT / "Dockerfile")[-1]
    assert web2.pop("command") == image.last("CMD").words
    assert web2 == web
    assert SERVICES["caddy"]["environment"]["UPSTREAMS"].split() == ["web:8000", "web2:8000"]


def test_named_volumes_and_mounted_files_exist():
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in FILE["volumes"]
        for mounted in service.get("configs", []):
            assert (ROOT / FILE["configs"][mounted["source"]]["file"]).is_file()


def test_redis_keeps_what_it_is_given():
    lines = (ROOT / "deploy/redis.conf").read_text().splitlines()
    assert {
        "include /run/secrets/redis_auth",
        "appendonly yes",
        "appendfsync everysec",
        "maxmemory-policy noeviction",
    } <= set(lines)
