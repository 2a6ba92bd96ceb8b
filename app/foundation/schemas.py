"""What bodies may look like: marshmallow schemas that take both spellings of a field and say what is wrong with each."""

import json
import re
from typing import Any

from flask import request
from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load, validate

from app.foundation import card_numbers
from app.foundation.errors import InvalidInput, PayloadTooLarge, Unreadable

LARGEST_BODY = 1024 * 1024
UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")


def fit(text: str) -> None:
    """Refuse what no text column should hold: control characters, and halves of UTF-16 pairs."""
    if UNFIT.search(text):
        raise ValidationError("Remove the control characters.")


def no_card_number(text: str) -> None:
    """Refuse the number of a payment card, wherever it stands in a text."""
    if card_numbers.stands_in(text):
        raise ValidationError(card_numbers.MESSAGE)


class Text(fields.String):
    """Text without control characters and card numbers, trimmed; blank counts as not given where None is allowed."""

    def __init__(self, most: int = 200, **options: Any) -> None:
        super().__init__(validate=[fit, no_card_number, validate.Length(max=most)], **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Any:
        text = super()._deserialize(value, attr, data, **options).strip()
        if not text:
            if self.required or not self.allow_none:
                raise ValidationError("This field is required.")
            return None
        return text

    def _validate(self, value: str | None) -> None:
        """Where blank counts as not given, there is nothing to check."""
        if value is not None:
            super()._validate(value)


class Key(fields.Integer):
    """An id, as a number or as its text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(validate=validate.Range(min=1, max=2**31 - 1), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Any:
        if isinstance(value, bool | float):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **options)


class PortalSchema(Schema):
    """Unknown fields are ignored; `serviceId` and `service_id` are the same field."""

    class Meta:
        unknown = EXCLUDE

    @pre_load
    def same_spelling(self, data: Any, **_: Any) -> Any:
        """Bring every name to snake_case."""
        if not isinstance(data, dict):
            return data
        return {_HUMP.sub(r"_\1", str(name)).lower(): value for name, value in data.items()}


def raw_body(largest: int = LARGEST_BODY) -> bytes:
    """The request's bytes, however often they are asked for. PayloadTooLarge over the limit.

    A body that does not say how long it is, is read up to `MAX_CONTENT_LENGTH`.
    """
    too_large = PayloadTooLarge(f"The body may have at most {largest:,} bytes.")
    if (request.content_length or 0) > largest:
        raise too_large
    raw = request.get_data()
    if len(raw) > largest:
        raise too_large
    return raw


def body_of_request(largest: int = LARGEST_BODY) -> Any:
    """The request's JSON. Unreadable for anything else, PayloadTooLarge over the limit (bytes)."""
    raw = raw_body(largest)
    try:
        return json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise Unreadable("The body is no JSON.") from None


def load(schema: Schema, data: Any, *, partial: bool = False) -> dict[str, Any]:
    """Validated fields; InvalidInput that names each field that does not validate, nested ones with dots."""
    if not isinstance(data, dict):
        raise Unreadable("The body must be a JSON object.")
    try:
        loaded: dict[str, Any] = schema.load(data, partial=partial)
    except ValidationError as error:
        raise InvalidInput("Some fields are not valid.", **_flatten(error.messages)) from None
    return loaded


def _flatten(messages: Any, path: str = "") -> dict[str, str]:
    if isinstance(messages, dict):
        found: dict[str, str] = {}
        for name, inner in messages.items():
            found.update(
                _flatten(inner, f"{path}.{name}".strip(".") if name != "_schema" else path or "body")
            )
        return found
    return {path or "body": " ".join(str(message) for message in messages)}
