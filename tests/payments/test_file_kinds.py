"""An invoice is a PDF, a PNG or a JPEG, whole and nothing else, whatever it is called."""

import zipfile

import pytest

from app.payments.file_kinds import Lying, kind_of
from app.payments.history_models import InvoiceType
from app.payments.invoicing import file_name
from tests.payments.files import archive, chunk, jpeg, pdf, png


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (pdf(), InvoiceType.PDF),
        (pdf() + b"\r\n\x00\x00", InvoiceType.PDF),
        (png(), InvoiceType.PNG),
        (png(chunk(b"tEXt", b"Title\x00An invoice")), InvoiceType.PNG),
        (jpeg(), InvoiceType.JPEG),
        (jpeg(b""), InvoiceType.JPEG),
    ],
)
def test_kind_is_told_by_the_content(content, kind):
    assert kind_of(content) is kind


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04",
        b"GIF89a",
        b"MZ\x90\x00",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!doctype html><script>alert(1)</script>",
        b" " + pdf(),
        b"junk" + png(),
        pdf()[:-20],
        png()[:-1],
        png().replace(b"IDAT", b"IDAX"),
        b"\x89PNG\r\n\x1a\n",
        jpeg()[:-2],
        b"\xff\xd8\xff\xd9"[:3],
        pdf() + b"<script>alert(1)</script>",
        pdf(b"<html><script>alert(1)</script>"),
        png() + b"<?php ?>",
        jpeg() + b"#!/bin/sh",
        jpeg().replace(b"note", b"<svg"),
        png() + archive(),
        jpeg() + archive(),
        pdf() + archive(),
    ],
)
def test_what_lies_is_refused(content):
    with pytest.raises(Lying):
        kind_of(content)


def test_archive_that_hides_inside_of_a_picture_is_refused(tmp_path):
    """Some unpackers read an archive whose comment is the rest of the picture."""
    packed = archive()
    behind = len(png(chunk(b"zIPz", packed)).partition(packed)[2])
    content = png(chunk(b"zIPz", packed[:-2] + behind.to_bytes(2, "little")))
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    assert zipfile.is_zipfile(path)
    with pytest.raises(Lying, match="more than one thing"):
        kind_of(content)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("invoice.pdf", "invoice.pdf"),
        ("Rechnung März.PDF", "Rechnung März.PDF"),
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\Users\\me\\invoice.pdf", "invoice.pdf"),
        ("evil\u202efdp.exe.pdf", "evilfdp.exe.pdf"),
        ('a"b<c>|?*.pdf', "abc.pdf"),
        ("scan", "scan.pdf"),
        ("Invoice of 12.03.2026 ", "Invoice of 12.03.2026.pdf"),
        ("....", "invoice.pdf"),
        (".pdf", "invoice.pdf"),
        ("a" * 500 + ".pdf", "a" * 200 + ".pdf"),
    ],
)
def test_name_is_safe_to_show_and_to_save_under(given, kept):
    assert file_name(given, InvoiceType.PDF) == kept


@pytest.mark.parametrize("given", ["invoice.png", "invoice.exe", "invoice.html", "invoice.pdf.js"])
def test_name_with_an_ending_of_another_kind_is_refused(given):
    with pytest.raises(Lying, match="is a PDF"):
        file_name(given, InvoiceType.PDF)


@pytest.mark.parametrize("given", ["4111111111111111.pdf", "card 4111 1111 1111 1111 may.pdf"])
def test_name_with_a_card_number_is_refused(given):
    with pytest.raises(Lying, match="payment card"):
        file_name(given, InvoiceType.PDF)
