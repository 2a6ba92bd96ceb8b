"""What a generated page and the generated API of a model share: the same verbs, the same permission names."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

PERMISSION_OF_METHOD = {
    "list": "read",
    "show": "read",
    "get": "read",
    "get_list": "read",
    "info": "read",
    "download": "read",
    "add": "add",
    "post": "add",
    "edit": "edit",
    "put": "edit",
    "delete": "delete",
}


@dataclass(frozen=True, slots=True)
class Verbs:
    """A room's operations on a model. A verb that is missing is one that neither door offers.

    `create(**fields)` and `change(row, **fields)` return the row, `remove(row)` nothing; all raise DomainError.
    """

    create: Callable[..., Any] | None = None
    change: Callable[..., Any] | None = None
    remove: Callable[[Any], None] | None = None

    def permissions(self) -> list[str]:
        """FAB's permission names for what is offered: the same list for the page and the API."""
        offered = {
            "can_read": True,
            "can_add": self.create,
            "can_edit": self.change,
            "can_delete": self.remove,
        }
        return [name for name, verb in offered.items() if verb]

    def closed_routes(self, *, add: str, edit: str, delete: str) -> set[str]:
        """The routes of the missing verbs."""
        return {
            name
            for name, verb in ((add, self.create), (edit, self.change), (delete, self.remove))
            if not verb
        }
