"""deploy/Caddyfile for real: Caddy with a certificate of its own in front of a portal in production, on loopback."""

import http.client
import itertools
import json
import os
import secrets
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.foundation.embedded.processes import bound_to_parent
from tests.architecture.sources import ROOT
from tests.deployment import Deployment, free_port
from tests.runtime.processes import Started, wait_until

pytestmark = pytest.mark.runtime
CADDYFILE = ROOT / "deploy/Caddyfile"
LIMIT = 200_000
PASSWORD = "correct horse battery staple 27"


class Proxy:
    """Caddy with our file: its addresses moved to loopback and free ports, its certificates into a folder of the test."""

    def __init__(self, folder: Path, port: int, upstreams: str) -> None:
        self.port, self.http_port = port, free_port()
        folder.mkdir()
        self.certificate = folder / "pki/authorities/local/root.crt"
        said = {
            "PUBLIC_URL": f"https://localhost:{port}",
            "UPSTREAMS": upstreams,
            "CADDY_TLS": "tls internal",
        }
        env = {"PATH": os.environ["PATH"], "HOME": str(folder), **said}
        adapted = subprocess.run(
            ["caddy", "adapt", "--config", CADDYFILE], env=env, capture_output=True, check=True
        )
        config = json.loads(adapted.stdout)
        config["admin"] = {"disabled": True}
        config["storage"] = {"module": "file_system", "root": str(folder)}
        config["apps"]["http"]["http_port"] = self.http_port
        for server in config["apps"]["http"]["servers"].values():
            server["listen"] = [f"127.0.0.1{address}" for address in server["listen"]]
        (folder / "caddy.json").write_text(json.dumps(config))
        command = ["caddy", "run", "--config", str(folder / "caddy.json")]
        self.process = Started(bound_to_parent(command), env, folder / "log")
        wait_until(lambda: self._is_up() or not self.process.alive, 60)

    def _is_up(self) -> bool:
        try:
            return self.ask("GET", "/health")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str):
        """Status, headers (each as often as it came) and body, by TLS."""
        context = ssl.create_default_context(cafile=self.certificate)
        connection = http.client.HTTPSConnection("localhost", self.port, timeout=30, context=context)
        try:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, {"Content-Type": "application/json", **sent})
            answer = connection.getresponse()
            return answer.status, answer.msg, answer.read()
        finally:
            connection.close()

    def end(self) -> None:
        self.process.signal(signal.SIGKILL)
        self.process.end()


@pytest.fixture(scope="module")
def portal(tmp_path_factory) -> Iterator[Deployment]:
    port = free_port()
    deployment = Deployment(
        tmp_path_factory.mktemp("behind"),
        ENVIRONMENT="production",
        PUBLIC_URL=f"https://localhost:{port}",
        TRUSTED_HOSTS="localhost",
        PROXY_COUNT="1",
        MAX_FILE_SIZE=str(LIMIT),
        ADMIN_PASSWORD=PASSWORD,
        **{name: secrets.token_hex(32) for name in ("SECRET_KEY", "JWT_SECRET_KEY", "HR_WEBHOOK_API_KEY")},
    )
    deployment.public_port = port
    with deployment:
        deployment.open("web")
        yield deployment


