"""An import of the register: the file, which of its columns are what, what each row would do, and what came of it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.directory.models import Person
from app.foundation.database import Model, Timestamps, not_blank, one_of


class ImportState(StrEnum):
    """Where an import stands."""

    MAPPING = "mapping"
    CHECKING = "checking"
    CHECKED = "checked"
    IMPORTING = "importing"
    IMPORTED = "imported"
    FAILED = "failed"
    DISCARDED = "discarded"


class RowKind(StrEnum):
    """What a row of a file would do to the register."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


RUNNING = (ImportState.CHECKING, ImportState.IMPORTING)
# The file may be read (again) with other columns.
READABLE = (ImportState.MAPPING, ImportState.CHECKED, ImportState.FAILED)


class ImportRun(Timestamps, Model):
    """A file that was uploaded for the register.

    `look` is what was found at the first look: the names of the columns, a few rows, how it was read. `mapping` has the
    field of each column, None for those that are left out. `content` is the file itself, which goes as soon as it is not
    needed any more; `file_size` (bytes) is 0 from then on.
    """

    __tablename__ = "import_runs"
    __audit_noun__ = "payment_import"
    __generated__ = ("message",)
    __audit_quiet__ = ("look", "mapping", "content", "file_size", "done", "total")
    __table_args__ = (
        not_blank("file_name", "The name of the file"),
        one_of("state", ImportState),
        CheckConstraint(
            "kind IN ('csv', 'xlsx')",
            name="kind",
            info={"field": "kind", "message": "Choose a CSV or XLSX file."},
        ),
        Index("ix_import_runs_created_at", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    file_name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    file_size: Mapped[int]
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    look: Mapped[dict[str, Any]] = mapped_column(JSONB)
    mapping: Mapped[list[str | None] | None] = mapped_column(JSONB)
    clear_blanks: Mapped[bool] = mapped_column(default=False)
    create_services: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(Text, default=ImportState.MAPPING)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    counts: Mapped[dict[str, int] | None] = mapped_column(JSONB)
    message: Mapped[str | None] = mapped_column(Text)
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    person: Mapped[Person | None] = relationship()

    def count(self, kind: str) -> int:
        """How many rows of the dry run are of this kind."""
        return (self.counts or {}).get(kind, 0)

    @property
    def is_running(self) -> bool:
        """Whether a job is at it."""
        return self.state in RUNNING

    @property
    def may_import(self) -> bool:
        """All or nothing: nothing refused, and something to do."""
        to_do = self.count(RowKind.NEW) + self.count(RowKind.CHANGED)
        return self.state == ImportState.CHECKED and to_do > 0 and not self.count(RowKind.REFUSED)

    @property
    def may_be_read(self) -> bool:
        """Whether its columns may be chosen."""
        return self.file_size > 0 and self.state in READABLE

    def __repr__(self) -> str:
        return self.file_name


class ImportRow(Model):
    """What one row of the file would do. `wanted` is what it says, as text; `before` and `after` are what it changes."""

    __tablename__ = "import_rows"
    __audit__ = False
    __table_args__ = (
        one_of("kind", RowKind),
        Index("ix_import_rows_run_id_kind", "run_id", "kind", "line"),
    )

    run_id: Mapped[int] = mapped_column(ForeignKey("import_runs.id", ondelete="CASCADE"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(Text)
    product_id: Mapped[int | None]
    service: Mapped[str | None] = mapped_column(Text)
    product: Mapped[str | None] = mapped_column(Text)
    wanted: Mapped[dict[str, Any]] = mapped_column(JSONB)
    before: Mapped[dict[str, Any]] = mapped_column(JSONB)
    after: Mapped[dict[str, Any]] = mapped_column(JSONB)
    faults: Mapped[dict[str, Any]] = mapped_column(JSONB)
