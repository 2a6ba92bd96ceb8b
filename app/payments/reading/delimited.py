"""CSV: the encoding found out, the delimiter counted, each record with the line that it begins on."""

import csv
import io
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from app.payments.reading.cells import (
    EMPTY,
    LONGEST_CELL,
    MOST_ROWS,
    TOO_MANY_ROWS,
    Refused,
    columns_of,
    text_of,
)

DELIMITERS = ",;\t"
BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
QUOTED = re.compile(r'"(?:[^"]|"")*"')


def read(file: BinaryIO) -> Iterator[Any]:
    """See `reading.__main__`."""
    text, encoding = decode(file.read())
    delimiter, text, skipped = delimiter_of(text)
    counted = count(text, delimiter)
    if counted > MOST_ROWS + 1:
        raise Refused(TOO_MANY_ROWS)
    records = _records(text, delimiter, skipped)
    columns = columns_of(next(records, (1, []))[1])
    if counted < 2:
        raise Refused(EMPTY)
    yield {"columns": columns, "rows": counted - 1, "encoding": encoding, "delimiter": delimiter}
    yield from ([line, cells] for line, cells in records)


def decode(raw: bytes) -> tuple[str, str]:
    """The text, and the name of its encoding. Refused where there are two of them."""
    for mark, name in BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            return _as_marked(raw.removeprefix(mark), name), name[:6].rstrip("-")
    if b"\0" in raw:
        raise Refused(
            "This is no text in an encoding that can be told. Save it as CSV UTF-8 in your spreadsheet program."
        )
    try:
        return raw.decode(), "utf-8"
    except UnicodeDecodeError:
        return _western(raw), "windows-1252"


def _as_marked(raw: bytes, name: str) -> str:
    try:
        return raw.decode(name)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise Refused(
            f"Line {line} is not in the encoding that the file begins with ({name.upper()}). Save it as CSV UTF-8."
        ) from None


def _western(raw: bytes) -> str:
    """What is no UTF-8 is taken for Windows-1252, if nothing in it is UTF-8 either."""
    proper = wrong = None
    for number, line in enumerate(raw.split(b"\n"), 1):
        if line.isascii():
            continue
        if not line.decode(errors="ignore").isascii():
            proper = proper or number
        if not _is_utf8(line):
            wrong = wrong or number
        if proper and wrong:
            where = f"Line {wrong}" if wrong != proper else f"Line {wrong} alone"
            other = f"while line {proper} is UTF-8" if wrong != proper else "has two of them"
            raise Refused(f"The file mixes encodings: {where} is not UTF-8, {other}. Save it as CSV UTF-8.")
    try:
        return raw.decode("cp1252")
    except UnicodeDecodeError as error:
        broken = raw[: error.start].count(b"\n") + 1
        raise Refused(
            f"Line {broken} is neither UTF-8 nor Windows-1252. Save the file as CSV UTF-8 in your spreadsheet program."
        ) from None


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def delimiter_of(text: str) -> tuple[str, str, int]:
    """Comma, semicolon or tab, whichever the first line has most of outside of quotes; the text; lines left out.

    Excel writes `sep=;` into a first line of its own.
    """
    first, _, rest = text.partition("\n")
    if re.fullmatch(r'"?sep=[,;\t]"?\r?', first):
        return first.strip('"\r')[4], rest, 1
    outside = QUOTED.sub("", first)
    return max(DELIMITERS, key=outside.count), text, 0


def count(text: str, delimiter: str) -> int:
    """How many records hold anything, the first line with the names included; stops above the limit."""
    found = 0
    for _ in _records(text, delimiter, 0):
        found += 1
        if found > MOST_ROWS + 1:
            break
    return found


def _records(text: str, delimiter: str, skipped: int) -> Iterator[tuple[int, list[str | None]]]:
    csv.field_size_limit(LONGEST_CELL * 4)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1 + skipped
    try:
        for record in reader:
            cells = [text_of(cell) for cell in record]
            if any(cell is not None for cell in cells):
                yield line, cells
            line = reader.line_num + 1 + skipped
    except csv.Error as error:
        raise Refused(
            f"The record that begins on line {line} can't be read ({error}). "
            "A quotation mark that is not closed is the usual cause."
        ) from None
