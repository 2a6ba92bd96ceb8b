"""Operations flush, doors commit: the view, the API method or the job commits once."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.foundation.database import db


@contextmanager
def transaction() -> Iterator[None]:
    """Commit what the block did, or nothing of it."""
    try:
        yield
        db.session.commit()
    except BaseException:
        db.session.rollback()
        raise
