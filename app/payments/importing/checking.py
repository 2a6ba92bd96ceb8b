"""The dry run: every row of the file is read and compared, and nothing but its result is written.

Rows come one by one from the process that reads the file and are written down a few at a time, so that a long file takes
no more memory than a short one.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from sqlalchemy import func, insert, select, update

from app.foundation.database import among, db
from app.foundation.errors import DomainError
from app.payments.import_models import ImportRow, ImportRun, ImportState, RowKind
from app.payments.importing import parsing, planning
from app.payments.importing.planning import CARD_NUMBER, Doubles, Planned, Register, Rules
from app.payments.importing.progress import telling
from app.payments.importing.receiving import forget_file, forget_rows
from app.payments.importing.running import claimed, is_still

BATCH = 500


def check(run_id: int) -> None:
    """Say what each row would do. What is wrong with the file as a whole stands at the run."""
    run = claimed(run_id, ImportState.CHECKING)
    if run is None:
        return
    try:
        has_card_number = _write_all(run)
    except DomainError as error:
        forget_rows(run.id)
        if is_still(run, ImportState.CHECKING):
            run.state, run.message = ImportState.FAILED, error.message
        return
    if not is_still(run, ImportState.CHECKING):
        forget_rows(run.id)
        return
    run.counts = _counts(run.id)
    run.state, run.done = ImportState.CHECKED, sum(run.counts.values())
    run.total = run.done
    if has_card_number:
        forget_file(run)
        run.message = (
            "Cells of this file look like numbers of payment cards, so it was deleted at once. "
            "Remove them and upload the file again."
        )


def _write_all(run: ImportRun) -> bool:
    """Every row with what it would do; whether one of them holds the number of a card."""
    doubles, found = Doubles(), False
    for rows in _in_batches(_planned(run, doubles)):
        db.session.execute(insert(ImportRow), [_values(run.id, row) for row in rows])
        found = found or any(CARD_NUMBER in row.faults.values() for row in rows)
    for lines in _in_batches(iter(doubles.firsts.items())):
        _refuse(run.id, dict(lines))
    return found


def _in_batches(rows: Iterator[Any]) -> Iterator[list[Any]]:
    return iter(lambda: list(islice(rows, BATCH)), [])


def _planned(run: ImportRun, doubles: Doubles) -> Iterator[Planned]:
    rules = Rules(run.mapping or [], run.kind == "csv", run.clear_blanks, run.create_services)
    register = Register()
    with parsing.rows(run.content or b"", run.kind) as (total, found):
        tell = telling(run.id, total)
        for number, (line, cells) in enumerate(found, 1):
            row = planning.read(line, cells, rules)
            planning.compare(row, register, create_services=rules.create_services)
            doubles.look_at(row)
            yield row
            tell(number)


def _refuse(run_id: int, others: dict[int, int]) -> None:
    """Rows that are written down already, each with the line of the other one that is about the same product."""
    query = select(ImportRow.line, ImportRow.faults).where(ImportRow.run_id == run_id)
    rows = db.session.execute(query.where(among(ImportRow.line, list(others)))).all()
    refused = {"run_id": run_id, "kind": RowKind.REFUSED.value, "wanted": {}, "before": {}, "after": {}}
    values = [
        {
            **refused,
            "line": row.line,
            "faults": {"product": planning.same_product(others[row.line]), **row.faults},
        }
        for row in rows
    ]
    db.session.execute(update(ImportRow), values)


def _counts(run_id: int) -> dict[str, int]:
    query = select(ImportRow.kind, func.count()).where(ImportRow.run_id == run_id).group_by(ImportRow.kind)
    found: dict[str, int] = {row[0]: row[1] for row in db.session.execute(query)}
    return {kind.value: found.get(kind.value, 0) for kind in RowKind}


def _values(run_id: int, row: Planned) -> dict[str, Any]:
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
