"""What every page shows around its content: the navigation with its counts, the trail, who is looking."""

from datetime import date, datetime
from functools import cached_property, lru_cache
from typing import Any

from flask import Flask, current_app, request, url_for

from app.foundation import clock
from app.foundation.paging import counts
from app.foundation.trace import request_id
from app.foundation.viewer import Viewer, current_viewer
from app.inbox.queries import OPEN_COUNT
from app.notifications.queries import UNREAD_COUNT
from app.payments.register_queries import INCOMPLETE_COUNT

# What is counted for every page: beside entries of the menu, and on the bell.
WAITING = {"Inbox": OPEN_COUNT, "Payment register": INCOMPLETE_COUNT, "Notifications": UNREAD_COUNT}
BADGES = {"Inbox": "open", "Payment register": "incomplete"}


def portal() -> dict[str, Any]:
    """The `portal` object of the templates; its parts are worked out when a template asks for them."""
    return {"portal": Portal(current_viewer())}


class Portal:
    """See `templates/portal/base.html` for what reads it. What costs a statement is asked once per page."""

    def __init__(self, viewer: Viewer | None) -> None:
        self.viewer = viewer
        self.name = current_app.config["APP_NAME"]
        self.environment = current_app.config["ENVIRONMENT"]
        self.request_id = request_id()

    @cached_property
    def waiting(self) -> dict[str, int]:
        """How many things wait for the viewer, by what they are: one statement for all of them."""
        if self.viewer is None:
            return {}
        return dict(zip(WAITING, counts(tuple(WAITING.values()), person_id=self.viewer.id), strict=True))

    @property
    def unread(self) -> int:
        """Notices not read."""
        return self.waiting.get("Notifications", 0)

    def may(self, endpoint: str) -> bool:
        """Whether the viewer may open a page, such as `ServiceView.show`.

        Templates ask here, never `'can_show'|is_item_visible('ServiceView')`: Jinja works out a filter of constants
        when it compiles the template, and everybody would get the answer of whoever came first.
        """
        view, _, method = endpoint.partition(".")
        return bool(current_app.jinja_env.filters["is_item_visible"](f"can_{method}", view))

    @property
    def today(self) -> date:
        """What "today" and "overdue" mean."""
        return clock.today()

    @property
    def profile_url(self) -> str:
        """One's own page."""
        return url_for("ProfileView.me")

    @property
    def logout_url(self) -> str:
        """Where the sign-out form posts to."""
        return url_for("SignInView.logout")

    @property
    def notices_url(self) -> str:
        """The page behind the bell."""
        return url_for("NoticeView.list")

    @cached_property
    def navigation(self) -> list[dict[str, Any]]:
        """The menu as far as the viewer may go; items that stand alone come first."""
        top: dict[str, Any] = {"label": "", "items": [_item("Home", url_for("HomeView.index"), "home")]}
        groups = [top]
        for entry in self._open(current_app.appbuilder.menu.get_list()):  # type: ignore[attr-defined]
            if entry.childs:
                items = [self._item(one) for one in self._open(entry.childs)]
                groups.append({"label": _told(entry, request.script_root)[0], "items": items})
            else:
                top["items"].append(self._item(entry))
        # FAB's own group is registered first and belongs last.
        return sorted(
            [group for group in groups if group["items"]], key=lambda group: group["label"] == "Security"
        )

    def _open(self, entries: list[Any]) -> list[Any]:
        """Those that the viewer may open. FAB's `Menu.get_data` checks the whole menu anew for each of its headings."""
        return [one for one in entries if one.name != "-" and self._may_open(one)]

    def _may_open(self, entry: Any) -> bool:
        """Whoever may read a page finds it in the menu: a grant on the role page need not name both."""
        security = current_app.appbuilder.sm  # type: ignore[attr-defined]
        if security.has_access("menu_access", entry.name):
            return True
        if entry.childs:
            return any(self._may_open(one) for one in entry.childs)
        noun = getattr(entry.baseview, "class_permission_name", None)
        return bool(noun) and bool(security.has_access("can_read", noun))

    def _item(self, entry: Any) -> dict[str, Any]:
        """An entry of the menu, with how many things wait behind it."""
        waiting = {"badge": self.waiting.get(entry.name, 0), "badge_word": BADGES.get(entry.name, "")}
        return {**_item(*_told(entry, request.script_root), entry.icon), **waiting}

    @cached_property
    def crumbs(self) -> list[tuple[str, str | None]]:
        """Where this page stands: its heading and its list. The page itself adds its own name (`trail`)."""
        for group in self.navigation:
            for item in group["items"]:
                if item["active"]:
                    trail: list[tuple[str, str | None]] = [(group["label"], None)] if group["label"] else []
                    return [*trail, (item["label"], item["href"])]
        return []

    @property
    def is_list(self) -> bool:
        """Whether this page is the one that the menu leads to."""
        return any(href == request.path for _, href in self.crumbs)


# FAB's names of its own pages, as people would say them.
LABELS = {
    "List Users": "Sign-in accounts",
    "List Roles": "Roles",
    "List Groups": "Groups",
    "Base Permissions": "Permissions",
    "Views/Menus": "Views and menus",
    "Permission on Views/Menus": "Permissions on views",
}

ICONS = {"List Roles": "shield", "Views/Menus": "grid"}


@lru_cache(maxsize=512)
def _told(entry: Any, root: str) -> tuple[str, str]:  # noqa: ARG001 - addresses begin with it
    """What the menu calls an entry, and its address: worked out once, as they are the same for everybody."""
    return str(entry.label), entry.get_url()


def _item(label: str, href: str, icon: str) -> dict[str, Any]:
    base = href.removesuffix("list/")
    active = request.path == "/" if href == "/" else request.path.startswith(base)
    return {
        "label": LABELS.get(label, label),
        "href": href,
        "icon": ICONS.get(label, icon),
        "badge": 0,
        "active": active,
    }


def at_home(moment: Any) -> Any:
    """An instant on the company's clock, for templates; a date stays a date."""
    return clock.local(moment) if isinstance(moment, datetime) and moment.tzinfo else moment


def init_app(app: Flask) -> None:
    """Give it to every template."""
    app.context_processor(portal)
    app.add_template_filter(at_home)
