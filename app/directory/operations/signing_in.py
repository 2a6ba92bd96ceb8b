"""Signing in: one answer for every failure, and a session that everything given out belongs to."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import BoundedSemaphore, Lock

from flask import has_request_context, request
from sqlalchemy import func, select
from werkzeug.security import check_password_hash, generate_password_hash

from app.audit import recorder
from app.directory.models import Account, Person, SignInSession
from app.foundation.actor import acting_as
from app.foundation.database import db
from app.foundation.errors import RateLimited
from app.foundation.schemas import UNFIT
from app.foundation.scoping import unscoped

SOON = 2
PAUSE_SECONDS = 0.25

# Hashing takes some 60 ms of a core: a flood of sign-ins waits for itself, not everybody else for it.
_one_hash_at_a_time = Lock()


class Line:
    """Those who are signing in at this moment in this process: no more than leave some threads to everybody else."""

    def __init__(self, places: int) -> None:
        self._places = BoundedSemaphore(places)
        self._pauses = BoundedSemaphore(-(-places // 2))

    @contextmanager
    def place(self) -> Iterator[None]:
        """RateLimited where there is none, whoever asks; nothing is counted against them."""
        if not self._places.acquire(blocking=False):
            message = "Too many people are signing in at this moment. Try again in a few seconds."
            raise RateLimited(message, retry_after=SOON)
        try:
            yield
        finally:
            self._places.release()

    def pause(self) -> None:
        """Keep whoever is refused without end for a moment, in half of the places: it takes fewer turns from others."""
        if self._pauses.acquire(blocking=False):
            try:
                time.sleep(PAUSE_SECONDS)
            finally:
                self._pauses.release()


@cache
def _nobody() -> str:
    """A hash that no password fits, to spend the same time on an account that does not exist."""
    return generate_password_hash(secrets.token_urlsafe(16))


def authenticate(email: str, password: str) -> tuple[Account, SignInSession] | None:
    """The account and a new session if the password is right; None, after the same work, in every other case."""
    if UNFIT.search(email + password):
        return None
    with unscoped():
        account = db.session.scalar(select(Account).where(func.lower(Account.email) == email.strip().lower()))
        known = account is not None and account.active and account.password is not None
        with _one_hash_at_a_time:
            right = check_password_hash(account.password if known and account else _nobody(), password)
        if not (known and right and account):
            recorder.record("auth.login_failed", target_type="account", target_label=email.strip()[:200])
            return None
        person = db.session.scalar(select(Person).where(Person.account_id == account.id))
        with acting_as(str(account), person_id=person.id if person else None, email=account.email):
            recorder.record(
                "auth.login", target_type="account", target_id=str(account.id), target_label=account.email
            )
        return account, _open_session(account)


def _open_session(account: Account) -> SignInSession:
    opened = SignInSession(id=secrets.token_urlsafe(24), account_id=account.id)
    if has_request_context():
        opened.address = request.remote_addr
        opened.client = request.headers.get("User-Agent", "")[:300]
    db.session.add(opened)
    db.session.flush()
    return opened
