"""A stranger's file is read by a process of its own, or refused with words that say what to do."""

import io
import zipfile

import openpyxl
import pytest

from app.foundation.errors import InvalidInput
from app.payments.importing import parsing
from app.payments.importing.receiving import _kind, _name
from app.payments.reading.cells import MOST_ROWS
from tests.payments.sheets import csv_of, xlsx_of

SHEET = "Service,Product,Holder"


def refusal(content: bytes, kind: str = "csv") -> str:
    """Why a file is refused, whether at the first look or while it is read."""

    def read() -> None:
        parsing.look(content, kind)
        with parsing.rows(content, kind) as (_, found):
            list(found)

    with pytest.raises(InvalidInput) as caught:
        read()
    return caught.value.fields["file"]


def rows(content: bytes, kind: str = "csv") -> list:
    with parsing.rows(content, kind) as (_, found):
        return list(found)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encoding_is_found_out(encoding):
    content = csv_of(SHEET, "Büro,Café,Zoë", encoding=encoding)
    assert rows(content) == [[2, ["Büro", "Café", "Zoë"]]]
    found = parsing.look(content, "csv")
    assert found["encoding"] == {"utf-8-sig": "utf-8", "cp1252": "windows-1252"}.get(encoding, encoding)


def test_utf16_of_the_other_order_is_read():
    content = b"\xfe\xff" + f"{SHEET}\nBüro,Café,Zoë".encode("utf-16-be")
    assert rows(content) == [[2, ["Büro", "Café", "Zoë"]]]


def test_mixed_encodings_are_refused_and_the_line_is_named():
    lines = [SHEET.encode(), "Büro,Café,Zoë".encode(), b"plain,plain,plain", "Büro,Café,Zoë".encode("cp1252")]
    assert "Line 4 is not UTF-8, while line 2 is UTF-8" in refusal(b"\n".join(lines))
    both = [SHEET.encode(), "Büro,".encode() + "Café,x".encode("cp1252")]
    assert "Line 2 alone is not UTF-8, has two of them" in refusal(b"\n".join(both))
    broken = b"\xef\xbb\xbf" + b"\n".join([SHEET.encode(), b"B\xfcro,x,y"])
    assert "Line 2 is not in the encoding" in refusal(broken)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (SHEET.encode("utf-16-le"), "no text in an encoding"),
        (b"Service,Product\nB\x81ro,x", "Line 2 is neither UTF-8 nor Windows-1252"),
        (csv_of(SHEET), "The sheet is empty"),
        (csv_of(SHEET, ",,", ""), "The sheet is empty"),
        (csv_of(",,", " , "), "The first line must name the columns"),
        (csv_of("Service,Amount,service", "a,b,c"), "(A and C)"),
        (csv_of(SHEET, 'a,"b,c', "d,e,f"), "line 2"),
        (csv_of(SHEET, 'a,b,"c" d'), "line 2"),
        (csv_of(SHEET, "x" * 100_000), "line 2"),
        (csv_of(",".join(f"c{number}" for number in range(120)), "a"), "more than 100 columns"),
        (csv_of("Service,Product", *["a,b"] * 200_000), f"more than {MOST_ROWS:,} rows"),
    ],
    ids=[
        "utf-16 without its mark",
        "neither",
        "nothing below the names",
        "blank rows",
        "no names",
        "a name twice",
        "a quotation mark left open",
        "a quotation mark inside",
        "a huge cell",
        "too many columns",
        "200,000 rows",
    ],
)
def test_csv_that_can_not_be_taken_says_why(content, said):
    assert said in refusal(content)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiter_is_the_one_of_the_first_line(delimiter):
    content = csv_of(
        delimiter.join(["Service", '"Product, or plan; whatever"', "Holder"]), delimiter.join("abc")
    )
    assert rows(content) == [[2, ["a", "b", "c"]]]


def test_line_of_excel_that_names_the_delimiter_is_no_row():
    assert rows(csv_of("sep=;", "Service;Product", "a,b;c")) == [[3, ["a,b", "c"]]]


def test_record_is_named_by_the_line_that_it_begins_on():
    assert [line for line, _ in rows(csv_of(SHEET, '"two', 'lines",b,c', "", "d,e,f"))] == [2, 5]


def test_cells_of_a_workbook():
    content = xlsx_of(
        ["Service", "Amount"], ["a", 1250.0], ["=A2", 4111111111111111], [None, None], [True, 1e-7]
    )
    assert rows(content, "xlsx") == [
        [2, ["a", {"n": "1250"}]],
        [3, [{"f": "=A2"}, {"n": "4111111111111111"}]],
        [5, [True, {"n": "1e-07"}]],
    ]
    assert parsing.look(xlsx_of(["A"], ["b"], sheets=2), "xlsx")["others"] == ["Sheet2"]


