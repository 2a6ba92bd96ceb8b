"""Writes that scripts retry: a POST with an `Idempotency-Key` happens once, and its answer is given again for a day.

The key is claimed, the write is done and the answer is kept in one transaction: whoever is killed between the write
and its answer finds both or neither. A duplicate that comes meanwhile waits at the claim, then replays.
"""

import functools
import hashlib
import hmac
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from flask import Response, current_app, g, request
from sqlalchemy import DateTime, ForeignKey, Index, LargeBinary, delete, false, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation import clock
from app.foundation.database import Model, db
from app.foundation.errors import Conflict, InvalidInput
from app.foundation.jobs import job
from app.foundation.schemas import raw_body
from app.foundation.scoping import row_rule, unscoped
from app.foundation.transactions import transaction
from app.foundation.viewer import Viewer

HEADER = "Idempotency-Key"
KEPT_FOR = timedelta(hours=24)
KEPT_HEADERS = ("Content-Type", "ETag", "Location")
REPLAYED = {"Idempotency-Replayed": "true"}
_FIT = re.compile(r"[ -~]{1,200}")


class IdempotencyKey(Model):
    """A key that was sent, and what it was answered: a row that is committed always has a status.

    `identity` is the SHA-256 of account, method, path and key. `body_digest` is keyed with the portal's secret, because
    a body may hold a password, and a plain digest of it could be guessed from a copy of the database.
    """

    __tablename__ = "idempotency_keys"
    __audit__ = False
    __table_args__ = (
        Index("ix_idempotency_keys_account_id", "account_id"),
        Index("ix_idempotency_keys_created_at", "created_at"),
    )

    identity: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"))
    body_digest: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    status: Mapped[int | None]
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    headers: Mapped[dict[str, str] | None] = mapped_column(JSONB)


@row_rule(IdempotencyKey, holds_admins=True)
def _nobody(_viewer: Viewer) -> Any:
    return false()


def retriable(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let clients repeat this POST safely. Stands below what checks the caller's rights: a replay is checked as well.

    What is raised is not kept, so a request that was refused may be repeated or corrected under the same key.
    """

    @functools.wraps(method)
    def inner(*args: Any, **options: Any) -> Any:
        if HEADER not in request.headers:
            return method(*args, **options)
        key, digest = _identity(), _digest(raw_body())
        with transaction():
            kept = None if _claim(key, digest) else _kept(key, digest)
            if kept is not None:
                return Response(kept.body or b"", kept.status, {**(kept.headers or {}), **REPLAYED})
            response: Response = method(*args, **options)
            _keep(key, response)
        return response

    inner.retriable = True  # type: ignore[attr-defined]
    return inner


def _identity() -> bytes:
    """Who sends what where under which key. InvalidInput for a key that is none."""
    key = request.headers[HEADER].strip()
    if not _FIT.fullmatch(key):
        raise InvalidInput(**{HEADER: "An idempotency key has 1 to 200 printable ASCII characters."})
    parts = (str(g.user.id), request.method, request.path.rstrip("/"), key)
    return hashlib.sha256("\0".join(parts).encode()).digest()


def _digest(body: bytes) -> bytes:
    return hmac.digest(current_app.config["SECRET_KEY"].encode(), body, "sha256")


def _claim(identity: bytes, digest: bytes) -> bool:
    """Whether the key is this request's: new, or older than a day. Waits for a request that holds it."""
    now = clock.now()
    fresh = {
        "account_id": g.user.id,
        "body_digest": digest,
        "created_at": now,
        "status": None,
        "body": None,
        "headers": None,
    }
    row = insert(IdempotencyKey).values(identity=identity, **fresh)
    too_old = IdempotencyKey.created_at <= now - KEPT_FOR
    taken = row.on_conflict_do_update(index_elements=["identity"], set_=fresh, where=too_old)
    return db.session.scalar(taken.returning(IdempotencyKey.identity)) is not None


def _kept(identity: bytes, digest: bytes) -> IdempotencyKey:
    """What the key was answered; the failed claim holds its row. Conflict if it came with another body."""
    with unscoped():
        kept = db.session.scalars(select(IdempotencyKey).where(IdempotencyKey.identity == identity)).one()
    if not hmac.compare_digest(kept.body_digest, digest):
        raise Conflict(f"This {HEADER} was sent with another body within the last 24 hours. Send a new key.")
    return kept


def _keep(identity: bytes, response: Response) -> None:
    answer = {
        "status": response.status_code,
        "body": response.get_data(),
        "headers": {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers},
    }
    with unscoped():
        row = update(IdempotencyKey).where(IdempotencyKey.identity == identity)
        db.session.execute(row.values(answer), execution_options={"synchronize_session": False})


@job
def prune() -> str:
    """Forget keys that are older than a day."""
    old = delete(IdempotencyKey).where(IdempotencyKey.created_at <= clock.now() - KEPT_FOR)
    return f"{db.session.execute(old).rowcount} forgotten"  # type: ignore[attr-defined]
