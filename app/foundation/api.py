"""The base of the generated API: the same verbs and permissions as the page, one error shape, nothing undeclared."""

import functools
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

from flask import Response, current_app, request
from flask_appbuilder.api import BaseApi, ModelRestApi
from flask_appbuilder.exceptions import (
    FABException,
    InvalidColumnArgsFABException,
    InvalidOrderByColumnFABException,
)
from flask_appbuilder.models.filters import Filters
from flask_appbuilder.models.sqla.filters import set_value_to_type
from werkzeug.exceptions import HTTPException

from app.foundation.database import db
from app.foundation.doors import PERMISSION_OF_METHOD, Verbs
from app.foundation.errors import NotFound, Unreadable
from app.foundation.idempotency import retriable
from app.foundation.paging import page_of
from app.foundation.reading import Reader
from app.foundation.references import parse_key
from app.foundation.rendering import error_response
from app.foundation.schemas import UNFIT, PortalSchema, body_of_request, load
from app.foundation.transactions import transaction

KEPT_READERS = 64
LAST_PAGE = 2**31 // 100


def rendered(method: Callable[..., Any]) -> Callable[..., Any]:
    """Render what is raised here: FAB's `@safe` around it would make a 500 of every error."""

    @functools.wraps(method)
    def inner(*args: Any, **options: Any) -> Any:
        try:
            return method(*args, **options)
        except HTTPException as error:
            return current_app.handle_http_exception(error)
        except Exception as error:  # noqa: BLE001 - every error has a renderer, this one included
            return current_app.handle_user_exception(error)

    return inner


class PortalApi(BaseApi):
    """FAB's API class, with our words for what it refuses by itself."""

    def response_400(self, message: Any = None) -> Response:
        """The request can't be read."""
        return error_response(400, str(message or ""))

    def response_401(self) -> Response:
        """Nobody is signed in."""
        return error_response(401)

    def response_403(self) -> Response:
        """The role does not allow it."""
        return error_response(403)

    def response_404(self) -> Response:
        """Not there, or not visible."""
        return error_response(404)

    def response_422(self, message: Any = None) -> Response:
        """A field does not validate."""
        return error_response(422, str(message or ""))

    def response_500(self, message: Any = None) -> Response:  # noqa: ARG002 - never shown
        """Something broke."""
        return error_response(500)


