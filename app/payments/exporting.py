"""The register as a file: CSV for programs and for every spreadsheet, XLSX with numbers and dates that are such.

Rows are read from one statement in batches and written to a temporary file, whose first byte goes out when the last row
is in it: no row is held longer than its batch, a slow reader keeps no connection to the database, and an export that
breaks is an error and never half a file.
"""

import csv
import io
import tempfile
from collections.abc import Iterator
from datetime import date
from typing import IO, Any

import xlsxwriter

from app.audit import recorder
from app.foundation.database import db
from app.payments import queries
from app.payments.filters import RegisterFilter
from app.payments.models import PaymentInfo
from app.payments.sheets import COLUMNS, guarded, in_words, writable

KINDS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
BATCH = 2_000
# A file up to this size (bytes) never reaches the disk.
IN_MEMORY = 4 * 1024 * 1024
WIDTHS = {"product_id": 10, "service": 26, "product": 30, "cardholder_name": 24, "payment_method": 18}
DEFAULT_WIDTH = 14


def export(kind: str, wanted: RegisterFilter) -> IO[bytes]:
    """What the viewer may see of the register, as far as it is wanted; noted in the log with how many rows it was."""
    # A name of its own is needed by nobody: the file is gone when it is closed.
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - the answer reads and closes it
    write = _write_csv if kind == "csv" else _write_xlsx
    count = write(file, _rows(wanted))
    recorder.record(
        "payment_register.export",
        target_type="payment_register",
        target_label=f"{count} rows as {kind.upper()}",
        after={"format": kind, "rows": count, "filter": wanted.as_args()},
    )
    file.seek(0)
    return file


def _rows(wanted: RegisterFilter) -> Iterator[dict[str, Any]]:
    """One statement, and its rows a batch at a time; the row rules hold, because it is an ORM select."""
    query = queries.register().add_columns(PaymentInfo.auto_renew, PaymentInfo.notice_days)
    found = db.session.execute(wanted.apply(query).execution_options(yield_per=BATCH))
    for row in found.mappings():
        yield {**row, "service": row["service_name"], "product": row["product_name"]}


def _write_csv(file: IO[bytes], rows: Iterator[dict[str, Any]]) -> int:
    """With the mark by which Excel knows UTF-8, commas, and CRLF (RFC 4180)."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow([column.label for column in COLUMNS])
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007 - it says how many there were
        writer.writerow([guarded(in_words(one.field, row[one.field], row["currency"])) for one in COLUMNS])
    text.detach()
    return count


def _write_xlsx(file: IO[bytes], rows: Iterator[dict[str, Any]]) -> int:
    book = xlsxwriter.Workbook(file, {"constant_memory": True, "default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet("Payment register")
    formats = {
        "head": book.add_format({"bold": True, "bottom": 1}),
        # What begins like a formula stays a text, also when somebody edits the cell.
        "text": book.add_format({"quote_prefix": True}),
        "number": book.add_format({"num_format": "#,##0.00##"}),
        "date": book.add_format({"num_format": "yyyy-mm-dd"}),
    }
    sheet.freeze_panes(1, 0)
    for place, column in enumerate(COLUMNS):
        sheet.set_column(place, place, WIDTHS.get(column.field, DEFAULT_WIDTH))
        sheet.write_string(0, place, column.label, formats["head"])
    count = 0
    for count, row in enumerate(rows, 1):
        for place, column in enumerate(COLUMNS):
            _write_cell(sheet, (count, place), row[column.field], formats)
    sheet.autofilter(0, 0, count, len(COLUMNS) - 1)
    book.close()
    return count


def _write_cell(sheet: Any, place: tuple[int, int], value: Any, formats: dict[str, Any]) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(*place, value)
    elif isinstance(value, date):
        sheet.write_datetime(*place, value, formats["date"])
    elif isinstance(value, str):
        text = writable(value)
        sheet.write_string(*place, text, formats["text"] if text.startswith(("=", "+", "-", "@")) else None)
    elif isinstance(value, int):
        sheet.write_number(*place, value)
    else:
        sheet.write_number(*place, value, formats["number"])
