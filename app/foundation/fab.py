"""What we change of Flask-AppBuilder 5.3, each with its reason. `tests/foundation/test_fab.py` fails when upstream does.

- `_filters` is one mutable object per view that all threads share (FAB issue 2366): it becomes one per request.
- Page sizes of HTML lists are not capped and orders not checked (`intake.py` checks that they are numbers), and their
  templates are not told the view.
- A list of rows costs a statement per related row: an interface may say what to load with the rows.
- A list counts its whole table for each page, skips whole rows to a deep one, and sorts capitals before small letters:
  pages are found by `paging.py`, and texts are in the order that people look for them.
- Joining two sets of filters works out anew which filters each column may have, which takes longer than their SQL.
- Some malformed Rison makes its parser fail instead of refusing, which FAB answers with a 500.
- The shape of `q` is a JSON schema that `jsonschema.validate` checks for being one at every request, which takes longer
  than the request's SQL: it is made ready once.
- A key that is no integer, or too large for one, is a 500, and a 405 for the API's GET: such a row is simply not found.
"""

import copy
from typing import Any

import flask_appbuilder.api
import jsonschema
import prison
from flask import g, has_request_context
from flask_appbuilder.api import ModelRestApi
from flask_appbuilder.baseviews import BaseCRUDView, BaseModelView
from flask_appbuilder.models.filters import Filters
from flask_appbuilder.models.sqla.interface import SQLAInterface
from prison.decoder import ParserException
from sqlalchemy import func, select

from app.foundation.errors import Unreadable
from app.foundation.paging import page_of
from app.foundation.references import parse_key

LARGEST_PAGE = 100


class PortalInterface(SQLAInterface):
    """FAB's way to a model, with eager loading for its lists (`load`) and keys that are checked."""

    def __init__(self, model: type[Any], *load: Any) -> None:
        super().__init__(model)
        self.load = load

    def query(
        self,
        filters: Any = None,
        order_column: str = "",
        order_direction: str = "",
        page: int | None = None,
        page_size: int | None = None,
        **_picked: Any,
    ) -> tuple[int, list[Any]]:
        """How many rows there are, and those of a page (from 0; without a size, all of them)."""
        query = self.apply_filters(select(self.obj), filters).order_by(
            *self.order(order_column, order_direction)
        )
        if not page_size:
            rows = list(self.session.scalars(query.options(*self.load)))
            return len(rows), rows
        found, count = page_of(query, (page or 0) + 1, page_size, load=self.load)
        return count, [row[0] for row in found]

    def order(self, name: str, direction: str) -> list[Any]:
        """By this column, texts without regard to capitals, then by key, so that no row stands on two pages."""
        key = self.get_pk()
        column = getattr(self.obj, name) if name else key
        if self.is_string(name):
            column = func.lower(column)
        columns = [column] if column is key else [column, key]
        return [one.desc() for one in columns] if direction == "desc" else columns

    def get(self, id: Any, *args: Any, **options: Any) -> Any:  # noqa: A002 - FAB's name
        """The row, or None: also for what can't be a key."""
        key = parse_key(id)
        return None if key is None else super().get(key, *args, **options)


class FiltersOfThisRequest:
    """A descriptor in the place of `_filters`: each request works on its own copy of the view's filters."""

    def __set__(self, view: Any, filters: Filters) -> None:
        view.__dict__["_filters_template"] = filters

    def __get__(self, view: Any, owner: type[Any]) -> Any:
        if view is None:
            return None
        template = view.__dict__.get("_filters_template")
        if template is None or not has_request_context():
            return template
        mine: dict[int, Filters] = g.setdefault("filters", {})
        if id(view) not in mine:
            mine[id(view)] = copy.copy(template)
            mine[id(view)].clear_filters()
        return mine[id(view)]


def _list_widget(original: Any) -> Any:
    def checked(self: Any, **arguments: Any) -> Any:
        arguments.setdefault("view", self)
        arguments["page_size"] = min(arguments.get("page_size") or self.page_size, LARGEST_PAGE)
        if arguments.get("order_column") not in self.order_columns:
            arguments["order_column"] = arguments["order_direction"] = ""
        return original(self, **arguments)

    checked.is_ours = True  # type: ignore[attr-defined]
    return checked


def _filter_index(original: Any) -> Any:
    def checked(self: Filters, column_name: str, filter_instance_index: int, value: Any) -> None:
        if filter_instance_index >= len(self._all_filters.get(column_name) or []):
            raise Unreadable(f"There is no such filter on {column_name}.")
        values = value if isinstance(value, list) else [value]
        if self.datamodel.is_relation(column_name) and any(one and parse_key(one) is None for one in values):
            raise Unreadable(f"A filter on {column_name} takes an id.")
        original(self, column_name, filter_instance_index, value)

    checked.is_ours = True  # type: ignore[attr-defined]
    return checked


def joined_filters(first: Filters, second: Filters) -> Filters:
    """What both ask for."""
    both = copy.copy(first)
    both.filters, both.values = first.filters + second.filters, first.values + second.values
    return both


def _rison(original: Any) -> Any:
    def checked(text: str) -> Any:
        try:
            return original(text)
        except ParserException:
            raise
        except Exception as error:
            raise ParserException(str(error)) from error

    checked.is_ours = True  # type: ignore[attr-defined]
    return checked


class CheckedOnce:
    """In the place of the module `jsonschema` in FAB's API: the one function and the one error that it uses."""

    ValidationError = jsonschema.ValidationError

    def __init__(self) -> None:
        self._ready: dict[int, Any] = {}

    def validate(self, instance: Any, schema: dict[str, Any]) -> None:
        """Raise the fault that `jsonschema.validate` would."""
        if id(schema) not in self._ready:
            # FAB's schemas live as long as FAB, so their identity names them.
            kind = jsonschema.validators.validator_for(schema)
            kind.check_schema(schema)
            self._ready[id(schema)] = kind(schema)
        fault = jsonschema.exceptions.best_match(self._ready[id(schema)].iter_errors(instance))
        if fault:
            raise fault


def install() -> None:
    """Put the changes in place; once per process, before any view is made."""
    if isinstance(BaseModelView.__dict__.get("_filters"), FiltersOfThisRequest):
        return
    BaseModelView._filters = FiltersOfThisRequest()  # noqa: SLF001
    ModelRestApi._filters = FiltersOfThisRequest()  # noqa: SLF001
    BaseCRUDView._get_list_widget = _list_widget(BaseCRUDView._get_list_widget)  # noqa: SLF001
    Filters.add_filter_index = _filter_index(Filters.add_filter_index)
    Filters.get_joined_filters = joined_filters
    ModelRestApi.get._urls = [("/<pk>", ("GET",))]  # noqa: SLF001
    prison.loads = _rison(prison.loads)
    flask_appbuilder.api.jsonschema = CheckedOnce()
