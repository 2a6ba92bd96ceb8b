"""Operations flush, doors commit: the view, the API method or the job commits once."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.foundation.database import db

_OPEN = "transaction_open"


@contextmanager
def transaction() -> Iterator[None]:
    """Commit what the block did, or nothing of it.

    Inside another it is part of that one: it flushes, the outermost commits, and an exception that leaves the outermost
    undoes it all. Either way rows are read anew after the block, so that an answer shows what the database holds.
    """
    info = db.session().info
    if _OPEN in info:
        yield
        db.session.flush()
        db.session.expire_all()
        return
    info[_OPEN] = True
    try:
        yield
        db.session.commit()
    except BaseException:
        db.session.rollback()
        raise
    finally:
        del info[_OPEN]
