"""`flask doctor --url`: the portal as people reach it, over TLS and through whatever stands in front."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from werkzeug.serving import make_server

from app import create_app
from tests.certificates import Authority
from tests.visitor import apart


@pytest.fixture
def authority(tmp_path, monkeypatch) -> Authority:
    """One that this machine trusts for the time of a test."""
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.certificate))
    return made


@pytest.fixture
def look(app) -> Callable[[str], list[tuple[str, str]]]:
    def run(url: str) -> list[tuple[str, str]]:
        result = apart(app.test_cli_runner().invoke, args=["doctor", "--json", "--url", url])
        found = json.loads(result.stdout)["findings"]
        return [(one["state"], one["says"]) for one in found if one["check"] == "Address"]

    return run


@contextmanager
def served(application, tls=None) -> Iterator[str]:
    server = make_server("localhost", 0, application, threaded=True, ssl_context=tls and tuple(map(str, tls)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://localhost:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def safe_app(settings):
    return create_app(settings.model_copy(update={"public_url": "https://localhost"}))


def test_portal_behind_tls_is_well(look, safe_app, authority):
    with served(safe_app, authority.sign("localhost")) as url:
        [(state, _), (lasts, words)] = look(url)
    assert (state, lasts) == ("ok", "ok")
    assert "in 89 days" in words


def test_certificate_that_ends_soon_is_named(look, safe_app, authority):
    with served(safe_app, authority.sign("localhost", days=9.5)) as url:
        [_, (state, words)] = look(url)
    assert state == "warning"
    assert "in 9 days" in words


@pytest.mark.parametrize(("host", "days"), [("localhost", -1), ("elsewhere.example", 90)])
def test_certificate_that_is_no_good_is_named(look, safe_app, authority, host, days):
    with served(safe_app, authority.sign(host, days)) as url:
        [(state, words)] = look(url)
    assert state == "fault"
    assert "certificate of localhost is refused" in words


def test_certificate_of_a_stranger_is_named(look, safe_app, authority, tmp_path):
    with served(safe_app, Authority(tmp_path, "stranger").sign("localhost")) as url:
        [(state, words)] = look(url)
    assert state == "fault"
    assert "refused" in words


def test_portal_that_does_not_know_that_it_is_behind_tls_is_named(look, app, authority):
    with served(app, authority.sign("localhost")) as url:
        [(state, words), _] = look(url)
    assert state == "fault"
    assert "Strict-Transport-Security" in words


def test_proxy_that_swallows_headers_is_named(look, app):
    def swallowing(environ, start_response):
        return app(environ, lambda status, _headers, *rest: start_response(status, [], *rest))

    with served(swallowing) as url:
        [(state, words)] = look(url)
    assert state == "fault"
    assert "Content-Security-Policy" in words


def test_other_name_and_nobody_are_named(look, settings):
    strict = create_app(settings.model_copy(update={"trusted_hosts": ("portal.example.com",)}))
    with served(strict) as url:
        [(state, words)] = look(url)
    assert (state, "answers 400" in words) == ("fault", True)
    [(state, words)] = look(url)
    assert (state, "does not answer" in words) == ("fault", True)


def test_without_a_word_nobody_is_asked(look):
    assert look("") == []
