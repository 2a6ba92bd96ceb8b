"""Landmarks of a long list: what the rows at some places are sorted by, so that nobody has to count up to a page from its ends.

They hold in the snapshot that they were read in, as the total does (`paging.py`).
"""

from typing import Any

from sqlalchemy import Column, ColumnElement, Select, bindparam, tuple_
from sqlalchemy.sql import operators
from sqlalchemy.sql.functions import FunctionElement

KEPT = 16


class Landmarks:
    """Of one list in one snapshot: sort values by place (from 0)."""

    def __init__(self) -> None:
        self._places: dict[int, tuple[Any, ...]] = {}

    def add(self, place: int, sort_values: tuple[Any, ...]) -> None:
        """Remember a row; the one that was remembered first makes room."""
        self._places[place] = sort_values
        for oldest in list(self._places)[:-KEPT]:
            self._places.pop(oldest, None)

    def before(self, place: int) -> tuple[int, dict[str, Any]]:
        """The nearest landmark that is not behind a place, as parameters of `not_before`; none without one."""
        known = dict(self._places)
        nearest = max((one for one in known if one <= place), default=0)
        return nearest, {_name(number): value for number, value in enumerate(known.get(nearest, ()))}


def sorted_by(query: Select[Any]) -> tuple[ColumnElement[Any], ...]:
    """What the rows of a query are sorted by, if rows can be compared by it: one direction, and nothing that may be NULL."""
    clauses = query._order_by_clauses  # noqa: SLF001 - there is no public way to ask
    directions = {getattr(one, "modifier", None) for one in clauses}
    columns = tuple(getattr(one, "element", one) for one in clauses)
    table = getattr(columns[-1], "table", None)
    is_plain = len(directions) == 1 and directions <= {None, operators.desc_op}
    return columns if is_plain and all(_is_set(one, table) for one in columns) else ()


def not_before(query: Select[Any]) -> ColumnElement[bool]:
    """That a row is the landmark, or comes after it."""
    columns = sorted_by(query)
    landmark = tuple_(*(bindparam(_name(number), type_=one.type) for number, one in enumerate(columns)))
    is_descending = getattr(query._order_by_clauses[-1], "modifier", None) is operators.desc_op  # noqa: SLF001
    return tuple_(*columns) <= landmark if is_descending else tuple_(*columns) >= landmark


def _is_set(expression: Any, table: Any) -> bool:
    """Whether it is a column of the table that is never NULL, or its lower case."""
    if isinstance(expression, FunctionElement) and expression.name == "lower":
        (expression,) = expression.clauses
    is_column = isinstance(expression, Column) and expression.table.name == getattr(table, "name", None)
    return is_column and not expression.nullable


def _name(number: int) -> str:
    return f"landmark_{number}"
