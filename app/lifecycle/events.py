"""Facts of the lifecycle."""

from dataclasses import dataclass

from app.lifecycle.models import LifecycleCase


@dataclass(frozen=True, slots=True)
class CaseOpened:
    """Somebody joins or leaves, and there is something to do for it."""

    case: LifecycleCase


@dataclass(frozen=True, slots=True)
class CaseClosed:
    """The last task of a case is finished."""

    case: LifecycleCase
