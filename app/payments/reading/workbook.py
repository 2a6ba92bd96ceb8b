"""XLSX: what the archive says of itself is checked before anything is unpacked, then openpyxl reads row by row."""

import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from app.payments.reading.cells import (
    EMPTY,
    MOST_COLUMNS,
    MOST_ROWS,
    TOO_MANY_ROWS,
    Refused,
    cell_of,
    columns_of,
)

MOST_ENTRIES = 500
MOST_UNPACKED = 150 * 1024 * 1024
HIGHEST_RATIO = 100
# Below this even a sheet of one repeated value may be packed as tightly as it likes.
SMALL = 1024 * 1024
PIECE = 1024 * 1024
ROW = re.compile(rb"<(?:\w+:)?row[\s/>]")
BOMB = "This file unpacks to far more than a sheet of payments would. It is not opened."
DAMAGED = "This XLSX file is damaged: it can't be read. Save it anew in your spreadsheet program."


def read(file: BinaryIO) -> Iterator[Any]:
    """See `reading.__main__`."""
    check_archive(file)
    try:
        yield from _read(file)
    except (
        InvalidFileException, zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError, AttributeError,
        IndexError, EOFError, OSError, SyntaxError, NotImplementedError, OverflowError, AssertionError,
    ):  # fmt: skip
        # openpyxl has no error of its own for what it can't read: each part of it fails in its own way.
        raise Refused(DAMAGED) from None


def check_archive(file: BinaryIO) -> None:
    """Refused for an archive that is a bomb, encrypted, or no workbook; nothing but its directory is read."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_ENTRIES or sum(entry.file_size for entry in entries) > MOST_UNPACKED:
                raise Refused(BOMB)
            for entry in entries:
                _check_entry(entry)
            if "[Content_Types].xml" not in archive.namelist() or not _sheets(archive):
                raise Refused("This is no XLSX file: it has no sheet in it.")
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, OSError, NotImplementedError):
        raise Refused(DAMAGED) from None


def _check_entry(entry: zipfile.ZipInfo) -> None:
    if entry.flag_bits & 1:
        raise Refused("This file is encrypted. Save it without a password.")
    if entry.file_size > SMALL and entry.file_size > HIGHEST_RATIO * max(entry.compress_size, 1):
        raise Refused(BOMB)


def _sheets(archive: zipfile.ZipFile) -> list[str]:
    return [name for name in archive.namelist() if re.fullmatch(r"xl/worksheets/[^/]+\.xml", name)]


def _rows_written(file: BinaryIO, name: str) -> int:
    """How many rows a sheet has, the formatted but empty ones too: counted in its bytes, a piece at a time.

    That is many times faster than to read the rows only to refuse them.
    """
    found, tail = 0, b""
    with zipfile.ZipFile(file) as archive, archive.open(name) as sheet:
        while piece := sheet.read(PIECE):
            found += len(ROW.findall(tail + piece)) - len(ROW.findall(tail))
            tail = piece[-64:]
    return found


def _read(file: BinaryIO) -> Iterator[Any]:
    book = openpyxl.load_workbook(file, read_only=True, keep_links=False)
    visible: list[Any] = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    if not visible:
        raise Refused("This file has no visible sheet in it.")
    sheet, *others = visible
    written = _rows_written(file, sheet._worksheet_path.lstrip("/"))  # noqa: SLF001 - openpyxl says it nowhere else
    if written > MOST_ROWS * 2:
        raise Refused(TOO_MANY_ROWS)
    # What a sheet says of its own size may be wrong, or a lie.
    sheet.reset_dimensions()
    rows = _rows(sheet)
    first, second = next(rows, None), next(rows, None)
    if first is None or second is None:
        raise Refused(EMPTY)
    names = {"sheet": str(sheet.title), "others": [str(other.title) for other in others]}
    yield {"columns": columns_of(first[1]), "rows": max(written - 1, 1), **names}
    yield second
    for taken, row in enumerate(rows, 2):
        if taken > MOST_ROWS:
            raise Refused(TOO_MANY_ROWS)
        yield row


def _rows(sheet: Any) -> Iterator[list[Any]]:
    """Those that hold anything, each with its number in the sheet."""
    for number, row in enumerate(sheet.iter_rows(max_col=MOST_COLUMNS + 1), 1):
        cells = [_cell(cell) for cell in row]
        while cells and cells[-1] is None:
            cells.pop()
        if cells:
            yield [number, cells]


def _cell(cell: Any) -> Any:
    if cell.data_type == "f":
        return {"f": str(cell.value)[:100]}
    if cell.data_type == "e":
        return {"e": str(cell.value)[:100]}
    # How a text that looks like an escaped character is written (ECMA-376, ST_Xstring); openpyxl leaves some as they are.
    return cell_of(cell.value.replace("_x005F_", "_") if isinstance(cell.value, str) else cell.value)
