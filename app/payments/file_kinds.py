"""What a file is, as its bytes say. A file is taken whole or not: nothing may stand before, behind or beside it.

A polyglot is a file that two programs read as two things, such as a picture with a ZIP archive behind its end. Sources:
PNG (RFC 2083), JPEG (ITU-T T.81, annex B), PDF (ISO 32000-1, 7.5), ZIP (APPNOTE 4.3.16).
"""

import re
import zlib
from collections.abc import Callable

from app.payments.history_models import InvoiceType

ENDINGS = {
    InvoiceType.PDF: (".pdf",),
    InvoiceType.PNG: (".png",),
    InvoiceType.JPEG: (".jpg", ".jpeg"),
}
PNG_START = b"\x89PNG\r\n\x1a\n"
JPEG_START = b"\xff\xd8\xff"
ZIP_END = b"PK\x05\x06"
# In what a browser would look at to guess the type of a file without one.
GUESSED_FROM = 1024
_MARKUP = re.compile(rb"<\s*(!doctype|html|head|body|script|svg|iframe|img|object|embed)\b", re.IGNORECASE)
_PDF_START = re.compile(rb"%PDF-[12]\.[0-9]")
_PDF_END = re.compile(rb"startxref\s+[0-9]+\s+%%EOF[\s\x00]*\Z")
_ALONE = {0x01, *range(0xD0, 0xD8)}  # JPEG's markers without a length: TEM and the restarts


class Lying(ValueError):
    """The file is not what it seems; the message is for people."""


def kind_of(content: bytes) -> InvoiceType:
    """PDF, PNG or JPEG. Lying for everything else, and for what is more than one thing."""
    if not content:
        raise Lying("The file is empty.")
    kind = next((kind for kind, start in _STARTS.items() if start(content)), None)
    if kind is None:
        raise Lying("Choose a PDF, a PNG or a JPEG file. This one is none, whatever it is called.")
    if _MARKUP.search(content[:GUESSED_FROM]) or _is_zip(content):
        raise Lying("This file is more than one thing. Save it anew and choose the copy.")
    if not _WHOLE[kind](content):
        name = kind.name
        raise Lying(
            f"This {name} is damaged, or more follows behind its end. Save it anew and choose the copy."
        )
    return kind


def _is_zip(content: bytes) -> bool:
    """Whether an unpacker finds an archive: it looks for the last record from behind, over a comment up to the end."""
    at = content.rfind(ZIP_END, max(0, len(content) - 65_557))
    while at != -1:
        if at + 22 + int.from_bytes(content[at + 20 : at + 22], "little") == len(content):
            return True
        at = content.rfind(ZIP_END, max(0, len(content) - 65_557), at)
    return False


def _whole_pdf(content: bytes) -> bool:
    return bool(_PDF_END.search(content[-2048:]))


def _whole_png(content: bytes) -> bool:
    """Chunk by chunk, each with its checksum, from IHDR to IEND at the very end."""
    at, kind = len(PNG_START), b""
    while at + 12 <= len(content) and kind != b"IEND":
        size = int.from_bytes(content[at : at + 4], "big")
        kind, body = content[at + 4 : at + 8], content[at + 4 : at + 8 + size]
        checksum = int.from_bytes(content[at + 8 + size : at + 12 + size], "big")
        if (at == len(PNG_START)) != (kind == b"IHDR") or zlib.crc32(body) != checksum:
            return False
        at += 12 + size
    return kind == b"IEND" and at == len(content)


def _whole_jpeg(content: bytes) -> bool:
    """Segment by segment, over the scans' data, to the end of the image at the very end."""
    at = 2
    while at + 2 <= len(content):
        if content[at] != 0xFF:
            return False
        marker = content[at + 1]
        if marker == 0xD9:
            return at + 2 == len(content)
        if marker in _ALONE or marker == 0xFF:
            at += 1 if marker == 0xFF else 2
            continue
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        if marker == 0xDA:
            at = _behind_scan(content, at)
    return False


def _behind_scan(content: bytes, at: int) -> int:
    """The next marker: in a scan's data 0xFF is followed by zero or a restart."""
    while True:
        at = content.find(b"\xff", at)
        if at == -1 or at + 1 >= len(content):
            return len(content)
        if content[at + 1] != 0 and content[at + 1] not in _ALONE:
            return at
        at += 2


_STARTS: dict[InvoiceType, Callable[[bytes], bool]] = {
    InvoiceType.PDF: lambda content: bool(_PDF_START.match(content)),
    InvoiceType.PNG: lambda content: content.startswith(PNG_START),
    InvoiceType.JPEG: lambda content: content.startswith(JPEG_START),
}
_WHOLE: dict[InvoiceType, Callable[[bytes], bool]] = {
    InvoiceType.PDF: _whole_pdf,
    InvoiceType.PNG: _whole_png,
    InvoiceType.JPEG: _whole_jpeg,
}