def archive(**entries: bytes) -> bytes:
    """A ZIP; the workbook's own parts are there unless they are given."""
    with zipfile.ZipFile(io.BytesIO(xlsx_of(["A"], ["b"]))) as source:
        parts = {name: source.read(name) for name in source.namelist()} | entries
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return file.getvalue()


def lying(content: bytes) -> bytes:
    """The directory says that the sheet is small."""
    at = content.rindex(b"PK\x01\x02", 0, content.rindex(b"xl/worksheets/sheet1.xml"))
    return content[: at + 24] + (1000).to_bytes(4, "little") + content[at + 28 :]


SHEET_PART = "xl/worksheets/sheet1.xml"
BOMB = (
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    + b" " * 200_000_000
)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (archive(**{SHEET_PART: BOMB}), "unpacks to far more"),
        (archive(**{SHEET_PART: BOMB[:100_000_000]}), "unpacks to far more"),
        (archive(**{f"xl/media/{number}.png": b"x" for number in range(600)}), "unpacks to far more"),
        (lying(archive(**{SHEET_PART: BOMB[:50_000_000]})), "damaged"),
        (xlsx_of(["A"], ["b"])[:-200], "damaged"),
        (xlsx_of(["A"], ["b"])[:2000] + b"x" * 4000, "damaged"),
        (archive(**{SHEET_PART: b"<worksheet><sheetData><row><c><v>1"}), "damaged"),
        (archive(**{"xl/workbook.xml": b"<nonsense/>"}), "no visible sheet"),
        (xlsx_of(["A"]), "The sheet is empty"),
        (xlsx_of(), "The sheet is empty"),
        (xlsx_of(["Service"], *[["a"]] * (MOST_ROWS + 1)), f"more than {MOST_ROWS:,} rows"),
        (xlsx_of(["Service"], *[["a"]] * 200_000), f"more than {MOST_ROWS:,} rows"),
    ],
    ids=[
        "too large", "too tightly packed", "too many entries", "a lying directory", "cut off", "overwritten",
        "broken XML", "no sheet in it", "names only", "nothing", "a row too many", "200,000 rows",
    ],
)  # fmt: skip
def test_workbook_that_can_not_be_taken_says_why(content, said):
    assert said in refusal(content, "xlsx")


def test_entities_of_xml_do_not_grow():
    """The "billion laughs": expat refuses, the process is limited besides."""
    laughs = b"".join(
        b'<!ENTITY l%d "%s">' % (number, b"&l%d;" % (number - 1) * 10) for number in range(1, 10)
    )
    content = (
        b'<?xml version="1.0"?><!DOCTYPE worksheet [<!ENTITY l0 "ha">'
        + laughs
        + b"]><worksheet>&l9;</worksheet>"
    )
    assert refusal(archive(**{SHEET_PART: content}), "xlsx").startswith(
        ("This XLSX file is damaged", "The sheet is empty")
    )


def test_encrypted_entry_is_refused():
    content = bytearray(xlsx_of(["A"], ["b"]))
    at = content.find(b"PK\x01\x02")
    while at >= 0:
        content[at + 8] |= 1
        at = content.find(b"PK\x01\x02", at + 4)
    assert "Save it without a password" in refusal(bytes(content), "xlsx")


def test_sheet_that_lies_about_its_size_is_read_as_it_is():
    book = openpyxl.Workbook()
    book.active.append(["Service"])
    book.active.append(["a"])
    file = io.BytesIO()
    book.save(file)
    with zipfile.ZipFile(io.BytesIO(file.getvalue())) as source:
        sheet = source.read(SHEET_PART).replace(b'<dimension ref="A1:A2"', b'<dimension ref="A1:XFD1048576"')
        parts = {name: source.read(name) for name in source.namelist()} | {SHEET_PART: sheet}
    assert rows(archive(**parts), "xlsx") == [[2, ["a"]]]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old XLS file, or an encrypted one"),
        ("a.csv", b"%PDF-1.7", "PDF"),
        ("a.csv", b"  <html>", "web page"),
        ("a.csv", b"PK\x03\x04", "its content does not"),
        ("a.xlsx", b"Service,Product", "its content does not"),
        ("a.exe", b"Service,Product", "Choose a CSV or XLSX file."),
        ("a.csv", b" \n ", "This file is empty."),
    ],
)
def test_file_is_what_its_name_says(name, content, said):
    with pytest.raises(InvalidInput, match=said):
        _kind(name, content)


@pytest.mark.parametrize("name", ["", "  ", "a" * 300 + ".csv", "4111 1111 1111 1111.csv", "a\x00.csv"])
def test_name_of_a_file_is_checked(name):
    with pytest.raises(InvalidInput):
        _name(name)
    assert _name("C:\\sheets\\May.csv") == "May.csv"


def test_process_that_takes_too_long_is_ended(monkeypatch):
    monkeypatch.setitem(parsing.SECONDS, "look", 0.01)
    with pytest.raises(InvalidInput, match="takes longer"):
        parsing.look(csv_of(SHEET, "a,b,c"), "csv")
