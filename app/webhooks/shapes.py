"""What payloads look like. One declaration gives a row's data, its JSON Schema and an example, so that none drifts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any

from app.foundation.currencies import plain

Schema = dict[str, Any]
Read = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a payload: what it is called, how it is read of a row, and what one may expect of it."""

    name: str
    read: Read
    schema: Schema
    example: Any
    shape: "Shape | None" = None


class Shape:
    """An object of a payload: its fields in order, none of them ever missing."""

    def __init__(self, *fields: Field) -> None:
        self.fields = fields

    def of(self, row: Any) -> dict[str, Any]:
        """The data of a row."""
        return {field.name: _plain(field, field.read(row)) for field in self.fields}

    def schema(self) -> Schema:
        """JSON Schema (draft 2020-12)."""
        return {
            "type": "object",
            "properties": {field.name: field.schema for field in self.fields},
            "required": [field.name for field in self.fields],
        }

    def example(self) -> dict[str, Any]:
        """Believable data."""
        return {field.name: field.example for field in self.fields}


def _plain(field: Field, value: Any) -> Any:
    """As JSON has it: ids are text, days and moments ISO 8601, amounts decimal text as on the published API."""
    if value is None or field.shape is None:
        return _SPELLINGS.get(type(value), _as_it_is)(value)
    return field.shape.of(value)


def _as_it_is(value: Any) -> Any:
    return str(value) if isinstance(value, StrEnum) else value


_SPELLINGS: dict[type[Any], Callable[[Any], Any]] = {
    datetime: datetime.isoformat,
    date: date.isoformat,
}


def key(example: str, name: str = "id", *, read: Read | None = None, optional: bool = False) -> Field:
    """An id: text, as on the published API."""
    found = read or attrgetter(name)
    schema: Schema = {"type": ["string", "null"] if optional else "string", "pattern": "^[0-9]+$"}
    return Field(name, lambda row: None if found(row) is None else str(found(row)), schema, example)


def text(
    name: str, example: str | None, *, read: Read | None = None, optional: bool = False, says: str = ""
) -> Field:
    """Any text."""
    return _field(name, {"type": "string"}, example, read, optional=optional, says=says)


def choice(name: str, values: type[StrEnum], example: StrEnum, *, read: Read | None = None) -> Field:
    """One of a few words; more may come."""
    words = ", ".join(one.value for one in values)
    return _field(name, {"type": "string"}, example.value, read, optional=False, says=f"One of: {words}.")


def day(name: str, example: str | None, *, optional: bool = False, says: str = "") -> Field:
    """A date."""
    return _field(name, {"type": "string", "format": "date"}, example, None, optional=optional, says=says)


def moment(name: str, example: str | None, *, optional: bool = False) -> Field:
    """An instant with its offset."""
    return _field(name, {"type": "string", "format": "date-time"}, example, None, optional=optional)


def amount(name: str, example: str) -> Field:
    """Money: decimal text with the digits that the row's currency has."""
    schema: Schema = {"type": "string", "pattern": r"^\d+(\.\d+)?$"}
    return Field(name, lambda row: plain(getattr(row, name), row.currency), schema, example)


def flag(name: str, *, example: bool, says: str = "") -> Field:
    """Yes or no."""
    return _field(name, {"type": "boolean"}, example, None, optional=False, says=says)


def number(name: str, example: int, *, says: str = "") -> Field:
    """A whole number."""
    return _field(name, {"type": "integer"}, example, None, optional=False, says=says)


def part(name: str, shape: Shape, *, read: Read | None = None, optional: bool = False) -> Field:
    """Another object inside of this one."""
    schema = shape.schema()
    if optional:
        schema["type"] = ["object", "null"]
    return Field(name, read or attrgetter(name), schema, shape.example(), shape)


def described(shape: Shape) -> Sequence[tuple[str, str, str]]:
    """Name, kind and meaning of each field, for people; those of parts with dots."""
    found: list[tuple[str, str, str]] = []
    for field in shape.fields:
        found.append((field.name, _kind(field.schema), field.schema.get("description", "")))
        if field.shape:
            found += [(f"{field.name}.{name}", kind, says) for name, kind, says in described(field.shape)]
    return found


def _kind(schema: Schema) -> str:
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return " or ".join(str(schema.get("format", kind)) if kind == "string" else str(kind) for kind in kinds)


def _field(
    name: str, schema: Schema, example: Any, read: Read | None, *, optional: bool, says: str = ""
) -> Field:
    if optional:
        schema = {**schema, "type": [schema["type"], "null"]}
    if says:
        schema = {**schema, "description": says}
    return Field(name, read or attrgetter(name), schema, example)
