"""The base of the published API (`API_V1_STR`, `/api`): tokens only, ids as text, lists with exact totals."""

import functools
import hashlib
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Response, current_app, jsonify, request
from sqlalchemy import Select, bindparam, inspect, select

from app.foundation import prepared
from app.foundation.api import PortalApi
from app.foundation.database import db
from app.foundation.errors import DomainError, Forbidden, InvalidInput, NotFound, Unauthorized
from app.foundation.json_answers import written
from app.foundation.paging import page_of
from app.foundation.references import find, parse_key

Row = TypeVar("Row")
Shown = Callable[[Sequence[Any]], list[dict[str, Any]]]

PAGE = 20
LARGEST_PAGE = 100


class PreconditionFailed(DomainError):
    """The client says what it saw (`If-Match`), and that is not what stands there."""

    code = "precondition_failed"
    status = 412


class PublishedApi(PortalApi):
    """A resource of the contract. `path` follows the published prefix."""

    path = ""
    allow_browser_login = False

    def create_blueprint(self, appbuilder: Any, *args: Any, **options: Any) -> Any:
        """Under the published prefix, not under FAB's /api/v1."""
        self.route_base = current_app.config["API_PREFIX"] + self.path
        return super().create_blueprint(appbuilder, *args, **options)


def _security() -> Any:
    return current_app.appbuilder.sm  # type: ignore[attr-defined]


def in_person(method: Callable[..., Any]) -> Callable[..., Any]:
    """Not by a personal token: it must not make others, nor end a session. Stands above `signed_in` or `needs`."""

    @functools.wraps(method)
    def inner(*args: Any, **options: Any) -> Any:
        refuse_tokens()
        return method(*args, **options)

    return inner


def refuse_tokens() -> None:
    """Unauthorized for a personal token: what follows would outlive its scopes and its last day."""
    if _security().extract_api_key_from_request() is not None:
        raise Unauthorized("A personal token can't do this: sign in with your password.")


def signed_in(method: Callable[..., Any]) -> Callable[..., Any]:
    """For everybody with a token whose session has not ended; 401 otherwise."""

    @functools.wraps(method)
    def inner(*args: Any, **options: Any) -> Any:
        _security().authenticate_request()
        if not _security().within_scopes(None):
            raise Forbidden("The scopes of your token do not allow this.")
        return method(*args, **options)

    inner.access = ()  # type: ignore[attr-defined]
    return inner


