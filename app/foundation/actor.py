"""Who is acting, for the audit log: the viewer of a request, or a named system door (an HR system, a job, a command)."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from flask import has_request_context, request

from app.foundation.trace import known_request_id
from app.foundation.viewer import current_viewer


@dataclass(frozen=True, slots=True)
class Actor:
    """`id` is a person's; a system door has a name only. `address` is the peer's, as the proxy settings resolve it."""

    id: int | None
    name: str
    email: str | None = None
    address: str | None = None
    request_id: str | None = None


_acting: ContextVar[Actor | None] = ContextVar("acting", default=None)


def current_actor() -> Actor:
    """Who does what is being done now."""
    acting = _acting.get()
    viewer = current_viewer()
    address = request.remote_addr if has_request_context() else None
    request_key = known_request_id()
    if acting is not None:
        return Actor(acting.id, acting.name, acting.email, address, request_key or acting.request_id)
    if viewer is not None:
        return Actor(viewer.id, viewer.name, viewer.email, address, request_key)
    return Actor(
        None, "Nobody signed in" if has_request_context() else "PortalOps", None, address, request_key
    )


@contextmanager
def acting_as(
    name: str, *, person_id: int | None = None, email: str | None = None, trace: str | None = None
) -> Iterator[None]:
    """Let a block act under this name. `trace` is the id of the request that asked for it."""
    token = _acting.set(Actor(person_id, name, email, None, trace))
    try:
        yield
    finally:
        _acting.reset(token)
