"""Pages of a list with exact totals, at any depth of a long table.

A total that was counted is kept with the snapshot that it was counted in. PostgreSQL names a snapshot by the
transactions that it sees (`pg_current_snapshot`): where the name is the same nothing was committed in between, by
whomever, and the total still holds. A transaction that has written sees more than its snapshot says, and keeps none.
So do landmarks hold, from which who turns the pages of a long list finds the next one.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from flask import current_app
from sqlalchemy import Integer, Select, Text, bindparam, case, cast, func, select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.sql import operators

from app.foundation import prepared
from app.foundation.database import db
from app.foundation.landmarks import Landmarks, not_before, sorted_by
from app.foundation.scoping import is_scoped
from app.foundation.viewer import current_viewer

KEPT_TOTALS = 500
FAR = 500
"""Rows: to skip more of them takes PostgreSQL longer than to read along what a page is sorted by."""
_has_written = func.pg_current_xact_id_if_assigned().is_not(None)
SNAPSHOT = (
    select(case((_has_written, None), else_=cast(func.pg_current_snapshot(), Text)))
    .scalar_subquery()
    .label("snapshot")
)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a list as it was in a snapshot: how many rows it has, and what some of them are sorted by."""

    total: Any = 0
    snapshot: str = ""
    landmarks: Landmarks = field(default_factory=Landmarks)


def page_of(
    query: Select[Any], page: int, limit: int, *, load: Sequence[Any] | None = None, **values: Any
) -> tuple[Sequence[Any], int]:
    """The rows of a page (from 1), as tuples, and how many rows there are in all.

    The last column of the query's order tells its rows apart, and its joins stand in its FROM. A first page that is
    not full tells without counting. `load` says that rows are entities, and what to load with them; `values` are the
    query's parameters.
    """
    offset, identity = (page - 1) * limit, _identity(query, values)
    known = _totals().get(identity, Known())
    rows, read_in = _read(query, values, offset, limit, known, load)
    if read_in and read_in == known.snapshot:
        return rows, known.total
    if page == 1 and len(rows) < limit:
        return rows, len(rows)
    known = _count(query, values, identity)
    if page > 1:
        rows, _ = _read(query, values, offset, limit, known, load)
    return rows, known.total


def counts(queries: tuple[Select[Any], ...], **values: Any) -> list[int]:
    """What each of these counts, in one statement. The queries are made once, and `values` are their parameters."""
    return counted(_together(queries), **values)


@lru_cache
def _together(queries: tuple[Select[Any], ...]) -> Select[Any]:
    return select(array([query.scalar_subquery() for query in queries]))


def counted(query: Select[Any], **values: Any) -> list[int]:
    """The array that a query makes of its counts. It is made anew only if something was committed since it last was."""
    identity = ("counted", _identity(query, values))
    kept = _totals().get(identity, Known([]))
    ((found, snapshot),) = prepared.rows(query, _if_it_may_differ, **values, counted_in=kept.snapshot)
    if found is None:
        return list(kept.total)
    _keep(identity, Known(found, snapshot))
    return list(found)


def _if_it_may_differ(query: Select[Any]) -> Select[Any]:
    may_differ = SNAPSHOT.element.is_distinct_from(bindparam("counted_in", type_=Text))
    return select(case((may_differ, query.scalar_subquery())), SNAPSHOT)


def _read(
    query: Select[Any],
    values: dict[str, Any],
    offset: int,
    limit: int,
    known: Known,
    load: Sequence[Any] | None,
) -> tuple[list[Any], str | None]:
    """The rows, and the snapshot that they were read in; from the nearer end, or from a landmark that is nearer still."""
    size = limit
    derive: prepared.Derive = _page_from_start
    wanted: dict[str, Any] = {"skipped": offset}
    marks: tuple[Any, ...] = ()
    if offset:
        size = min(limit, known.total - offset)
        if size <= 0:
            return [], None
        behind = known.total - offset - size
        if behind < offset:
            derive, wanted = _page_from_end, {"skipped": behind}
        if wanted["skipped"] > FAR and (marks := sorted_by(query)):
            derive, wanted = _far(derive, wanted, offset, known.landmarks)
    wanted |= {"size": size, **values}
    if load is None:
        found = prepared.rows(query, derive, **wanted)
    else:
        found = db.session.execute(derive(query).options(*load), wanted).all()
    snapshot = found[0][-1] if found else None
    if marks and snapshot == known.snapshot:
        for place, row in ((offset, found[0]), (offset + len(found) - 1, found[-1])):
            known.landmarks.add(place, row[-1 - len(marks) : -1])
    return [row[: -1 - len(marks)] for row in found], snapshot


def _far(
    derive: prepared.Derive, wanted: dict[str, Any], offset: int, landmarks: Landmarks
) -> tuple[prepared.Derive, dict[str, Any]]:
    """The way to a page that is far from both ends."""
    place, at = landmarks.before(offset)
    if at and offset - place < wanted["skipped"]:
        return _page_from_landmark, {"skipped": offset - place, **at}
    return (_far_from_start if derive is _page_from_start else _far_from_end), wanted


def _page_from_start(query: Select[Any]) -> Select[Any]:
    return _page(query, query._order_by_clauses)  # noqa: SLF001 - there is no public way to ask


def _page_from_end(query: Select[Any]) -> Select[Any]:
    return _page(query, _reversed(query._order_by_clauses))  # noqa: SLF001


def _far_from_start(query: Select[Any]) -> Select[Any]:
    return _page_from_start(query.add_columns(*sorted_by(query)))


def _far_from_end(query: Select[Any]) -> Select[Any]:
    return _page_from_end(query.add_columns(*sorted_by(query)))


def _page_from_landmark(query: Select[Any]) -> Select[Any]:
    return _far_from_start(query.where(not_before(query)))


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


def _count(query: Select[Any], values: dict[str, Any], identity: Hashable) -> Known:
    ((total, snapshot),) = prepared.rows(query, _total_of, **values)
    return _keep(identity, Known(int(total), snapshot or ""))


def _total_of(query: Select[Any]) -> Select[Any]:
    return query.with_only_columns(func.count(), SNAPSHOT, maintain_column_froms=True).order_by(None)


def _keep(identity: Hashable, known: Known) -> Known:
    totals = _totals()
    totals.pop(identity, None)
    if known.snapshot:
        totals[identity] = known
    while len(totals) > KEPT_TOTALS:
        totals.popitem(last=False)
    return known


def _totals() -> OrderedDict[Hashable, Known]:
    """Of this process: what was counted, and the snapshot that it was counted in."""
    totals: OrderedDict[Hashable, Known] = current_app.extensions.setdefault("totals", OrderedDict())
    return totals


def _identity(query: Select[Any], values: dict[str, Any]) -> Hashable:
    """What a total depends on besides the snapshot: the statement as SQLAlchemy caches it, its values, the viewer.

    So a list has today's date as a value, and does not leave it to PostgreSQL.
    """
    key, parameters = prepared.shape_of(query)
    own = tuple(repr(value.effective_value) for value in parameters)
    return key, own, repr(values), _viewer()


def _viewer() -> Hashable:
    return is_scoped(), current_viewer() if is_scoped() else None
