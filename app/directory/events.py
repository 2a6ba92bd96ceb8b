"""Facts of the directory."""

from dataclasses import dataclass

from app.directory.models import Person


@dataclass(frozen=True, slots=True)
class PersonJoined:
    """Somebody stands in the directory who did not before, or is back after they had left."""

    person: Person


@dataclass(frozen=True, slots=True)
class PersonDeactivated:
    """Somebody has left, whoever said so: HR, an Admin, or the task that kept the last Admin's sign-in open."""

    person: Person
