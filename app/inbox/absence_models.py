"""Who is away, from when until when, and who stands in."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.directory.models import Person
from app.foundation.database import Model, Timestamps


class Absence(Timestamps, Model):
    """Somebody is away, both days included. Without a substitute, the administrators of each service stand in.

    `moves_tasks` says that what is open when it begins goes over as well; `moved_at` that it did.
    """

    __tablename__ = "absences"
    __table_args__ = (
        CheckConstraint(
            "ends_on >= starts_on",
            name="period",
            info={"field": "ends_on", "message": "The last day can't lie before the first."},
        ),
        CheckConstraint(
            "substitute_id <> person_id",
            name="somebody_else",
            info={"field": "substitute_id", "message": "Nobody stands in for themselves."},
        ),
        # A range of one number stands for the number: `=` would need an extension in this kind of index.
        ExcludeConstraint(
            (text("int4range(person_id, person_id, '[]')"), "&&"),
            (text("daterange(starts_on, ends_on, '[]')"), "&&"),
            name="ex_absences_overlap",
            using="gist",
            info={
                "field": "starts_on",
                "message": "There is an absence at this time already. Change that one.",
            },
        ),
        Index("ix_absences_person_id", "person_id", "starts_on"),
        Index("ix_absences_substitute_id", "substitute_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    substitute_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    moves_tasks: Mapped[bool] = mapped_column(default=True)
    moved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    person: Mapped[Person] = relationship(foreign_keys=[person_id])
    substitute: Mapped[Person | None] = relationship(foreign_keys=[substitute_id])

    def __repr__(self) -> str:
        return f"{self.person} away from {self.starts_on:%-d %b %Y} to {self.ends_on:%-d %b %Y}"
