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
    if not shape.params:
        return shape.key, shape.bindparams
    parameters: Sequence[Any] = shape.bindparams
    return shape.key, [
        one._with_value(shape.params[one.key]) if one.key in shape.params else one  # noqa: SLF001 - by `params()`
        for one in parameters
    ]


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
        self.keys = [one.key for one in shape_of(query)[1]]
        rules = rules_met_by(_anybody_like(current_viewer())) if is_scoped() else ()
        self.statement = statement.options(*rules)
        self.compiled: Any = self.statement.compile(dialect=db.engine.dialect)
        if lost := {one.key for one in shape_of(statement)[1]} - {
            one.key for one in self.compiled.bind_names
        }:
            raise TypeError(f"The compiled statement has no place for {lost}.")

    def rows(self, parameters: Sequence[BindParameter[Any]], values: dict[str, Any]) -> Sequence[Any]:
        """Ask it with the values of these parameters, and those that were added.

        As `Connection.execute` does once it has found a statement in its cache; what SQLAlchemy works out about the
        rows at the first answer stays with the compiled statement.
        """
        own = zip(self.keys, (one.effective_value for one in parameters), strict=True)
        given = [{**dict(own), **values}]
        connection = db.session.connection()
        result: Any = connection._execute_context(  # noqa: SLF001 - there is no public way to execute a compiled statement
            connection.dialect,
            connection.dialect.execution_ctx_cls._init_compiled,  # noqa: SLF001
            self.compiled,
            given,
            connection.get_execution_options(),
            self.compiled,
            given,
            self.statement,
            None,
        )
        found: Sequence[Any] = result.all()
        return found


def _anybody_like(viewer: Viewer | None) -> Viewer | None:
    """The viewer with parameters for ids."""
    person, account = cast("tuple[Any, Any]", (_PERSON, _ACCOUNT))
    return viewer and Viewer(person, account, "", "", viewer.roles)
