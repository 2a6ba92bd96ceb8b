"""Forms: text is trimmed and blank is None, and a reference is chosen among the rows that the viewer may see."""

from enum import StrEnum
from typing import Any

from flask import url_for
from flask_appbuilder.forms import DynamicForm
from markupsafe import Markup
from sqlalchemy import inspect, select
from wtforms import SelectChoice, StringField, TextAreaField, ValidationError
from wtforms.fields.choices import Choice, SelectFieldBase
from wtforms.validators import DataRequired, InputRequired, Length, Optional
from wtforms.widgets import Select

from app.foundation import card_numbers
from app.foundation.database import db
from app.foundation.lookup import label_column
from app.foundation.references import NO_SUCH_ENTRY, parse_key
from app.foundation.schemas import UNFIT

FIRST_OPTIONS = 50
REQUIRED = "This field is required."


def tidy(value: Any) -> Any:
    """Trimmed text, None if nothing is left of it."""
    return (value.strip() or None) if isinstance(value, str) else value


def no_control_characters(_form: Any, field: Any) -> None:
    """The same rule as for the API's texts."""
    if isinstance(field.data, str) and UNFIT.search(field.data):
        raise ValidationError("Remove the control characters.")


def no_card_number(_form: Any, field: Any) -> None:
    """The same rule as for the API's texts."""
    if isinstance(field.data, str) and card_numbers.stands_in(field.data):
        raise ValidationError(card_numbers.MESSAGE)


class PortalForm(DynamicForm):
    """The base of every form."""

    @classmethod
    def declared(cls) -> list[str]:
        """The names of its own fields, in the order they were written."""
        own = [
            (name, getattr(cls, name)) for name in dir(cls) if hasattr(getattr(cls, name), "creation_counter")
        ]
        return [name for name, field in sorted(own, key=lambda pair: pair[1].creation_counter)]


def choices_of(values: type[StrEnum]) -> list[SelectChoice]:
    """An enum's values as the options of a select: `in_progress` reads "In progress"."""
    return [SelectChoice(one.value, one.value.replace("_", " ").capitalize()) for one in values]


def line(
    label: str, *, required: bool = False, most: int = 200, hint: str = "", **options: Any
) -> StringField:
    """A line of text."""
    return StringField(
        label, _text_rules(required=required, most=most), filters=[tidy], description=hint, **options
    )


def paragraph(label: str, *, most: int = 2_000, hint: str = "", **options: Any) -> TextAreaField:
    """Several lines of text."""
    return TextAreaField(
        label, _text_rules(required=False, most=most), filters=[tidy], description=hint, **options
    )


def _text_rules(*, required: bool, most: int) -> list[Any]:
    presence = DataRequired(REQUIRED) if required else Optional()
    length = Length(max=most, message=f"At most {most:,} characters.")
    return [presence, length, no_control_characters, no_card_number]


class LookupWidget(Select):
    """A select that the page's script turns into a search; without it, it offers the first rows."""

    def __call__(self, field: Any, **attributes: Any) -> Markup:
        attributes.setdefault("data-lookup", url_for("LookupView.find", noun=field.noun))
        markup: Markup = super().__call__(field, **attributes)
        return markup


class LookupField(SelectFieldBase):
    """The key of a row of a model, or with `multiple` a list of keys; only rows that the viewer may see are taken.

    `offered` is how many rows the page itself brings; the search finds the others.
    """

    def __init__(
        self,
        label: str,
        model: type[Any],
        *,
        required: bool = False,
        multiple: bool = False,
        hint: str = "",
        offered: int = FIRST_OPTIONS,
        **options: Any,
    ) -> None:
        rules = [InputRequired(REQUIRED)] if required else [Optional()]
        super().__init__(label, rules, description=hint, **options)
        self.data: Any = None
        self.model, self.multiple, self.offered = model, multiple, offered
        self.noun = model.__tablename__
        self.widget = LookupWidget(multiple=multiple)

    def process_data(self, value: Any) -> None:
        """From the row that is edited, or from a link."""
        if self.multiple:
            self.data = [parse_key(one) for one in value or []]
        else:
            self.data = parse_key(value)

    def process_formdata(self, valuelist: list[str]) -> None:
        """From what was sent."""
        keys = [parse_key(value) for value in valuelist if value != ""]
        if None in keys:
            raise ValueError(NO_SUCH_ENTRY)
        self.data = keys if self.multiple else (keys[0] if keys else None)

    def pre_validate(self, form: Any) -> None:  # noqa: ARG002 - WTForms' signature
        """Every chosen row must be visible to the viewer."""
        chosen = self._chosen()
        if chosen and len(self._rows(chosen)) < len(set(chosen)):
            raise ValidationError(NO_SUCH_ENTRY)

    def iter_choices(self) -> Any:
        """The chosen rows, then the first others."""
        chosen = self._chosen()
        if not self.multiple:
            yield Choice("", "\N{EN DASH}", not chosen, {})
        picked = self._rows(chosen) if chosen else []
        for key, label in picked:
            yield Choice(str(key), label, selected=True, render_kw={})
        for key, label in self._rows(None) if self.offered else []:
            if key not in chosen:
                yield Choice(str(key), label, selected=False, render_kw={})

    def labels_of(self, values: list[Any]) -> list[str]:
        """What people call the rows with these keys; a key without a visible row stands for itself."""
        keys = [key for key in map(parse_key, values) if key]
        labels = dict(self._rows(keys)) if keys else {}
        return [labels.get(parse_key(value) or 0, str(value)) for value in values]

    def has_groups(self) -> bool:
        """WTForms' select asks."""
        return False

    def _chosen(self) -> list[int]:
        data = self.data if self.multiple else [self.data]
        return [key for key in data or [] if key is not None]

    def _rows(self, keys: list[int] | None) -> list[tuple[int, str]]:
        key, label = inspect(self.model).primary_key[0], label_column(self.model)
        query = select(key, label).select_from(self.model).order_by(label)
        query = query.limit(self.offered) if keys is None else query.where(key.in_(keys))
        return [(row[0], row[1]) for row in db.session.execute(query)]
