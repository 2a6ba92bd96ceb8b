"""Who the client is: X-Forwarded-* of as many proxies as there are, and of nobody but them."""

from ipaddress import ip_network

import pytest
from flask import Flask, jsonify, request

from app.foundation import proxies

PRIVATE = (ip_network("10.0.0.0/8"), ip_network("::1"))
FORGED = {
    "X-Forwarded-For": "203.0.113.9, 198.51.100.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.test",
}
DIRECT = ("http", "portal.test")


def seen(count: int, peer: str | None) -> tuple[str | None, str, str]:
    """Whom the application takes for the client, and by what scheme and name."""
    app = Flask("behind")
    proxies.init_app(app, count, PRIVATE)
    app.add_url_rule("/", "seen", lambda: jsonify(request.remote_addr, request.scheme, request.host))
    answer = app.test_client().get(
        "/", headers=FORGED, base_url="http://portal.test", environ_overrides={"REMOTE_ADDR": peer or ""}
    )
    return tuple(answer.get_json())


@pytest.mark.parametrize("peer", ["10.1.2.3", "::1", "::ffff:10.1.2.3", None])
def test_trusted_proxy_is_believed_as_far_as_it_wrote_itself(peer):
    assert seen(1, peer) == ("198.51.100.7", "https", "evil.test")


@pytest.mark.parametrize(
    "peer", ["198.51.100.7", "2001:db8::1", "::ffff:198.51.100.7", "11.0.0.1", "nonsense"]
)
def test_anybody_else_is_the_client_itself(peer):
    assert seen(1, peer) == (peer, *DIRECT)


@pytest.mark.parametrize("peer", ["10.1.2.3", "198.51.100.7"])
def test_without_proxies_nobody_is_believed(peer):
    assert seen(0, peer) == (peer, *DIRECT)
