"""Verification of the chain: what the trigger computed once is computed again, in PostgreSQL, row by row."""

from dataclasses import dataclass

from sqlalchemy import text

from app.foundation.database import db

FIRST_BAD = text("""
    SELECT id, CASE
             WHEN id <> expected_id THEN 'an entry is missing before it'
             WHEN previous_hash IS DISTINCT FROM expected_previous THEN 'it does not follow the entry before it'
             ELSE 'its content was changed' END AS fault
    FROM (SELECT a.*, row_number() OVER w AS expected_id,
                 coalesce(lag(a.hash) OVER w, '\\x'::bytea) AS expected_previous,
                 audit_log_digest(a) AS expected_hash
          FROM audit_logs a WINDOW w AS (ORDER BY a.id)) AS checked
    WHERE id <> expected_id OR previous_hash IS DISTINCT FROM expected_previous OR hash IS DISTINCT FROM expected_hash
    ORDER BY id LIMIT 1
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
    """Check every link of the chain."""
    count = db.session.execute(text("SELECT count(*) FROM audit_logs")).scalar_one()
    head = db.session.execute(
        text("SELECT encode(hash, 'hex') FROM audit_logs ORDER BY id DESC LIMIT 1")
    ).scalar()
    bad = db.session.execute(FIRST_BAD).first()
    return Verdict(count, head or "", *(bad or ()))
