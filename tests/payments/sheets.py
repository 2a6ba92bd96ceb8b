"""Sheets as people send them, and the walk of one through the import."""

import io
import re
from typing import Any

import xlsxwriter
from sqlalchemy import select

from app.foundation.database import db
from app.inventory.models import Product, Service
from app.payments import operations as payments
from app.payments import queries
from app.payments.import_models import ImportRow, ImportRun
from app.payments.importing import guess
from app.payments.models import PaymentInfo

HEAD = "Service,Product,Amount,Currency,Holder,Expires,Method"


def csv_of(*lines: str, encoding: str = "utf-8") -> bytes:
    return "\r\n".join(lines).encode(encoding)


def xlsx_of(*rows: list[Any], sheets: int = 1) -> bytes:
    """A workbook; a value that begins with `=` is a formula."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"default_date_format": "yyyy-mm-dd"}) as book:
        for number in range(sheets):
            sheet = book.add_worksheet()
            for line, row in enumerate(rows if number == 0 else []):
                sheet.write_row(line, 0, row)
    return file.getvalue()


class Importer:
    """Somebody who imports sheets."""

    def __init__(self, app, visitor, run_jobs) -> None:
        self.app, self.visitor, self.run_jobs = app, visitor, run_jobs

    def upload(self, content: bytes, name: str = "register.csv") -> Any:
        return self.visitor.post("/payments/imports/", {"file": (io.BytesIO(content), name)})

    def received(self, content: bytes, name: str = "register.csv") -> int:
        """The number of the run of a file that is taken."""
        answer = self.upload(content, name)
        assert answer.status_code == 302, re.findall(r'id="file-error".*?<span>(.*?)</span>', answer.text)
        return int(answer.headers["Location"].rpartition("/")[2])

    def check(self, key: int, fields: list[str | None] | None = None, **asked: Any) -> Any:
        """The columns as they are guessed, unless they are said."""
        with self.app.app_context():
            columns = db.session.get(ImportRun, key).look["columns"]
            chosen = guess(columns) if fields is None else fields
        form = {f"column_{place}": field or "" for place, field in enumerate(chosen)}
        return self.visitor.post(f"/payments/imports/{key}/check", {**form, **asked})

    def dry_run(self, content: bytes, name: str = "register.csv", **asked: Any) -> ImportRun:
        """Uploaded, its columns taken as guessed, and checked."""
        key = self.received(content, name)
        answer = self.check(key, **asked)
        assert answer.status_code == 302, answer.text
        self.run_jobs()
        return self.run(key)

    def start(self, key: int) -> ImportRun:
        assert self.visitor.post(f"/payments/imports/{key}/import").status_code == 302
        self.run_jobs()
        return self.run(key)

    def run(self, key: int) -> ImportRun:
        with self.app.app_context():
            run = db.session.get(ImportRun, key)
            db.session.expunge(run)
        return run

    def rows(self, key: int) -> dict[int, ImportRow]:
        """By line."""
        with self.app.app_context():
            rows = db.session.scalars(db.select(ImportRow).where(ImportRow.run_id == key)).all()
            db.session.expunge_all()
        return {row.line: row for row in rows}

    def faults(self, content: bytes, name: str = "register.csv", **asked: Any) -> dict[int, dict[str, str]]:
        """What a dry run refuses, by line and field."""
        run = self.dry_run(content, name, **asked)
        return {line: row.faults for line, row in self.rows(run.id).items() if row.faults}


def payment(app, product_id: int) -> PaymentInfo:
    with app.app_context():
        found = queries.payment_of(product_id)
        db.session.expunge(found)
    return found


def write(app, product_id: int, **fields) -> None:
    with app.app_context():
        payments.change_payment(queries.payment_of(product_id), **fields)
        db.session.commit()


def register(app) -> list[tuple]:
    """What stands in it, and which products and services there are."""
    with app.app_context():
        rows = db.session.execute(select(*PaymentInfo.__table__.c).order_by(PaymentInfo.id)).all()
        names = db.session.execute(
            select(Product.id, Product.name, Product.service_id).order_by(Product.id)
        ).all()
        services = db.session.execute(select(Service.id, Service.name).order_by(Service.id)).all()
    return [*map(tuple, rows), *map(tuple, names), *map(tuple, services)]
