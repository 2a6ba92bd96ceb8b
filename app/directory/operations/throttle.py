"""How often somebody may try to sign in: counted by account and by address, before a password is looked at.

An attempt counts as a failure until it succeeds, so that many at the same moment are not more than the limit. The
account is what was typed, whether or not it exists: a lock tells nobody which accounts there are. The counts are kept
in PostgreSQL, so they hold for every process and survive a restart.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any

from flask import has_request_context, request
from sqlalchemy import delete, text

from app.audit import recorder
from app.directory.models import SignInLimit
from app.directory.operations import refusals
from app.foundation import clock
from app.foundation.database import db
from app.foundation.errors import RateLimited
from app.foundation.schemas import UNFIT
from app.foundation.scoping import unscoped

WINDOW = timedelta(minutes=15)
MOST_OF_ACCOUNT, MOST_OF_ADDRESS = 5, 30
# The window, then twice and four times as long. After a day without an attempt the next lock is a short one again.
DOUBLINGS = 2
FORGOTTEN_AFTER = timedelta(days=1)
NOTED_ONE_BY_ONE = 10
FLOOD = 200

# A locked address counts nothing against accounts, or it could lock them one after the other. Everybody takes the
# address first, so that two attempts never wait for each other. The attempt that reaches the limit begins the lock and
# may itself go on: `refused` is 0.
COUNT = text("""
    INSERT INTO sign_in_limits AS kept (subject, attempts, locks, locked_until, refused, touched_at)
    SELECT subject, ARRAY[CAST(:now AS timestamptz)], 0, NULL, 0, :now
    FROM (VALUES (1, CAST(:address AS bytea)), (2, CAST(:account AS bytea))) AS asked (turn, subject)
    WHERE turn = 1
        OR NOT EXISTS (SELECT FROM sign_in_limits WHERE subject = :address AND locked_until > :now)
    ORDER BY turn
    ON CONFLICT (subject) DO UPDATE SET touched_at = :now, (attempts, locks, locked_until, refused) = (
        SELECT CASE WHEN locked THEN kept.attempts ELSE recent END,
            CASE WHEN "full" AND NOT locked THEN kept.locks + 1 ELSE kept.locks END,
            CASE WHEN locked THEN kept.locked_until
                WHEN "full" THEN :now + CAST(:window AS interval) * (1 << least(kept.locks, :doublings)) END,
            CASE WHEN locked THEN kept.refused + 1 + CASE WHEN kept.subject = :address THEN :untold ELSE 0 END ELSE 0 END
        FROM (SELECT coalesce(kept.locked_until > :now, false)) AS state (locked),
            (SELECT ARRAY(SELECT one FROM unnest(kept.attempts) AS one
                WHERE one > CAST(:now AS timestamptz) - CAST(:window AS interval)) || CAST(:now AS timestamptz)
            ) AS counted (recent),
            LATERAL (SELECT cardinality(recent) >=
                CASE WHEN kept.subject = :account THEN :most_of_account ELSE :most_of_address END) AS size ("full"))
    RETURNING subject, locked_until, refused
""")

FORGIVE = text("""
    WITH account AS (DELETE FROM sign_in_limits WHERE subject = :account)
    UPDATE sign_in_limits SET attempts = array_remove(attempts, CAST(:at AS timestamptz)),
        locked_until = CASE WHEN :began_lock THEN NULL ELSE locked_until END,
        locks = CASE WHEN :began_lock THEN locks - 1 ELSE locks END
    WHERE subject = :address
""")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt as it was counted. `wait` is 0 if it may go on; else this is the `refused`th that may not.

    `told` is how many refused ones it told the database of: 0 if it did not ask.
    """

    email: str
    at: datetime
    wait: int
    refused: int
    began_lock: bool = False
    told: int = 1

    @property
    def is_flood(self) -> bool:
        """Whether it was refused more often than people try."""
        return self.refused > FLOOD


