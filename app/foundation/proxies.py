"""Who the client is, told by reverse proxies: as many as `PROXY_COUNT` says, and only by those we trust.

A count alone would believe anybody who reaches the port past the proxy. So a peer outside of `TRUSTED_PROXIES` is the
client itself, whatever it says in its headers.
"""

from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from app.foundation.reachable import Network

Wsgi = Any


def init_app(app: Flask, count: int, trusted: Sequence[Network]) -> None:
    """Without proxies no such header means anything."""
    if count:
        direct = app.wsgi_app
        app.wsgi_app = _Judged(  # type: ignore[method-assign]
            direct, ProxyFix(direct, x_for=count, x_proto=count, x_host=count), trusted
        )


class _Judged:
    def __init__(self, direct: Wsgi, proxied: Wsgi, trusted: Sequence[Network]) -> None:
        self._direct, self._proxied, self._trusted = direct, proxied, trusted

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        peer = environ.get("REMOTE_ADDR", "")
        answer: Iterable[bytes] = (self._proxied if self._is_trusted(peer) else self._direct)(
            environ, start_response
        )
        return answer

    def _is_trusted(self, peer: str) -> bool:
        """Who comes by a Unix socket has no address, and was let in by the folder that it lies in."""
        if not peer:
            return True
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self._trusted)
