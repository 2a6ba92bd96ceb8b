"""Facts that lower rooms publish and `wiring.py` hands on: synchronously, in the same transaction."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Fact = TypeVar("Fact")


@dataclass(frozen=True, slots=True)
class Operated:
    """Somebody took the machinery in hand. `action` is the audit log's word for it, such as `schedule.pause`."""

    action: str
    target_id: str
    label: str


_handlers: dict[type[Any], list[Callable[[Any], None]]] = defaultdict(list)


def subscribe(fact: type[Fact], handler: Callable[[Fact], None]) -> None:
    """Call the handler for every such fact. Subscribing twice is subscribing once."""
    if handler not in _handlers[fact]:
        _handlers[fact].append(handler)


def publish(fact: object) -> None:
    """Hand a fact to its subscribers, in the order of `wiring.py`. A handler that raises undoes it all."""
    for handler in _handlers[type(fact)]:
        handler(fact)
