"""Verification of the chain: what the trigger computed once is computed again, in PostgreSQL, row by row.

A part of the log at a time, so that a log of millions of entries needs no long statement.
"""

from dataclasses import dataclass

from sqlalchemy import text

from app.foundation.database import db

PART = 20_000
# A forged entry may have any number.
BEFORE_ALL = -(2**63)
# Of the entries after `after`, up to `upto`; `seen` is how many came before, `before` the hash of the last of those.
FIRST_BAD = text("""
    SELECT id, CASE
             WHEN id <> expected_id THEN 'an entry is missing before it'
             WHEN previous_hash IS DISTINCT FROM expected_previous THEN 'it does not follow the entry before it'
             ELSE 'its content was changed' END AS fault
    FROM (SELECT a.*, :seen + row_number() OVER w AS expected_id,
                 coalesce(lag(a.hash) OVER w, CAST(:before AS bytea)) AS expected_previous,
                 audit_log_digest(a) AS expected_hash
          FROM audit_logs a WHERE a.id > :after AND a.id <= :upto WINDOW w AS (ORDER BY a.id)) AS checked
    WHERE id <> expected_id OR previous_hash IS DISTINCT FROM expected_previous OR hash IS DISTINCT FROM expected_hash
    ORDER BY id LIMIT 1
""")
NEXT_PART = text("""
    SELECT id, count, hash FROM (
        SELECT id, hash, count(*) OVER () AS count
        FROM (SELECT id, hash FROM audit_logs WHERE id > :after ORDER BY id LIMIT :size) AS part
    ) AS counted ORDER BY id DESC LIMIT 1
""")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`entries` is how many rows the chain has; `bad_id` names the first that does not fit, `fault` says why."""

    entries: int
    head: str
    bad_id: int | None = None
    fault: str | None = None

    @property
    def is_sound(self) -> bool:
        """Whether every link holds. A cut tail is not visible in the chain itself, but against `heads`."""
        return self.bad_id is None


def verify() -> Verdict:
    """Check every link of the chain, up to its end of this moment."""
    seen, after, head = 0, BEFORE_ALL, b""
    while part := db.session.execute(NEXT_PART, {"after": after, "size": PART}).first():
        upto, count, end = part
        given = {"seen": seen, "before": head, "after": after, "upto": upto}
        bad = db.session.execute(FIRST_BAD, given).first()
        if bad:
            return Verdict(_entries(), _head(), *bad)
        seen, after, head = seen + count, upto, bytes(end)
        if count < PART:
            break
    return Verdict(seen, head.hex())


def _entries() -> int:
    return int(db.session.execute(text("SELECT count(*) FROM audit_logs")).scalar_one())


def _head() -> str:
    newest = text("SELECT encode(hash, 'hex') FROM audit_logs ORDER BY id DESC LIMIT 1")
    return str(db.session.execute(newest).scalar_one())