@pytest.fixture(scope="module")
def other(portal, tmp_path_factory) -> Iterator[tuple[int, Started]]:
    """The second replica: its port and its process."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "app:create_app()"]
    log = tmp_path_factory.mktemp("other") / "log"
    started = Started(bound_to_parent(command), portal.env | {"PORT": str(port)}, log)
    yield port, started
    if started.alive:
        started.signal(signal.SIGTERM)
        started.end()


@pytest.fixture(scope="module")
def proxy(portal, other, tmp_path_factory) -> Iterator[Proxy]:
    upstreams = f"127.0.0.1:{portal.port} 127.0.0.1:{other[0]}"
    started = Proxy(tmp_path_factory.mktemp("caddy") / "data", portal.public_port, upstreams)
    yield started
    started.end()


def test_file_is_valid_and_as_its_formatter_writes_it():
    env = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "PUBLIC_URL": "https://x.example",
        "UPSTREAMS": "a:1 b:2",
    }
    command = [shutil.which("caddy"), "adapt", "--validate", "--config", CADDYFILE]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    written = subprocess.run(["caddy", "fmt", CADDYFILE], capture_output=True, text=True, check=False)
    assert written.stdout == CADDYFILE.read_text()


def test_people_arrive_at_the_sign_in_page_without_running_in_circles(proxy):
    path = "/"
    for _ in range(5):
        status, headers, body = proxy.ask("GET", path, Accept="text/html")
        if status == 200:
            break
        location = urllib.parse.urlsplit(headers["Location"])
        assert location.netloc in {"", f"localhost:{proxy.port}"}
        assert location.scheme in {"", "https"}
        path = location.path + (f"?{location.query}" if location.query else "")
    assert status == 200
    assert b"Sign in" in body


def test_cookies_are_for_tls_alone_and_browsers_are_told_to_stay(proxy):
    _, headers, _ = proxy.ask("GET", "/login/", Accept="text/html")
    cookies = headers.get_all("Set-Cookie")
    assert cookies
    for cookie in cookies:
        assert {"Secure", "HttpOnly", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}
    assert "max-age=" in headers["Strict-Transport-Security"]
    assert headers.get_all("Strict-Transport-Security") == [headers["Strict-Transport-Security"]]
    assert headers["Server"] is None


def test_plain_http_is_sent_to_tls(proxy):
    connection = http.client.HTTPConnection("127.0.0.1", proxy.http_port, timeout=10)
    connection.request("GET", "/inbox/", headers={"Host": f"localhost:{proxy.http_port}"})
    answer = connection.getresponse()
    assert answer.status == 308
    assert answer.headers["Location"].startswith("https://localhost")
    connection.close()


def test_who_somebody_is_stands_in_the_log_whatever_they_claim(portal, proxy):
    body = json.dumps({"email": "stranger@example.com", "password": "let me in, please"}).encode()
    status, _, _ = proxy.ask(
        "POST", "/api/auth/login", body, X_Forwarded_For="203.0.113.99", X_Real_IP="203.0.113.99"
    )
    assert status == 401
    address = portal.one(
        "SELECT address FROM audit_logs WHERE action LIKE %s ORDER BY id DESC LIMIT 1", "auth.%"
    )
    assert address == "127.0.0.1"


def test_another_host_is_nobody(proxy):
    status, _, body = proxy.ask("GET", "/login/", Host="evil.example", X_Forwarded_Host="evil.example")
    assert body == b"", status


def test_what_is_too_large_is_refused_in_the_portals_words(proxy):
    for size in (LIMIT + 1, 20 * LIMIT):
        status, headers, body = proxy.ask("POST", "/api/auth/login", b" " * size)
        assert (status, headers["Content-Type"]) == (413, "application/json")
        assert json.loads(body)["error"] == "payload_too_large"


@pytest.mark.parametrize("path", ["/metrics", "/readyz"])
def test_what_is_for_those_inside_is_not_shown(proxy, path):
    assert proxy.ask("GET", path)[0] == 404
    assert proxy.ask("GET", "/health")[0] == 200


def test_log_knows_no_secrets(proxy):
    proxy.ask(
        "GET", "/calendar/a-secret-of-one-person.ics", X_API_Key="a-key-of-hr", Authorization="Bearer a-token"
    )
    wait_until(lambda: "/calendar/-" in proxy.process.output)
    for secret in ("a-secret-of-one-person", "a-key-of-hr", "a-token"):
        assert secret not in proxy.process.output


def test_replica_ends_and_nobody_is_refused(portal, proxy, other):
    """As when one of two is replaced: it is asked to stop while people work, scripts write among them."""
    wait_until(lambda: all(asked_well(port) for port in (portal.port, other[0])))
    seen, ended, key = [], threading.Event(), portal.env["HR_WEBHOOK_API_KEY"]

    def work(worker: int) -> None:
        for number in itertools.count():
            if ended.is_set():
                return
            employee = {"name": "Joiner", "email": f"joiner.{worker}.{number}@example.com"}
            seen.append(proxy.ask("GET", "/login/", Accept="text/html")[0])
            body = json.dumps({"employee": employee}).encode()
            seen.append(proxy.ask("POST", "/api/webhooks/hr/onboarding", body, X_API_Key=key)[0])

    people = [threading.Thread(target=work, args=[number]) for number in range(4)]
    for one in people:
        one.start()
    wait_until(lambda: len(seen) > 20)
    other[1].signal(signal.SIGTERM)
    wait_until(lambda: not asked_well(other[0]))  # it says that it leaves, and serves on
    assert other[1].alive
    other[1].end()
    after = len(seen)
    wait_until(lambda: len(seen) > after + 40)
    ended.set()
    for one in people:
        one.join()
    assert set(seen) == {200, 202}
    assert portal.one("SELECT count(*) FROM hr_events") == seen.count(202)


def asked_well(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
