"""Values as people read them, for templates. In Python and not in Jinja, because a list shows hundreds of them."""

from collections.abc import Collection, Mapping
from datetime import date
from enum import Enum, StrEnum
from functools import singledispatch
from itertools import islice
from typing import Any

from flask import Flask, current_app
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup, escape

from app.icons import icon_svg
from app.page_context import at_home

DASH = "\u2013"
NONE = Markup('<span class="none">%s</span>') % DASH

# Columns whose texts are not shown as they are.
PILLS = {"status", "state", "priority", "kind", "type"}
NAMED = PILLS | {"level", "source"}
SOURCES = {"task", "manual", "import"}
ON_OR_OFF = {"active", "is_active", "enabled"}

TONES = {
    "amber": "pending waiting incomplete draft due trial warning suspended expiring failing",
    "blue": "in_progress open running received planned new onboarding renewal_due update",
    "violet": "invited offboarding",
    "gray": "mover",
    "green": "create insert completed complete done active sent delivered paid ok yes",
    "red": "urgent high failed overdue expired rejected dead denied delete",
}
TONE_OF = {word: tone for tone, words in TONES.items() for word in words.split()}

# Where rows of a model are shown; `row_address` puts KEY where a row's key goes.
PAGES = {
    "Person": ("PersonPageView", "person"),
    "Service": ("ServiceView", "show"),
    "Product": ("ProductView", "show"),
    "Department": ("DepartmentView", "show"),
    "LifecycleCase": ("CaseView", "show"),
    "WorkflowTask": ("InboxView", "task"),
}
KEY = "0-key-0"


def status_pill(value: Any, label: Any = None, tone: str | None = None) -> Markup:
    """A state in its colour: `in_progress` is "In progress" in blue."""
    raw = value.value if isinstance(value, Enum) else value
    if raw is None or raw == "":
        return NONE
    key = str(raw).lower().replace(" ", "_").replace("-", "_")
    words = str(label or str(raw).replace("_", " "))
    return Markup('<span class="pill pill--%s" data-value="%s">%s%s</span>') % (
        tone or TONE_OF.get(key, "gray"),
        key,
        words[:1].upper(),
        words[1:],
    )


def day(moment: Any, empty: str = DASH) -> Markup:
    """A date, or an instant on the company's clock."""
    if not moment:
        return Markup('<span class="none">%s</span>') % empty
    words = at_home(moment).strftime("%-d %b %Y, %H:%M" if hasattr(moment, "hour") else "%-d %b %Y")
    return Markup('<time datetime="%s">%s</time>') % (moment.isoformat(), words)


@singledispatch
def value(shown: Any, name: str = "", limit: int = 0, address: str = "") -> Markup:  # noqa: ARG001 - kinds below ask
    """What a column of this name holds. Of a list no more than `limit`; `address` is the `row_address` of rows."""
    return _linked(shown, address)


@value.register
def _nothing(_shown: None, *_about: Any) -> Markup:
    return NONE


@value.register
def _yes_or_no(shown: bool, name: str = "", *_about: Any) -> Markup:  # noqa: FBT001 - the value itself
    if name in ON_OR_OFF:
        return status_pill("active" if shown else "inactive")
    word = "Yes" if shown else "No"
    return Markup('<span class="bool bool--%s">%s</span>') % (word.lower(), word)


@value.register(Enum)
@value.register(StrEnum)
def _state(shown: Enum, *_about: Any) -> Markup:
    return status_pill(shown)


@value.register
def _text(shown: str, name: str = "", *_about: Any) -> Markup:
    last = name.rpartition(".")[2]
    if shown == "" or last in PILLS:
        return status_pill(shown)
    if name == "level" or (name == "source" and shown in SOURCES):
        return escape(shown.capitalize())
    if shown.startswith(("https://", "http://")) and " " not in shown:
        return Markup('<a class="out" href="%s" target="_blank" rel="noopener noreferrer">%s%s</a>') % (
            shown,
            shown.split("://", 1)[1].removesuffix("/"),
            icon_svg("external"),
        )
    return escape(shown)


@value.register
def _date(shown: date, *_about: Any) -> Markup:
    return day(shown)


@value.register
def _fields(shown: Mapping, _name: str = "", limit: int = 0, *_about: Any) -> Markup:  # type: ignore[type-arg]
    if limit:
        return escape(shown)
    text = htmlsafe_json_dumps(shown, dumps=current_app.json.dumps, sort_keys=True, indent=2)
    return Markup("<pre>%s</pre>") % text


@value.register
def _several(shown: Collection, _name: str = "", limit: int = 0, address: str = "") -> Markup:  # type: ignore[type-arg]
    if not shown:
        return NONE
    if not limit:
        chips = [Markup('<span class="chip">%s</span>') % _linked(one, address) for one in shown]
        return Markup('<span class="chips">%s</span>') % Markup("").join(chips)
    first = Markup(", ").join(_linked(one, address) for one in islice(shown, limit))
    if len(shown) <= limit:
        return first
    return Markup('<span title="%s">%s <span class="more">+%d</span></span>') % (
        ", ".join(str(one) for one in shown),
        first,
        len(shown) - limit,
    )


def _linked(shown: Any, address: str) -> Markup:
    if not address or not hasattr(shown, "id"):
        return escape(shown)
    return Markup('<a href="%s">%s</a>') % (address.replace(KEY, str(shown.id)), shown)


def row_address(model: str) -> str:
    """Where rows of this model are shown, if the viewer may go there."""
    filters = current_app.jinja_env.filters
    view, method = PAGES.get(model, ("", ""))
    if not view or not filters["is_item_visible"](f"can_{method}", view):
        return ""
    return str(filters["safe_url_for"](f"{view}.{method}", pk=KEY))


def init_app(app: Flask) -> None:
    """For `portal/macros.html`, which hands them on to every template."""
    app.add_template_global(status_pill)
    app.add_template_global(day)
    app.add_template_global(value)
    app.add_template_global(row_address)
