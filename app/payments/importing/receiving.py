"""A file comes in: it is what it says, it has a first line, and it is kept until it is not needed any more."""

from datetime import timedelta

from marshmallow import ValidationError
from sqlalchemy import delete, select

from app.foundation import clock, outbox
from app.foundation.database import db
from app.foundation.errors import Conflict, InvalidInput
from app.foundation.schemas import fit, no_card_number
from app.foundation.viewer import current_viewer
from app.payments.access import must_be_admin
from app.payments.import_models import RUNNING, ImportRow, ImportRun, ImportState, RowKind
from app.payments.importing import mapping, parsing
from app.payments.importing.cells import has_card_number

# What was not imported after so many days is discarded, and with it its file. What the rows of an import did is forgotten
# after so many: the audit log knows it for ever.
FILE_DAYS, ROWS_DAYS = 7, 30
LONGEST_NAME = 200
EXTENSIONS = {"csv": "csv", "tsv": "csv", "txt": "csv", "xlsx": "xlsx"}
CHOOSE = "Choose a CSV or XLSX file."
OTHERS = {
    b"\xd0\xcf\x11\xe0": "This is an old XLS file, or an encrypted one. Save it as XLSX, without a password.",
    b"%PDF": "This is a PDF. Save the sheet as XLSX or CSV.",
    b"\x89PNG": "This is a picture. Save the sheet as XLSX or CSV.",
    b"\xff\xd8\xff": "This is a picture. Save the sheet as XLSX or CSV.",
    b"<": "This is a web page or XML. Save the sheet as XLSX or CSV.",
}


def receive(file_name: str, content: bytes) -> ImportRun:
    """Keep a file and look at its first lines. InvalidInput at `file` says why it can't be taken."""
    must_be_admin()
    name = _name(file_name)
    kind = _kind(name, content)
    found = parsing.look(content, kind)
    if any(map(has_card_number, [found["columns"], *(cells for _, cells in found["sample"])])):
        raise InvalidInput(
            file="Something in this file looks like the number of a payment card, which must not be kept here. "
            "Remove it and upload the file again."
        )
    viewer = current_viewer()
    run = ImportRun(
        person_id=viewer.id if viewer else None,
        file_name=name,
        kind=kind,
        file_size=len(content),
        content=content,
        look=found,
        total=found["rows"],
    )
    db.session.add(run)
    db.session.flush()
    return run


def _name(file_name: str) -> str:
    name = file_name.replace("\\", "/").rpartition("/")[2].strip()
    if not name:
        raise InvalidInput(file=CHOOSE)
    try:
        fit(name)
        no_card_number(name)
    except ValidationError as error:
        raise InvalidInput(file=f"The name of the file: {error.messages[0]}") from None
    if len(name) > LONGEST_NAME:
        raise InvalidInput(file=f"The name of the file may have at most {LONGEST_NAME} characters.")
    return name


def _kind(name: str, content: bytes) -> str:
    """By its first bytes, which its name must not contradict."""
    start = content[:1000].lstrip()
    if not start:
        raise InvalidInput(file="This file is empty.")
    for magic, said in OTHERS.items():
        if start.startswith(magic):
            raise InvalidInput(file=said)
    named = EXTENSIONS.get(name.rpartition(".")[2].lower())
    if named is None:
        raise InvalidInput(file=CHOOSE)
    kind = "xlsx" if content.startswith(b"PK\x03\x04") else "csv"
    if kind != named:
        raise InvalidInput(
            file=f"The name of this file says {named.upper()}, its content does not. Save it as XLSX or CSV."
        )
    return kind


def start_check(
    run: ImportRun, fields: list[str | None], *, clear_blanks: bool = False, create_services: bool = False
) -> None:
    """Promise the dry run with these columns; one that was made before is forgotten."""
    must_be_admin()
    if not run.may_be_read:
        raise Conflict("This file can't be checked any more. Upload it again.")
    run.mapping = mapping.checked(run.look["columns"], fields)
    run.clear_blanks, run.create_services = clear_blanks, create_services
    run.state, run.done, run.counts, run.message = ImportState.CHECKING, 0, None, None
    forget_rows(run.id)
    db.session.flush()
    outbox.enqueue("app.payments.jobs.check_import", run.id, queue=outbox.LONG)


def start_import(run: ImportRun) -> None:
    """Promise to do what the dry run showed."""
    must_be_admin()
    if not run.may_import:
        raise Conflict("Only a checked file can be imported, with nothing refused in it and something to do.")
    run.state, run.done, run.message = ImportState.IMPORTING, 0, None
    run.total = run.count(RowKind.NEW) + run.count(RowKind.CHANGED)
    db.session.flush()
    outbox.enqueue("app.payments.jobs.run_import", run.id, queue=outbox.LONG)


def discard(run: ImportRun) -> None:
    """Not this file. One that is being imported is past that."""
    must_be_admin()
    if run.state in {ImportState.IMPORTING, ImportState.IMPORTED, ImportState.DISCARDED}:
        raise Conflict("This file is imported or discarded already.")
    _end(run)
    db.session.flush()


def forget_file(run: ImportRun) -> None:
    """The file is not needed any more, and neither are the rows of it that were shown."""
    run.content, run.file_size = None, 0
    run.look = {**run.look, "sample": []}


def prune() -> int:
    """Discard what nobody imported, and forget what the rows of old imports did. Says how many files went."""
    now = clock.now()
    ended = (ImportState.IMPORTED, ImportState.DISCARDED, *RUNNING)
    left = select(ImportRun).where(
        ImportRun.created_at < now - timedelta(days=FILE_DAYS), ImportRun.state.not_in(ended)
    )
    runs = list(db.session.scalars(left))
    for run in runs:
        _end(run)
    past = select(ImportRun.id).where(ImportRun.created_at < now - timedelta(days=ROWS_DAYS))
    db.session.execute(delete(ImportRow).where(ImportRow.run_id.in_(past)))
    return len(runs)


def _end(run: ImportRun) -> None:
    run.state, run.finished_at = ImportState.DISCARDED, clock.now()
    forget_file(run)
    forget_rows(run.id)


def forget_rows(run_id: int) -> None:
    """What the rows of its file would have done."""
    db.session.execute(delete(ImportRow).where(ImportRow.run_id == run_id))
