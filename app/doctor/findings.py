"""A check is a function that yields what it found; the registry calls them in the order in which they were written.

Checks read and never write. One that breaks is a finding too, and one whose ground is missing (`after`) is not asked.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from app.foundation.database import db
from config import Settings

log = logging.getLogger(__name__)

Check = Callable[[], Iterator["Finding"]]


class State(StrEnum):
    """A fault wants mending now, a warning some day."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence that says how it is, and one that says what to do."""

    state: State
    says: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A finding, and the check that made it."""

    check: str
    finding: Finding

    def as_dict(self) -> dict[str, Any]:
        return {"check": self.check, **asdict(self.finding)}


@dataclass(frozen=True, slots=True)
class _Registered:
    name: str
    run: Check
    after: str


_checks: list[_Registered] = []


def check(name: str, *, after: str = "") -> Callable[[Check], Check]:
    """Register a check under the name people read. It is not asked if the check `after` found a fault."""

    def register(run: Check) -> Check:
        _checks.append(_Registered(name, run, after))
        return run

    return register


def ok(says: str) -> Finding:
    return Finding(State.OK, says)


def warning(says: str, mend: str) -> Finding:
    return Finding(State.WARNING, says, mend)


def fault(says: str, mend: str) -> Finding:
    return Finding(State.FAULT, says, mend)


def settings() -> Settings:
    """Those that this process runs with."""
    found: Settings = current_app.extensions["settings"]
    return found


def examine() -> Iterator[Verdict]:
    """Ask every check that has the ground it stands on."""
    broken: set[str] = set()
    for one in _checks:
        if one.after in broken:
            broken.add(one.name)
            continue
        for finding in _findings(one):
            if finding.state is State.FAULT:
                broken.add(one.name)
            yield Verdict(one.name, finding)


def _findings(one: _Registered) -> Iterator[Finding]:
    try:
        yield from one.run()
    except Exception as error:
        log.debug("the check %s broke", one.name, exc_info=error)
        yield fault(
            f"This could not be checked ({type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}).",
            "Mend what stands above first; then ask again.",
        )
    finally:
        _let_go()


def _let_go() -> None:
    try:
        db.session.rollback()
    except SQLAlchemyError:
        db.session.remove()
