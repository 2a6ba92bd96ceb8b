"""Many choices at once, each with what it means beside it."""

from typing import Any

from flask import render_template
from markupsafe import Markup


class CheckList:
    """The widget of a field of several choices: a box for each, its value as its name and its label as its meaning."""

    def __call__(self, field: Any, **attributes: Any) -> Markup:
        described = attributes.get("aria-describedby")
        return Markup(render_template("webhooks/_checklist.html", field=field, described=described))  # noqa: S704