class PortalModelApi(PortalApi, ModelRestApi):
    """A model's resource under /api/v1. Subclasses set `datamodel`, `noun`, the column lists, `verbs` and `schema`."""

    noun = ""
    verbs = Verbs()
    schema: PortalSchema | None = None
    exclude_route_methods: set[str] = set()
    show_columns: list[str] | None = None
    page_size = 20
    max_page_size = 100

    def __init__(self) -> None:
        self.class_permission_name = self.noun
        self.method_permission_name = dict(PERMISSION_OF_METHOD)
        self.base_permissions = self.verbs.permissions()
        closed = self.verbs.closed_routes(add="post", edit="put", delete="delete")
        self.exclude_route_methods = set(self.exclude_route_methods) | closed
        self.add_model_schema = self.edit_model_schema = self.schema or PortalSchema()
        self.add_columns = self.edit_columns = list(self.add_model_schema.fields) or [
            self.datamodel.get_pk_name()
        ]
        self.show_columns = self.show_columns or self.list_columns
        super().__init__()
        self.add_columns = self.edit_columns = list(self.add_model_schema.fields)
        self._reader = lru_cache(KEPT_READERS)(partial(Reader, self.datamodel.obj))
        self._told: dict[Any, dict[str, Any]] = {}

    @rendered
    def info_headless(self, **options: Any) -> Any:
        """What a client may do here."""
        return super().info_headless(**options)

    @rendered
    def get_list_headless(self, **options: Any) -> Any:
        """A page of rows: by its number, or what comes `after` a key, which costs the same at any depth."""
        asked = options.get("rison", {})
        reader, chosen = self._reader_of(asked, self.list_columns)
        narrow = self._handle_filters_args(asked).apply_all
        number, size = self._handle_page_args(asked)
        body = self._told_about(self.get_list, asked, chosen)
        rows: Sequence[Any]
        if "after" in request.args:
            rows = self._rows_after(reader, narrow, asked, size)
            body["next"] = rows[-1][0] if len(rows) == size else None
        else:
            if not 0 <= number <= LAST_PAGE:
                raise Unreadable(f"page goes from 0 to {LAST_PAGE:,}; beyond, read on with after.")
            rows, body["count"] = page_of(
                narrow(reader.query).order_by(*self._order(asked)), number + 1, size
            )
        body |= {"result": reader.shown(rows), "ids": [row[0] for row in rows]}
        return self._answer(200, **body)

    @rendered
    def get_headless(self, pk: Any, **options: Any) -> Any:
        """One row."""
        asked = options.get("rison", {})
        reader, chosen = self._reader_of(asked, self.show_columns or [])
        key = parse_key(pk)
        row = reader.row(self._base_filters.apply_all, key) if key else None
        if row is None:
            raise NotFound("There is no such entry, or you may not see it.")
        body = self._told_about(self.get, asked, chosen)
        return self._answer(200, **body, id=row[0], result=reader.shown([row])[0])

    def _reader_of(self, asked: dict[str, Any], columns: list[str]) -> tuple[Reader, list[str]]:
        """A reader of these columns, or of those among them that were asked for, and which were."""
        try:
            _, chosen = self._handle_columns_args(asked, columns, columns)
        except InvalidColumnArgsFABException as error:
            raise Unreadable(str(error)) from None
        return self._reader(tuple(chosen or columns)), chosen

    def _told_about(self, method: Any, asked: dict[str, Any], chosen: list[str]) -> dict[str, Any]:
        """Labels, titles and the like: the same for everybody who asks for the same."""
        key = (method.__name__, tuple(asked.get("keys", ())), tuple(chosen))
        told = self._told.get(key)
        if told is None:
            told = {}
            self.set_response_key_mappings(told, method, asked, columns=chosen)
            if len(self._told) >= KEPT_READERS:
                self._told.clear()
            self._told[key] = told
        return dict(told)

    def _order(self, asked: dict[str, Any]) -> list[Any]:
        try:
            name, direction = self._handle_order_args(asked)
        except InvalidOrderByColumnFABException as error:
            raise Unreadable(str(error)) from None
        order: list[Any] = self.datamodel.order(name, direction)
        return order

    def _rows_after(self, reader: Reader, narrow: Any, asked: dict[str, Any], size: int) -> list[Any]:
        after = request.args["after"]
        last = 0 if after in {"", "0"} else parse_key(after)
        if last is None:
            raise Unreadable("after takes the last id of the page before, or 0.")
        if {"page", "order_column", "order_direction"} & set(asked):
            raise Unreadable("With after the order is by id, and there are no page numbers.")
        key = self.datamodel.get_pk()
        return list(db.session.execute(narrow(reader.query).where(key > last).order_by(key).limit(size)))

    @rendered
    @retriable
    def post_headless(self) -> Response:
        """Create by the room's verb."""
        fields = load(self.add_model_schema, body_of_request())
        with transaction():
            key = self.datamodel.get_pk_value(self.verbs.create(**fields))  # type: ignore[misc]
            shown = self._shown(key)
        return self._answer(201, id=key, result=shown)

    @rendered
    def put_headless(self, pk: Any) -> Response:
        """Change by the room's verb; fields that are not sent keep their value."""
        row = self._row(pk)
        fields = load(self.edit_model_schema, body_of_request(), partial=True)
        with transaction():
            key = self.datamodel.get_pk_value(self.verbs.change(row, **fields))  # type: ignore[misc]
            shown = self._shown(key)
        return self._answer(200, id=key, result=shown)

    @rendered
    def delete_headless(self, pk: Any) -> Response:
        """Remove by the room's verb."""
        row = self._row(pk)
        with transaction():
            self.verbs.remove(row)  # type: ignore[misc]
        return self._answer(200, message="Deleted.")

    def _answer(self, status: int, **body: Any) -> Response:
        answer: Response = self.response(status, **body)
        return answer

    def _row(self, pk: Any) -> Any:
        row = self.datamodel.get(pk, self._base_filters)
        if row is None:
            raise NotFound("There is no such entry, or you may not see it.")
        return row

    def _shown(self, key: int) -> Any:
        """As a GET shows it; None if whoever wrote it may not see it. After the commit it would take a transaction more."""
        reader, _ = self._reader_of({}, self.show_columns or [])
        found = reader.row(self._base_filters.apply_all, key)
        return found and reader.shown([found])[0]

    def _handle_filters_args(self, rison_args: dict[str, Any]) -> Filters:
        """FAB's, but a filter that FAB would silently leave out is refused: it would answer with everything."""
        wanted = rison_args.get("filters", [])
        try:
            joined = super()._handle_filters_args(rison_args)
        except FABException as error:
            raise Unreadable(str(error)) from None
        if len(self._filters.filters) != len(wanted):
            raise Unreadable(
                "A filter needs col, opr and value, and an operator that _info lists for the column."
            )
        for place, one in enumerate(wanted):
            joined.values[place] = self._fitting(one["col"], one["opr"], one["value"])
        return joined

    def _fitting(self, column: str, operator: str, value: Any) -> Any:
        """A filter's value as its column has them: a list for `in` and `not_in`, one value for the others."""
        if operator not in {"in", "not_in"}:
            return self._fitting_one(column, value)
        if not isinstance(value, list) or not value:
            raise Unreadable(f"{operator} takes a list of values.")
        return [self._fitting_one(column, one) for one in value]

    def _fitting_one(self, column: str, value: Any) -> Any:
        """FAB would look for NULL where a number or a date does not parse, and PostgreSQL compares only like things."""
        data = self.datamodel
        if isinstance(value, str):
            fits = not UNFIT.search(value)
        else:
            fits = isinstance(value, bool) if data.is_boolean(column) else type(value) in {int, float}
        if not fits or set_value_to_type(data, column, value) is None:
            raise Unreadable(f"The filter on {column} has a value that the column can't have.")
        is_text = data.is_string(column) or data.is_text(column)
        return str(value) if is_text else value
