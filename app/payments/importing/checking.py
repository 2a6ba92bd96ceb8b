"""The dry run: every row of the file is read and compared, and nothing but its result is written."""

from collections import Counter
from collections.abc import Iterator

from sqlalchemy import insert

from app.foundation.database import db
from app.foundation.errors import DomainError
from app.payments.import_models import ImportRow, ImportRun, ImportState, RowKind
from app.payments.importing import parsing, planning
from app.payments.importing.planning import CARD_NUMBER, Planned, Register, Rules
from app.payments.importing.progress import telling
from app.payments.importing.receiving import forget_file, forget_rows
from app.payments.importing.running import claimed, is_still

BATCH = 1_000
# Of the bar, the rest of which is writing down what was found.
READING = 0.9


def check(run_id: int) -> None:
    """Say what each row would do. What is wrong with the file as a whole stands at the run."""
    run = claimed(run_id, ImportState.CHECKING)
    if run is None:
        return
    try:
        rows = list(_planned(run))
    except DomainError as error:
        if is_still(run, ImportState.CHECKING):
            run.state, run.message = ImportState.FAILED, error.message
        return
    planning.mark_doubles(rows)
    _write(run, rows)
    if not is_still(run, ImportState.CHECKING):
        forget_rows(run.id)
        return
    counts = Counter(row.kind for row in rows)
    run.counts = {kind.value: counts[kind] for kind in RowKind}
    run.state, run.done, run.total = ImportState.CHECKED, len(rows), len(rows)
    if any(CARD_NUMBER in row.faults.values() for row in rows):
        forget_file(run)
        run.message = (
            "Cells of this file look like numbers of payment cards, so it was deleted at once. "
            "Remove them and upload the file again."
        )


def _planned(run: ImportRun) -> Iterator[Planned]:
    rules = Rules(run.mapping or [], run.kind == "csv", run.clear_blanks, run.create_services)
    register = Register()
    with parsing.rows(run.content or b"", run.kind) as (total, found):
        tell = telling(run.id, total)
        for number, (line, cells) in enumerate(found, 1):
            row = planning.read(line, cells, rules)
            planning.compare(row, register, create_services=rules.create_services)
            yield row
            tell(int(number * READING))


def _write(run: ImportRun, rows: list[Planned]) -> None:
    tell = telling(run.id, len(rows))
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        db.session.execute(insert(ImportRow), [_values(run.id, row) for row in batch])
        tell(int(len(rows) * READING + (start + len(batch)) * (1 - READING)))


def _values(run_id: int, row: Planned) -> dict[str, object]:
    """Nothing of a refused row is kept but what it is about and what is wrong."""
    refused = row.kind == RowKind.REFUSED
    return {
        "run_id": run_id,
        "line": row.line,
        "kind": row.kind.value,
        "product_id": row.product_id,
        "service": row.service,
        "product": row.product,
        "wanted": {} if refused else row.wanted,
        "before": row.before,
        "after": row.after,
        "faults": row.faults,
    }
