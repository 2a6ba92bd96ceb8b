"""Rows of a model as a resource shows them, read as columns: no entity is built, and no statement is asked per row.

The selects are ORM ones, so the row rules hold, also for related rows: one that the viewer may not see is shown as null.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Integer, Select, bindparam, inspect, select
from sqlalchemy.orm import aliased

from app.foundation import prepared
from app.foundation.database import among

Narrow = Callable[[Any], Any]


class Reader:
    """Reads columns such as `id`, `service.name` (an object, or null) and `products.name` (a list of objects).

    A row of `query` is its key and then the columns. What narrows a select adds criteria to it.
    """

    def __init__(self, model: type[Any], names: Iterable[str]) -> None:
        mapper = inspect(model)
        self.model, self.key = model, mapper.primary_key[0]
        self.plain: list[str] = []
        one: dict[str, list[str]] = {}
        many: dict[str, list[str]] = {}
        for name in names:
            relation, _, leaf = name.rpartition(".")
            if not relation:
                self.plain.append(leaf)
            elif mapper.relationships[relation].uselist:
                many.setdefault(relation, []).append(leaf)
            else:
                one.setdefault(relation, []).append(leaf)
        self.one, self.many = one, many
        self.query = self._query()
        self.query_of_one = self.query.where(self.key == bindparam("wanted", type_=Integer))
        self.queries = {name: self._query_of_many(name) for name in many}

    def _query(self) -> Select[Any]:
        columns = [self.key.label("row_key"), *(getattr(self.model, name) for name in self.plain)]
        related = {name: aliased(_target(self.model, name), name=name) for name in self.one}
        for name, other in related.items():
            # Its key tells a row whose column is empty from no row at all.
            key = inspect(_target(self.model, name)).primary_key[0].key
            columns += [getattr(other, leaf).label(f"{name}_{leaf}") for leaf in (key, *self.one[name])]
        query = select(*columns).select_from(self.model)
        for name, other in related.items():
            query = query.outerjoin(getattr(self.model, name).of_type(other))
        return query

    def _query_of_many(self, name: str) -> Select[Any]:
        target = _target(self.model, name)
        leaves = [getattr(target, leaf) for leaf in self.many[name]]
        query = select(self.key.label("row_key"), *leaves).join(getattr(self.model, name))
        return query.order_by(*(inspect(self.model).relationships[name].order_by or ()))

    def row(self, narrow: Narrow, key: int) -> Any:
        """The row with this key, or None."""
        return next(iter(prepared.rows(narrow(self.query_of_one), wanted=key)), None)

    def shown(self, rows: Sequence[Any]) -> list[dict[str, Any]]:
        """Rows as JSON has them, dates and times in ISO 8601. One statement more for each relation to many."""
        found = [self._shown(row) for row in rows]
        for name in self.many:
            lists = self._lists_of(name, [row[0] for row in rows])
            for row, shown in zip(rows, found, strict=True):
                shown[name] = lists[row[0]]
        return found

    def _shown(self, row: Any) -> dict[str, Any]:
        values = iter(row[1:])
        found = {name: _plain(next(values)) for name in self.plain}
        for name, leaves in self.one.items():
            is_there = next(values) is not None
            inner = {leaf: _plain(next(values)) for leaf in leaves}
            found[name] = inner if is_there else None
        return found

    def _lists_of(self, name: str, keys: list[int]) -> dict[int, list[dict[str, Any]]]:
        lists: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for key, *values in prepared.rows(self.queries[name].where(among(self.key, keys))):
            lists[key].append(dict(zip(self.many[name], map(_plain, values), strict=True)))
        return lists


def _target(model: type[Any], name: str) -> type[Any]:
    target: type[Any] = inspect(model).relationships[name].mapper.class_
    return target


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
