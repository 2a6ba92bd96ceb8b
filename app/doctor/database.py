"""PostgreSQL: that it answers, that it is the one this code was written for, and that there is room for everybody."""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from flask import current_app
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from app import health
from app.directory.models import Permission, PermissionView, Role, ViewMenu
from app.doctor.findings import Finding, check, fault, ok, settings, warning
from app.foundation import clock, pooling
from app.foundation.database import db
from app.foundation.safe_settings import is_near

OLDEST = 15
SLOW_SECONDS = 0.05
SKEW_SECONDS, LARGE_SKEW_SECONDS = 2, 30
SETUP = "Run `flask --app app setup`, which is safe at any time."


def ask(question: str) -> Any:
    """The one value that PostgreSQL answers."""
    return db.session.execute(text(question)).scalar_one()


@check("Database")
def answers() -> Iterator[Finding]:
    """Everything else needs it."""
    host = urlsplit(settings().database_url).hostname or "its socket"
    try:
        ask("SELECT 1")
    except SQLAlchemyError as error:
        said = " ".join(str(getattr(error, "orig", error)).split())
        yield fault(f"PostgreSQL at {host} can't be used: {said}", "Start it, or mend DATABASE_URL.")
        return
    begun = time.monotonic()
    version = ask("SHOW server_version_num")
    took = time.monotonic() - begun
    name = f"PostgreSQL {ask('SHOW server_version').split()[0]}"
    if int(version) // 10_000 < OLDEST:
        yield fault(f"{name} is older than {OLDEST}.", f"Move the data to PostgreSQL {OLDEST} or newer.")
    elif took > SLOW_SECONDS:
        yield warning(
            f"{name} takes {took * 1000:.0f} ms for a word; a page needs about ten.",
            "Bring the portal and its database nearer to each other.",
        )
    else:
        yield ok(f"{name} answers in {took * 1000:.1f} ms.")


@check("Database line", after="Database")
def line() -> Iterator[Finding]:
    """Whether it is encrypted, as our end sees it: behind PgBouncer, PostgreSQL knows of PgBouncer's line only."""
    host = urlsplit(settings().database_url).hostname or ""
    encrypted = db.session.connection().connection.dbapi_connection.info.ssl_in_use  # type: ignore[union-attr]
    if encrypted:
        yield ok("Encrypted.")
    elif not is_near(host) and host not in settings().plaintext_hosts:
        yield fault(
            f"Nothing encrypts the way to {host}.",
            "Add ?sslmode=verify-full&sslrootcert=... to DATABASE_URL.",
        )


@check("Migrations", after="Database")
def migrations() -> Iterator[Finding]:
    """As `/readyz` sees it."""
    found = health.examine().migrations
    if found == health.OK:
        yield ok("The tables are those of this version.")
    else:
        yield fault(f"The tables are {found.partition(':')[0]}.", SETUP)


@check("Roles", after="Migrations")
def roles() -> Iterator[Finding]:
    """What the code knows of roles and permissions stands in the database."""
    views = current_app.appbuilder.baseviews  # type: ignore[attr-defined]
    needed = {(name, view.class_permission_name) for view in views for name in view.base_permissions or ()}
    known = select(Permission.name, ViewMenu.name)
    known = known.select_from(PermissionView).join(PermissionView.permission).join(PermissionView.view_menu)
    missing = needed - {tuple(row) for row in db.session.execute(known)}
    names = {"Admin", "ServiceAdministrator", "ProductAdministrator", "Public"}
    absent = sorted(names - set(db.session.scalars(select(Role.name))))
    if absent:
        yield fault(f"These roles are missing: {', '.join(absent)}.", SETUP)
    if missing:
        example = " on ".join(min(missing))
        yield fault(f"{len(missing)} permissions of this version are missing, such as {example}.", SETUP)
    if not absent and not missing:
        yield ok("Roles and permissions are those of this version.")


@check("Database settings", after="Database")
def ways() -> Iterator[Finding]:
    """Encoding, and the language that the triggers are written in."""
    encoding = ask("SHOW server_encoding")
    if encoding != "UTF8":
        yield fault(
            f"The database is encoded as {encoding}.", "Make one with ENCODING 'UTF8', and restore into it."
        )
    if not ask("SELECT count(*) FROM pg_extension WHERE extname = 'plpgsql'"):
        yield fault("The language of the triggers, plpgsql, is missing.", "CREATE EXTENSION plpgsql;")
    if ask("SHOW statement_timeout") == "0":
        yield warning(
            "A statement may run for ever (statement_timeout is 0): one that does holds a connection.",
            "Behind PgBouncer give its database the connect_query of deploy/pgbouncer.ini.",
        )
    zone = ask("SHOW TimeZone")
    if zone not in {"UTC", "Etc/UTC"}:
        yield warning(
            f"Sessions are in the time zone {zone}: what people read in psql differs from the portal's log.",
            "ALTER DATABASE ... SET timezone = 'UTC'; (behind PgBouncer the portal can't ask for it itself).",
        )


@check("Database rights", after="Database")
def rights() -> Iterator[Finding]:
    """The owner of the tables need be nothing more; the embedded server has one user only."""
    rule = "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
    if not settings().embedded_database and ask(rule):
        yield warning(
            "The portal's user of the database is a superuser, or may make roles.",
            "Let a user without such rights own the portal's database: ALTER ROLE ... NOSUPERUSER NOCREATEROLE;",
        )


@check("Clock", after="Database")
def clocks() -> Iterator[Finding]:
    """Tokens, leases and slots compare this machine's time with the database's."""
    begun = clock.now()
    there = ask("SELECT clock_timestamp()")
    here = begun + (clock.now() - begun) / 2
    skew = (there - here).total_seconds()
    if abs(skew) < SKEW_SECONDS:
        yield ok(f"The database's clock and ours agree to {abs(skew):.2f} s.")
        return
    words = f"The database's clock is {abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}."
    yield (fault if abs(skew) > LARGE_SKEW_SECONDS else warning)(words, "Let both keep time by NTP.")


@check("Connections", after="Database")
def connections() -> Iterator[Finding]:
    """As many as the processes of this machine's settings may open, against as many as PostgreSQL lets in."""
    known = settings()
    pool = known.db_pool_size + known.db_pool_overflow
    needed = pooling.most_connections(known.web_workers, known.web_threads, pool, known.worker_count)
    allowed = int(ask("SHOW max_connections")) - int(ask("SHOW superuser_reserved_connections"))
    if needed > allowed:
        yield fault(
            f"One machine with these settings may open {needed} connections; PostgreSQL lets {allowed} in.",
            "Lower DB_POOL_SIZE, raise max_connections, or put PgBouncer between (docs/operations/scaling.md).",
        )
    else:
        yield ok(f"One machine with these settings may open {needed} of {allowed} connections.")
    if pool < known.web_threads:
        yield warning(
            f"{known.web_threads} threads share {pool} connections, and wait.",
            "Set DB_POOL_SIZE to WEB_THREADS at least.",
        )
