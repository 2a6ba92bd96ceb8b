"""Selects that are asked over and over: built, given the row rules and compiled once, whatever their values are.

SQLAlchemy compiles a statement once too, but it has to be built, ruled and recognised at each request before, which
takes longer than PostgreSQL takes to answer it. Here it is recognised first. The rules speak of the viewer by
parameters, so that all viewers with the same roles share what was compiled; roles, and nothing else, shape a rule.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, cast

from flask import current_app
from sqlalchemy import BindParameter, Integer, Select, bindparam

from app.foundation.database import db
from app.foundation.scoping import is_scoped, rules_met_by
from app.foundation.viewer import Viewer, current_viewer

Derive = Callable[[Any], Select[Any]]

KEPT = 512
_PERSON, _ACCOUNT = bindparam("viewer_id", type_=Integer), bindparam("viewer_account_id", type_=Integer)


def rows(query: Select[Any], derive: Derive | None = None, **values: Any) -> Sequence[Any]:
    """The rows of a select of columns, as tuples, as far as the viewer may see them.

    `derive` makes the statement that is asked out of the query. It is called once for many queries of the same shape,
    so it is a function of a module, and what it adds are constants and parameters, whose `values` are given.
    """
    key, parameters = shape_of(query)
    scoped = is_scoped()
    viewer = current_viewer() if scoped else None
    prepared = _prepared(query, derive, (derive, key, scoped, viewer and viewer.roles))
    if viewer is not None:
        values |= {"viewer_id": viewer.id, "viewer_account_id": viewer.account_id}
    db.session.flush()
    return prepared.rows(parameters, values)


def shape_of(query: Select[Any]) -> tuple[Hashable, Sequence[BindParameter[Any]]]:
    """What SQLAlchemy knows a statement by, and its parameters in the order that goes with it."""
    shape = query._generate_cache_key()  # noqa: SLF001 - what SQLAlchemy's own cache asks for
    if shape is None:
        raise TypeError("This takes a statement that SQLAlchemy can cache.")
    return shape.key, shape.bindparams


def _prepared(query: Select[Any], derive: Derive | None, key: Hashable) -> "Prepared":
    kept: dict[Hashable, Prepared] = current_app.extensions.setdefault("prepared", {})
    found = kept.get(key)
    if found is None:
        if len(kept) >= KEPT:
            kept.clear()
        found = kept[key] = Prepared(query, derive(query) if derive else query)
    return found


class Prepared:
    """A compiled statement that takes the values of any query of its shape."""

    def __init__(self, query: Select[Any], statement: Select[Any]) -> None:
        self.dialect = db.engine.dialect
        self.keys = [one.key for one in shape_of(query)[1]]
        rules = rules_met_by(_anybody_like(current_viewer())) if is_scoped() else ()
        self.compiled: Any = statement.options(*rules).compile(dialect=self.dialect)
        if lost := {one.key for one in shape_of(statement)[1]} - {
            one.key for one in self.compiled.bind_names
        }:
            raise TypeError(f"The compiled statement has no place for {lost}.")
        self._readers: list[Any] | None = None

    def rows(self, parameters: Sequence[BindParameter[Any]], values: dict[str, Any]) -> Sequence[Any]:
        """Ask it with the values of these parameters, and those that were added."""
        own = zip(self.keys, (one.effective_value for one in parameters), strict=True)
        statement, given = self._written({**dict(own), **values})
        result = db.session.connection().exec_driver_sql(statement, given)
        if self._readers is None:
            self._readers = self._readers_of(result.cursor.description)
        found = result.all()
        if not any(self._readers):
            return found
        return [
            tuple(read(value) if read else value for read, value in zip(self._readers, row, strict=True))
            for row in found
        ]

    def _written(self, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """The SQL and its values as the driver takes them; a list for `IN` makes a parameter of each of its values."""
        compiled, writers = self.compiled, self.compiled._bind_processors  # noqa: SLF001
        if compiled.post_compile_params:
            state = compiled.construct_expanded_state(values)
            statement, given, writers = state.statement, state.parameters, {**writers, **state.processors}
        else:
            statement, given = compiled.string, compiled.construct_params(values)
        return statement, given | {
            name: write(given[name]) for name, write in writers.items() if name in given
        }

    def _readers_of(self, description: Any) -> list[Any]:
        """What makes of a column's value what its type promises; nothing, where the driver does so by itself."""
        types = [column[3] for column in self.compiled._result_columns]  # noqa: SLF001
        return [
            one._cached_result_processor(self.dialect, told[1])  # noqa: SLF001
            for one, told in zip(types, description, strict=True)
        ]


def _anybody_like(viewer: Viewer | None) -> Viewer | None:
    """The viewer with parameters for ids."""
    person, account = cast("tuple[Any, Any]", (_PERSON, _ACCOUNT))
    return viewer and Viewer(person, account, "", "", viewer.roles)
