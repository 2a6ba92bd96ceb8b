"""Who does what comes for somebody who is away: the one place that knows, for tasks and for reminders."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import select

from app.directory.access import ADMIN
from app.directory.models import Person
from app.directory.queries import people_with_role
from app.foundation import clock
from app.foundation.database import db
from app.foundation.scoping import unscoped
from app.inbox.absence_models import Absence
from app.inventory.queries import administrators_of


@dataclass(frozen=True, slots=True)
class StandIns:
    """Who is away on a day, each with whom they named, if anybody; and which of these has left the company."""

    named: Mapping[int, int | None]
    gone: Collection[int] = field(default_factory=frozenset)

    def is_away(self, person_id: int) -> bool:
        """Whether somebody else does what comes for this person."""
        return person_id in self.named

    def of(self, person_id: int, *, but: Collection[int] = ()) -> int | None:
        """Whoever is there at the end of the chain of substitutes: the person, if they are not away.

        None where it ends with nobody: no substitute, one who left or is left out, or a circle.
        """
        met: set[int] = set()
        here: int | None = person_id
        while here is not None and here in self.named:
            if here in met:
                return None
            met.add(here)
            here = self.named[here]
        return None if here in self.gone or here in but else here

    def present(self, people: Collection[int]) -> list[int]:
        """These people, with a substitute for each who is away; those who named nobody are left out."""
        found = (self.of(person) for person in people)
        return list(dict.fromkeys(one for one in found if one is not None))


def on(day: date) -> StandIns:
    """One statement, however many are away."""
    query = (
        select(Absence.person_id, Absence.substitute_id, Person.active)
        .outerjoin(Person, Person.id == Absence.substitute_id)
        .where(Absence.starts_on <= day, Absence.ends_on >= day)
    )
    with unscoped():
        rows = db.session.execute(query).all()
    return StandIns(
        {row.person_id: row.substitute_id for row in rows},
        frozenset(row.substitute_id for row in rows if row.substitute_id and not row.active),
    )


def instead_of(person: Person, *, service_id: int | None, but: Collection[int] = ()) -> Person:
    """Whoever does now what comes for somebody: they themselves, their substitute, an administrator of the service, an Admin.

    Nobody in `but`, and nobody who is away. If everybody is away, it waits for the person.
    """
    away = on(clock.today())
    if not away.is_away(person.id):
        return person
    named = away.of(person.id, but=but)
    if named is not None:
        with unscoped():
            return db.session.get_one(Person, named)
    deputies = administrators_of(service_id=service_id) if service_id else []
    others = [*deputies, *people_with_role(ADMIN)]
    return next((one for one in others if not away.is_away(one.id) and one.id not in but), person)
