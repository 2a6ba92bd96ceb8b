"""Icons by name. `static/portal/icons.svg` draws them; the names of Font Awesome that FAB's menus use lead to ours."""

from functools import lru_cache
from typing import Any

from flask import Flask, request
from markupsafe import Markup

DRAWN = frozenset(
    """
    alert archive arrow-left arrow-right bell bolt box building calendar card chart check check-square
    chevron-down chevron-left chevron-right clock comment copy dot dots download external eye file
    filter flag grid home inbox info key link list lock logout mail menu monitor moon pause pencil play plus
    refresh search send server shield sliders sort sort-down sort-up sun tag trash upload user users x
    """.split()  # noqa: SIM905 - a list of words is read as words
)
OTHER_NAMES = {
    "cube": "box",
    "cubes": "box",
    "th": "grid",
    "th-large": "grid",
    "dashboard": "grid",
    "tachometer": "grid",
    "group": "users",
    "check-square-o": "check-square",
    "tasks": "check-square",
    "list-alt": "list",
    "list-ul": "list",
    "list-ol": "list",
    "bars": "menu",
    "history": "clock",
    "clock-o": "clock",
    "bell-o": "bell",
    "edit": "pencil",
    "pencil-square-o": "pencil",
    "pen": "pencil",
    "trash-o": "trash",
    "remove": "x",
    "times": "x",
    "close": "x",
    "ban": "x",
    "ok": "check",
    "check-circle": "check",
    "desktop": "monitor",
    "ellipsis-h": "dots",
    "credit-card": "card",
    "money": "card",
    "bar-chart": "chart",
    "bar-chart-o": "chart",
    "line-chart": "chart",
    "pie-chart": "chart",
    "envelope": "mail",
    "envelope-o": "mail",
    "warning": "alert",
    "exclamation-triangle": "alert",
    "info-circle": "info",
    "question-circle": "info",
    "sign-out": "logout",
    "sign-in": "arrow-right",
    "chain": "link",
    "clone": "copy",
    "cog": "sliders",
    "cogs": "sliders",
    "gear": "sliders",
    "wrench": "sliders",
    "settings": "sliders",
    "file-o": "file",
    "file-text": "file",
    "file-text-o": "file",
    "comments": "comment",
    "comment-o": "comment",
    "sync": "refresh",
    "repeat": "refresh",
    "rotate-left": "refresh",
    "undo": "refresh",
    "tags": "tag",
    "address-book": "users",
    "user-o": "user",
    "user-plus": "user",
    "user-circle": "user",
    "id-card": "card",
    "sitemap": "building",
    "briefcase": "building",
    "shield-alt": "shield",
    "unlock": "lock",
    "unlock-alt": "key",
    "external-link": "external",
    "paper-plane": "send",
    "arrow-circle-right": "arrow-right",
    "rocket": "bolt",
    "random": "refresh",
    "exchange": "refresh",
    "database": "server",
    "cloud": "server",
    "calendar-o": "calendar",
    "book": "file",
    "gavel": "shield",
}


def icon_svg(name: Any, class_: str = "") -> Markup:
    """An icon, such as `server` or `fa-server`: decorative, so words stand beside it. A name nobody knows is a dot."""
    return _drawn(str(name or "dot"), class_, request.script_root)


@lru_cache(maxsize=512)
def _drawn(name: str, class_: str, root: str) -> Markup:
    plain = name.replace("fa fa-", "").replace("fa-", "").strip()
    known = OTHER_NAMES.get(plain, plain)
    return Markup(
        '<svg class="icon {}" viewBox="0 0 16 16" aria-hidden="true"><use href="{}/static/portal/icons.svg#{}"></use></svg>'
    ).format(class_, root, known if known in DRAWN else "dot")


def init_app(app: Flask) -> None:
    """For templates, also those that FAB renders without a context."""
    app.add_template_global(icon_svg)
