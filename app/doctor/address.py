"""The portal as people reach it: through its proxy, by its name (`flask doctor --url`)."""

import http.client
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import current_app

from app.doctor.findings import Finding, check, fault, ok, warning

SECONDS = 10
EXPIRES_SOON = timedelta(days=21)
HEADERS = {
    "Content-Security-Policy": "default-src 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
PROXY = "Look at the proxy: it must hand on what the portal sends."


@check("Address")
def address() -> Iterator[Finding]:
    """Not asked unless somebody says so: from inside of a container the address may not be reachable."""
    url = current_app.extensions.get("doctor_url", "")
    if not url:
        return
    parts = urlsplit(url)
    try:
        with_tls = ssl.create_default_context()
        host = parts.hostname or ""
        connection = (
            http.client.HTTPSConnection(host, parts.port, timeout=SECONDS, context=with_tls)
            if parts.scheme == "https"
            else http.client.HTTPConnection(host, parts.port, timeout=SECONDS)
        )
        connection.connect()
        line = connection.sock
        certificate = line.getpeercert() if isinstance(line, ssl.SSLSocket) else None
        connection.request("GET", f"{parts.path}/login/", headers={"Accept": "text/html"})
        answer = connection.getresponse()
    except ssl.SSLCertVerificationError as error:
        yield fault(
            f"The certificate of {host} is refused: {error.verify_message}.",
            "Renew it, or serve its whole chain.",
        )
    except (OSError, http.client.HTTPException) as error:
        yield fault(
            f"{url} does not answer: {error}.", "Look at the proxy, the web process and the name's address."
        )
    else:
        yield from _judged(url, answer)
        if certificate:
            yield _expiry(certificate)
        connection.close()


def _judged(url: str, answer: http.client.HTTPResponse) -> Iterator[Finding]:
    if answer.status != http.HTTPStatus.OK:
        yield fault(
            f"{url}/login/ answers {answer.status}.", "Look at TRUSTED_HOSTS, the proxy and the portal's log."
        )
        return
    wanted = HEADERS | ({"Strict-Transport-Security": "max-age="} if url.startswith("https:") else {})
    missing = [name for name, part in wanted.items() if part not in answer.getheader(name, "")]
    if missing:
        yield fault(f"{url} answers without {', '.join(missing)}.", PROXY)
    elif url.startswith("https:") and "Secure" not in answer.getheader("Set-Cookie", "Secure"):
        yield fault(f"{url} gives a cookie that also goes by http.", "Set PUBLIC_URL to the https address.")
    else:
        yield ok(f"{url} answers with the headers it should.")


def _expiry(certificate: dict[str, Any]) -> Finding:
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
    left = ends - datetime.now(UTC)
    words = f"The certificate ends on {ends:%-d %B %Y}, in {left.days} days."
    return (
        warning(words, "Renew it, or find out why that did not happen by itself.")
        if left < EXPIRES_SOON
        else ok(words)
    )
