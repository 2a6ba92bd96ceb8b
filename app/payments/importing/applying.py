"""The import: what the dry run showed is done in one transaction, or nothing is."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import joinedload

from app.audit import recorder
from app.foundation import clock
from app.foundation.database import db
from app.foundation.errors import Conflict, DomainError, from_database
from app.inventory import operations as inventory
from app.payments import operations as payments
from app.payments import queries
from app.payments.import_models import ImportRow, ImportRun, ImportState, RowKind
from app.payments.importing import planning
from app.payments.importing.planning import Planned, Register
from app.payments.importing.progress import telling
from app.payments.importing.receiving import forget_file
from app.payments.importing.running import claimed, in_the_name_of, is_still
from app.payments.models import PaymentInfo

BATCH = 100


def run_import(run_id: int) -> None:
    """Do it. Whatever stands against it stands at the run, and the register is as it was."""
    run = claimed(run_id, ImportState.IMPORTING)
    if run is None:
        return
    try:
        with db.session.begin_nested(), in_the_name_of(run):
            _do(run)
    except DomainError as error:
        refusal = error
    except (IntegrityError, DataError) as error:
        refusal = from_database(error)
    else:
        _finish(run)
        return
    if is_still(run, ImportState.IMPORTING):
        run.state, run.message = ImportState.FAILED, f"{refusal.message} Nothing was imported."


def _finish(run: ImportRun) -> None:
    if not is_still(run, ImportState.IMPORTING):
        raise Conflict("The import was ended by somebody else.")
    run.state, run.finished_at, run.done = ImportState.IMPORTED, clock.now(), run.total
    forget_file(run)
    with in_the_name_of(run):
        recorder.record(
            "payment_register.import",
            target_type="payment_import",
            target_id=str(run.id),
            target_label=run.file_name,
            after=run.counts,
        )


def _do(run: ImportRun) -> None:
    # First locked, then looked at: what is compared stays as it is until the end.
    _lock(run.id)
    rows, register = _stored(run.id), Register()
    _must_be_as_it_was(run, rows, register)
    tell = telling(run.id, run.total)
    to_do = [row for row in rows if row.kind in (RowKind.NEW, RowKind.CHANGED)]
    for start in range(0, len(to_do), BATCH):
        _write(to_do[start : start + BATCH], register.services)
        tell(start + BATCH)


def _stored(run_id: int) -> Sequence[Row[Any]]:
    """What the dry run showed, in the order of the file."""
    columns = (ImportRow.line, ImportRow.kind, ImportRow.product_id, ImportRow.service, ImportRow.product)
    more = (ImportRow.wanted, ImportRow.before, ImportRow.after)
    query = select(*columns, *more).where(ImportRow.run_id == run_id)
    return db.session.execute(query.order_by(ImportRow.line)).all()


def _lock(run_id: int) -> None:
    """Nobody else writes into the payments that change before the end."""
    changing = select(ImportRow.product_id).where(
        ImportRow.run_id == run_id, ImportRow.kind == RowKind.CHANGED
    )
    query = select(PaymentInfo.id).where(PaymentInfo.product_id.in_(changing)).order_by(PaymentInfo.id)
    db.session.execute(query.with_for_update())


def _write(rows: Sequence[Row[Any]], services: dict[str, int]) -> None:
    """A few rows at a time, and their objects leave the session: each flush looks at all that are in it."""
    query = select(PaymentInfo).options(joinedload(PaymentInfo.product, innerjoin=True))
    changing = [row.product_id for row in rows if row.kind == RowKind.CHANGED]
    kept = {
        one.product_id: one for one in db.session.scalars(query.where(PaymentInfo.product_id.in_(changing)))
    }
    touched = list(kept.values())
    for row in rows:
        if row.kind == RowKind.CHANGED:
            payments.put_down(kept[row.product_id], row.after)
        else:
            touched.append(_add(row, services))
    db.session.flush()
    for payment in touched:
        product = payment.product
        db.session.expunge(payment)
        db.session.expunge(product)


def _must_be_as_it_was(run: ImportRun, rows: Iterable[Any], register: Register) -> None:
    """Conflict if a row would do something else by now than what the dry run showed."""
    for row in rows:
        now = Planned(
            row.line, product_id=row.product_id, service=row.service, product=row.product, wanted=row.wanted
        )
        planning.compare(now, register, create_services=run.create_services)
        if (now.kind, now.before, now.after) != (row.kind, row.before, row.after):
            raise Conflict(
                f"The register has changed since the dry run: line {row.line} ({row.product} of {row.service}) "
                "would do something else now. Check the file again."
            )


def _add(row: Any, services: dict[str, int]) -> PaymentInfo:
    """A new product with its payment, and its service if it is missing; those who came before it are in `services`."""
    key = planning.name_key(row.service)
    if key not in services:
        services[key] = inventory.create_service(name=row.service).id
    product = inventory.create_product(service_id=services[key], name=row.product)
    payment = queries.payment_of(product.id) or payments.open_record(product)
    payments.put_down(payment, row.wanted)
    return payment
