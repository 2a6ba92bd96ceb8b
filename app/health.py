"""Whether this deployment lives, can work, and is well: `/livez`, `/readyz` and `/health`.

Probes come to an address, not to a name, and by plain http behind the proxy: their `Host` means nothing to them, since
no answer of theirs names an address. Without Redis the portal is degraded, not down: work waits in the outbox.
"""

import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from typing import Any

from alembic.script import ScriptDirectory
from flask import Flask, current_app
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.foundation import listening, redis_client
from app.foundation.database import db
from app.foundation.rendering import RETRY_SECONDS

OK = "ok"
LEAST_FREE_BYTES = 100 * 1024**2
# Asked by addresses, /metrics included.
BY_ADDRESS = frozenset({"/livez", "/readyz", "/health", "/metrics"})


@dataclass(frozen=True, slots=True)
class Health:
    """What was found, in words for people; `ok` where all is well."""

    database: str
    migrations: str
    disk: str
    redis: str

    @property
    def is_ready(self) -> bool:
        """Whether requests can be served."""
        return self.database == self.migrations == self.disk == OK

    def as_dict(self) -> dict[str, str]:
        """What was looked at, and what was found."""
        return {
            "database": self.database,
            "migrations": self.migrations,
            "disk": self.disk,
            "redis": self.redis,
        }


def init_app(app: Flask) -> None:
    """Public, and cheap."""
    app.wsgi_app = _any_host(app.wsgi_app, app.config["TRUSTED_HOSTS"])  # type: ignore[method-assign]
    app.add_url_rule("/livez", "livez", livez)
    app.add_url_rule("/readyz", "readyz", readyz)
    app.add_url_rule("/health", "health", health)


def livez() -> dict[str, str]:
    """The process answers. Touches nothing: a database that is away is no reason to kill it."""
    return {"status": "alive"}


def readyz() -> Any:
    """Whether requests may be sent here: 503 says what is wrong or that it leaves, `degraded` that work waits."""
    if listening.is_leaving():
        return {"status": "leaving"}, 503, {"Retry-After": RETRY_SECONDS}
    found = examine()
    status = "not ready" if not found.is_ready else OK if found.redis == OK else "degraded"
    return _answer(found, {"status": "ready" if status == OK else status, "checks": found.as_dict()})


def health() -> Any:
    """The same for people and load balancers, with name and version."""
    found = examine()
    name = {"service": current_app.config["APP_NAME"], "version": current_app.config["VERSION"]}
    status = "healthy" if found.is_ready else "unhealthy"
    return _answer(found, {"status": status, **found.as_dict(), **name})


def _answer(found: Health, body: dict[str, Any]) -> Any:
    return (body, 200) if found.is_ready else (body, 503, {"Retry-After": RETRY_SECONDS})


def examine() -> Health:
    """Look at everything that requests need. At most one statement, one command and one small file."""
    return Health(*_database(), _disk(), _redis())


def _database() -> tuple[str, str]:
    """Whether it answers, and whether it has the tables of this code. Newer ones are well: a deploy is under way."""
    try:
        applied = set(db.session.scalars(text("SELECT version_num FROM alembic_version")))
    except ProgrammingError:
        db.session.rollback()
        return OK, "none applied: run `flask setup`"
    except (SQLAlchemyError, PoolTimeout):
        db.session.remove()
        return "unreachable", "unknown"
    heads, known = _revisions()
    is_behind = not applied or bool((applied & known) - heads)
    return OK, "behind this version: run `flask setup`" if is_behind else OK


@cache
def _revisions() -> tuple[frozenset[str], frozenset[str]]:
    """The newest migrations of the code, and all of them."""
    scripts = ScriptDirectory(current_app.extensions["migrate"].directory)
    return frozenset(scripts.get_heads()), frozenset(one.revision for one in scripts.walk_revisions())


def _disk() -> str:
    """Whether DATA_DIR takes a file, and has room for more."""
    folder = current_app.config["DATA_DIR"]
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"?")
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return f"can't be written: {error.strerror}"
    if free < LEAST_FREE_BYTES:
        return f"almost full: less than {LEAST_FREE_BYTES // 1024**2} MiB left"
    return OK


def _redis() -> str:
    try:
        redis_client.quick().ping()
    except (RedisError, OSError):
        return "unreachable, work waits"
    return OK


def _any_host(inner: Any, trusted: list[str] | None) -> Any:
    """Let probes in by whatever name they come, TRUSTED_HOSTS or not."""
    name = trusted[0].lstrip(".") if trusted else "localhost"

    def outer(environ: dict[str, Any], start_response: Any) -> Any:
        if environ.get("PATH_INFO") in BY_ADDRESS:
            environ["HTTP_HOST"] = name
        return inner(environ, start_response)

    return outer
