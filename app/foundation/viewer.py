"""Who is looking. Row rules and the audit log ask here; the room that knows people registers the loader."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from flask import g, has_request_context


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody signed in: the person (`id`), their sign-in account and the names of its roles."""

    id: int | None
    account_id: int | None
    name: str
    email: str
    roles: frozenset[str] = frozenset()

    @property
    def is_admin(self) -> bool:
        """Whether every row is theirs to see."""
        return "Admin" in self.roles


Loader = Callable[[], Viewer | None]

_loader: list[Loader] = []
_chosen: ContextVar[Viewer | None] = ContextVar("chosen_viewer", default=None)


def viewer_loader(load: Loader) -> Loader:
    """Register how the viewer of a request is found."""
    _loader[:] = [load]
    return load


def current_viewer() -> Viewer | None:
    """The viewer of this request, or None for an anonymous request or a job.

    Only somebody signed in is remembered: a sign-in may happen in the middle of a request.
    """
    chosen = _chosen.get()
    if chosen is not None or not has_request_context():
        return chosen
    if g.get("viewer") is None and _loader:
        g.viewer = _loader[0]()
    found: Viewer | None = g.get("viewer")
    return found


def forget_viewer() -> None:
    """Look the viewer up anew at the next question: somebody signed in or out, or a role changed."""
    g.pop("viewer", None)


def chosen_viewer() -> Viewer | None:
    """The viewer set by `viewing_as`, if any."""
    return _chosen.get()


@contextmanager
def viewing_as(viewer: Viewer) -> Iterator[None]:
    """Run a block with this viewer's eyes, inside or outside of a request."""
    token = _chosen.set(viewer)
    try:
        yield
    finally:
        _chosen.reset(token)
