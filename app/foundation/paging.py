"""Pages of a list with exact totals, at any depth of a long table.

A total that was counted is kept with the snapshot that it was counted in. PostgreSQL names a snapshot by the
transactions that it sees (`pg_current_snapshot`): where the name is the same nothing was committed in between, by
whomever, and the total still holds. A transaction that has written sees more than its snapshot says, and keeps none.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from flask import current_app
from sqlalchemy import Integer, Select, Text, bindparam, case, cast, func, select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.sql import operators

from app.foundation import prepared
from app.foundation.database import db
from app.foundation.scoping import is_scoped
from app.foundation.viewer import current_viewer

KEPT_TOTALS = 500
_has_written = func.pg_current_xact_id_if_assigned().is_not(None)
SNAPSHOT = (
    select(case((_has_written, None), else_=cast(func.pg_current_snapshot(), Text)))
    .scalar_subquery()
    .label("snapshot")
)


def page_of(
    query: Select[Any], page: int, limit: int, *, load: Sequence[Any] | None = None
) -> tuple[Sequence[Any], int]:
    """The rows of a page (from 1), as tuples, and how many rows there are in all.

    The last column of the query's order tells its rows apart, and its joins stand in its FROM. A first page that is
    not full tells without counting. `load` says that rows are entities, and what to load with them.
    """
    offset, identity = (page - 1) * limit, _identity(query)
    total, counted_in = _totals().get(identity, (0, ""))
    rows, read_in = _read(query, offset, limit, total, load)
    if read_in and read_in == counted_in:
        return rows, total
    if page == 1 and len(rows) < limit:
        return rows, len(rows)
    total = _count(query, identity)
    if page > 1:
        rows, _ = _read(query, offset, limit, total, load)
    return rows, total


def counts(queries: tuple[Select[Any], ...], **values: Any) -> list[int]:
    """What each of these counts, in one statement. The queries are made once, and `values` are their parameters."""
    return counted(_together(queries), **values)


@lru_cache
def _together(queries: tuple[Select[Any], ...]) -> Select[Any]:
    return select(array([query.scalar_subquery() for query in queries]))


def counted(query: Select[Any], **values: Any) -> list[int]:
    """The array that a query makes of its counts. It is made anew only if something was committed since it last was."""
    identity = ("counted", _identity(query), tuple(values.items()))
    kept, counted_in = _totals().get(identity, ([], ""))
    ((found, snapshot),) = prepared.rows(query, _if_it_may_differ, **values, counted_in=counted_in)
    if found is None:
        return list(kept)
    _keep(identity, found, snapshot)
    return list(found)


def _if_it_may_differ(query: Select[Any]) -> Select[Any]:
    may_differ = SNAPSHOT.element.is_distinct_from(bindparam("counted_in", type_=Text))
    return select(case((may_differ, query.scalar_subquery())), SNAPSHOT)


def _read(
    query: Select[Any], offset: int, limit: int, total: int, load: Sequence[Any] | None
) -> tuple[list[Any], str | None]:
    """The rows, and the snapshot that they were read in; from the nearer end."""
    size, derive = limit, _page_from_start
    if offset:
        size = min(limit, total - offset)
        if size <= 0:
            return [], None
        if offset > total // 2:
            derive, offset = _page_from_end, total - offset - size
    wanted = {"size": size, "skipped": offset}
    if load is None:
        found = prepared.rows(query, derive, **wanted)
    else:
        found = db.session.execute(derive(query).options(*load), wanted).all()
    return [row[:-1] for row in found], found[0][-1] if found else None


def _page_from_start(query: Select[Any]) -> Select[Any]:
    return _page(query, query._order_by_clauses)  # noqa: SLF001 - there is no public way to ask


def _page_from_end(query: Select[Any]) -> Select[Any]:
    return _page(query, _reversed(query._order_by_clauses))  # noqa: SLF001


def _page(query: Select[Any], order: Iterable[Any]) -> Select[Any]:
    """Keys first: only they are sorted and skipped, in an index if one has the order."""
    last = query._order_by_clauses[-1]  # noqa: SLF001
    key = getattr(last, "element", last)
    keys = query.with_only_columns(key, maintain_column_froms=True).order_by(None).order_by(*order)
    keys = keys.limit(bindparam("size", type_=Integer)).offset(bindparam("skipped", type_=Integer))
    shown = query.add_columns(SNAPSHOT)
    # The keys fulfil the query's conditions; asked twice, PostgreSQL would not see how few rows are left.
    shown._where_criteria = (key.in_(keys.correlate(None)),)  # noqa: SLF001
    return shown


def _reversed(order: Iterable[Any]) -> tuple[Any, ...]:
    """Of columns and descending columns."""
    return tuple(
        one.element if getattr(one, "modifier", None) is operators.desc_op else one.desc() for one in order
    )


def _count(query: Select[Any], identity: Hashable) -> int:
    ((total, snapshot),) = prepared.rows(query, _total_of)
    _keep(identity, total, snapshot)
    return int(total)


def _total_of(query: Select[Any]) -> Select[Any]:
    return query.with_only_columns(func.count(), SNAPSHOT, maintain_column_froms=True).order_by(None)


def _keep(identity: Hashable, counted: Any, snapshot: str | None) -> None:
    totals = _totals()
    totals.pop(identity, None)
    if snapshot:
        totals[identity] = (counted, snapshot)
    while len(totals) > KEPT_TOTALS:
        totals.popitem(last=False)


def _totals() -> OrderedDict[Hashable, tuple[Any, str]]:
    """Of this process: what was counted, and the snapshot that it was counted in."""
    totals: OrderedDict[Hashable, tuple[Any, str]] = current_app.extensions.setdefault(
        "totals", OrderedDict()
    )
    return totals


def _identity(query: Select[Any]) -> Hashable:
    """What a total depends on besides the snapshot: the statement as SQLAlchemy caches it, its values, the viewer.

    So a list has today's date as a value, and does not leave it to PostgreSQL.
    """
    key, parameters = prepared.shape_of(query)
    values = tuple(repr(value.effective_value) for value in parameters)
    return key, values, _viewer()


def _viewer() -> Hashable:
    return is_scoped(), current_viewer() if is_scoped() else None