def needs(permission: str, noun: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """For those whose roles give this permission on this noun, as on the pages; 401, or 403 for the others."""

    def decorate(method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def inner(*args: Any, **options: Any) -> Any:
            _security().authenticate_request()
            if not _security().has_access(permission, noun):
                raise Forbidden("Your roles, or the scopes of your token, do not allow this.")
            return method(*args, **options)

        inner.access = (permission, noun)  # type: ignore[attr-defined]
        return inner

    return decorate


def found(model: type[Row], key: str) -> Row:
    """The row with this id; NotFound if there is none that the viewer may see."""
    row = find(model, key)
    if row is None:
        raise NotFound("There is no such thing, or you may not see it.")
    return row


def found_row(query: Select[Any], model: Any, key: str) -> Any:
    """The row of a list of the model with this key; NotFound if there is none that the viewer may see."""
    number = parse_key(key)
    rows = () if number is None else prepared.rows(query, _one_of(model), key=number)
    if not rows:
        raise NotFound("There is no such thing, or you may not see it.")
    return rows[0]


@cache
def _one_of(model: Any) -> prepared.Derive:
    column = inspect(model).primary_key[0]
    return lambda query: query.order_by(None).where(column == bindparam("key"))


def read_from(entity: Any, columns: Sequence[Any]) -> tuple[Any, ...]:
    """The same columns of an entity: what shows a row shows it too."""
    return tuple(getattr(entity, column.key) for column in columns)


def page_asked() -> tuple[int, int]:
    """`page` (from 1) and `limit` (1 to 100) of the address."""
    return _number("page", 1, 2**31 - 1), _number("limit", PAGE, LARGEST_PAGE)


def _number(name: str, default: int, most: int) -> int:
    text = request.args.get(name, str(default))
    number = parse_key(text)
    if number is None or number > most:
        raise InvalidInput(**{name: f"Send a number from 1 to {most}."})
    return number


def each(shown: Callable[[Any], dict[str, Any]]) -> Shown:
    """Show a list row by row."""
    return lambda rows: [shown(row) for row in rows]


def wrapped(data: list[dict[str, Any]], page: int, limit: int, total: int) -> Response:
    """A page of a list as `{"data", "pagination"}`."""
    return jsonify(data=data, pagination={"total": total, "page": page, "limit": limit})


def wrapped_page(query: Select[Any], shown: Shown, **values: Any) -> Response:
    """The page that is asked for, the first one if none is; `values` are the query's parameters."""
    page, limit = page_asked()
    rows, total = page_of(query, page, limit, **values)
    return wrapped(shown(rows), page, limit, total)


def bare(query: Select[Any], shown: Shown) -> Response:
    """A list as an array; a page of it carries `X-Total-Count` and `Link` (RFC 8288).

    A query of columns is a good deal faster than one of entities; `shown` gets its rows.
    """
    if not {"page", "limit"} & set(request.args):
        return jsonify(shown(prepared.rows(query)))
    page, limit = page_asked()
    rows, total = page_of(query, page, limit)
    response = jsonify(shown(rows))
    response.headers["X-Total-Count"] = str(total)
    response.headers["Link"] = _links(page, limit, max(-(-total // limit), 1))
    return response


def _links(page: int, limit: int, last: int) -> str:
    pages = {"first": 1, "prev": page - 1, "next": page + 1, "last": last}
    others = urlencode(
        [(name, value) for name, value in request.args.items(multi=True) if name not in {"page", "limit"}]
    )
    address = f"{request.base_url}?{others}{'&' if others else ''}page="
    return ", ".join(
        f'<{address}{number}&limit={limit}>; rel="{name}"'
        for name, number in pages.items()
        if 1 <= number <= last
    )


def text_asked(name: str, most: int = 200) -> str:
    """A text parameter of the address, trimmed; InvalidInput if it is too long."""
    text = request.args.get(name, "").strip()
    if len(text) > most:
        raise InvalidInput(**{name: f"At most {most} characters."})
    return text


def tag_of(body: bytes) -> str:
    """The `ETag` of one thing: a digest of what the client is shown, its `updated_at` and what stands in it included."""
    return hashlib.sha256(body).hexdigest()[:32]


def tagged(shown: dict[str, Any], status: int = 200) -> Response:
    """One thing with its `ETag`; a GET whose `If-None-Match` names it is answered 304."""
    response = jsonify(shown)
    response.status_code = status
    response.set_etag(tag_of(response.get_data()))
    response.make_conditional(request)
    return response


def unchanged(row: Any, shown: Callable[[Any], dict[str, Any]]) -> None:
    """Call it in the transaction of a write. PreconditionFailed if `If-Match` is sent and names another state.

    The row stays locked until the commit, and is read anew under the lock: of two writers who saw the same state,
    the second finds the first one's.
    """
    if "If-Match" not in request.headers:
        return
    model, (key,) = type(row), inspect(row).identity
    db.session.expire_all()
    current = db.session.scalar(
        select(model).where(inspect(model).primary_key[0] == key).with_for_update(of=model)
    )
    if current is None:
        raise NotFound("There is no such thing, or you may not see it.")
    if not request.if_match.contains(tag_of(written(shown(current)))):
        raise PreconditionFailed("It was changed since you read it. Read it again before you change it.")


def text_id(value: int | None) -> str | None:
    """An id as the contract has it."""
    return None if value is None else str(value)


def done() -> Response:
    """204."""
    return Response(status=204)


def texts(values: Sequence[int]) -> list[str]:
    """Ids as the contract has them, in order."""
    return [str(value) for value in sorted(values)]
