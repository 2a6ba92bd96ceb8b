"""Settings: what production would refuse, and what it admits although there is something better."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from app.doctor.findings import Finding, check, ok, settings, warning
from app.foundation.safe_settings import is_near
from config import refused_in_production


@check("Settings")
def mode() -> Iterator[Finding]:
    """Bad settings never come this far: each program ends with them."""
    if settings().production:
        yield ok("This is production, and its settings are safe.")
        return
    refused = refused_in_production(settings())
    yield warning(
        "This is development." + (f" Production would refuse {', '.join(refused)}." if refused else ""),
        "For use by a company set ENVIRONMENT=production, and what it then asks for.",
    )


@check("Proxy")
def proxies() -> Iterator[Finding]:
    """Without a proxy that is counted, all people have its address."""
    if settings().production and not settings().proxy_count:
        yield warning(
            "PROXY_COUNT is 0: who tries passwords is told apart by address, and all people have the proxy's.",
            "Let the proxy write X-Forwarded-For, -Proto and -Host, and set PROXY_COUNT to how many there are.",
        )


@check("Lines to others")
def lines() -> Iterator[Finding]:
    """Encrypted but to whom, or not encrypted at all."""
    known = settings()
    if known.plaintext_hosts:
        yield warning(
            f"Nothing encrypts the way to {', '.join(known.plaintext_hosts)} (PLAINTEXT_HOSTS).",
            "Make sure that nobody else is on that network, or use TLS there.",
        )
    parts = urlsplit(known.database_url)
    modes = parse_qs(parts.query).get("sslmode", [""])
    if not is_near(parts.hostname or "") and modes[-1] in {"require", "verify-ca"}:
        yield warning(
            f"sslmode={modes[-1]} encrypts, but does not check that it is {parts.hostname} who answers.",
            "Use sslmode=verify-full and sslrootcert in DATABASE_URL.",
        )
    if known.outgoing_http:
        yield warning("Messages to other systems may go by http (OUTGOING_HTTP).", "Set OUTGOING_HTTP=false.")