def count_attempt(email: str) -> Attempt:
    """Count an attempt, in one statement. The door commits before it goes on: others wait for these rows.

    An address that was refused many times is refused without asking, for moments.
    """
    now, subjects = clock.now(), _subjects(email)
    lock = refusals.known(subjects["address"])
    if lock and lock.holds(now):
        return Attempt(email, now, _seconds(lock.until - now), lock.refused, told=0)
    attempt, of_address = _counted(email, now, subjects, lock.untold if lock else 0)
    refusals.remember(subjects["address"], now, of_address.locked_until, of_address.refused)
    return attempt


def _counted(email: str, now: datetime, subjects: dict[str, bytes], untold: int) -> tuple[Attempt, Any]:
    rows = db.session.execute(
        COUNT,
        {
            **subjects,
            "now": now,
            "untold": untold,
            "window": WINDOW,
            "doublings": DOUBLINGS,
            "most_of_account": MOST_OF_ACCOUNT,
            "most_of_address": MOST_OF_ADDRESS,
        },
    ).all()
    refusing = [row for row in rows if row.refused]
    waits = [_seconds(row.locked_until - now) for row in refusing]
    of_address = next(row for row in rows if bytes(row.subject) == subjects["address"])
    attempt = Attempt(
        email=email,
        at=now,
        wait=max(waits, default=0),
        refused=max((row.refused for row in refusing), default=0),
        began_lock=of_address.locked_until is not None and not of_address.refused,
        told=1 + untold,
    )
    return attempt, of_address


def _seconds(left: timedelta) -> int:
    return -(-left // timedelta(seconds=1))


def refusal(attempt: Attempt) -> RateLimited:
    """What a locked attempt is answered, noted in the log.

    A flood must not fill the log, which everybody's changes queue for: after the first, every hundredth is noted.
    """
    before = attempt.refused - attempt.told
    if before < NOTED_ONE_BY_ONE or attempt.refused // 100 > before // 100:
        recorder.record(
            "auth.locked",
            target_type="account",
            target_label=UNFIT.sub("", attempt.email).strip()[:200],
            after={"refused": attempt.refused, "seconds_left": attempt.wait},
        )
    minutes = -(-attempt.wait // 60)
    return RateLimited(
        f"Too many failed attempts to sign in. Wait {minutes} minute{'s' if minutes > 1 else ''} and try again.",
        retry_after=attempt.wait,
    )


def forgive(attempt: Attempt) -> None:
    """The attempt succeeded: the account's count goes, and this one of the address's."""
    known = {**_subjects(attempt.email), "at": attempt.at, "began_lock": attempt.began_lock}
    db.session.execute(FORGIVE, known)


def forget_failures(email: str) -> None:
    """Unlock an account, whoever tried: it has a new password."""
    with unscoped():
        db.session.execute(delete(SignInLimit).where(SignInLimit.subject == _subjects(email)["account"]))


def prune_limits() -> int:
    """Drop counts that no longer matter; says how many."""
    with unscoped():
        old = delete(SignInLimit).where(SignInLimit.touched_at < clock.now() - FORGOTTEN_AFTER)
        return int(db.session.execute(old).rowcount)  # type: ignore[attr-defined]


def _subjects(email: str) -> dict[str, bytes]:
    """`remote_addr` is the peer's: a header changes it only where PROXY_COUNT says that a proxy wrote it."""
    address = (request.remote_addr if has_request_context() else None) or ""
    return {
        "account": _digest("account", email.strip().lower()),
        "address": _digest("address", _network(address)),
    }


def _network(address: str) -> str:
    """An IPv6 customer has 2^64 addresses (RFC 6177): they count as one."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    return str(known) if known.version == 4 else str(ip_network((known, 64), strict=False))


def _digest(kind: str, value: str) -> bytes:
    return hashlib.sha256(f"{kind}:{value}".encode("utf-8", "replace")).digest()
