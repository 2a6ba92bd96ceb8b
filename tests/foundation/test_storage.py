"""Files that belong to rows, in a folder and in storage that speaks S3: the same promises."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from app.foundation import storage
from app.foundation.database import db
from app.foundation.storage import Bucket, Folder, NoSuchFile, StorageGone, Store
from app.payments.history_models import Invoice, PaymentMade
from tests.object_storage import ACCESS, object_storage
from tests.payments.files import png
from tests.payments.paying import FORM, upload

QUICK_SECONDS = 3


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with object_storage() as address:
        yield address


@pytest.fixture(params=["folder", "bucket"])
def store(request, tmp_path: Path) -> Store:
    if request.param == "folder":
        return Folder(tmp_path / "files")
    address = request.getfixturevalue("s3")
    return Bucket(f"s3://files/{tmp_path.name}", endpoint=address, **ACCESS)


@pytest.fixture
def nobody_there() -> Iterator[str]:
    """An address that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        yield f"http://127.0.0.1:{silent.getsockname()[1]}"


@pytest.fixture
def lies_in(app):
    """Make the application keep its files elsewhere."""
    before = app.extensions["storage"]

    def move(store: Store) -> None:
        app.extensions["storage"] = store

    yield move
    app.extensions["storage"] = before


def test_content_comes_back_as_it_was(store):
    content = bytes(range(256)) * 5_000
    store.put("a" * 32, content)
    store.put("b" * 32, b"other")
    with store.open("a" * 32) as file:
        assert bytes(file.read(10)) == content[:10]
        assert bytes(file.read()) == content[10:]
    assert store.size("a" * 32) == len(content)
    assert sorted(store.names()) == ["a" * 32, "b" * 32]


def test_what_is_not_there_is_told_from_a_store_that_is_gone(store):
    for ask in (store.open, store.size):
        with pytest.raises(NoSuchFile):
            ask("c" * 32)
    store.delete("c" * 32)
    assert list(store.names()) == []


def test_what_is_deleted_is_gone(store):
    store.put("a" * 32, b"content")
    store.delete("a" * 32)
    with pytest.raises(NoSuchFile):
        store.open("a" * 32)


def test_folder_that_takes_nothing_leaves_nothing(tmp_path):
    (tmp_path / "files").write_text("a file where the folder should be")
    with pytest.raises(StorageGone):
        Folder(tmp_path / "files").put("a" * 32, b"content")
    assert [one.name for one in tmp_path.iterdir()] == ["files"]


@pytest.mark.parametrize("kind", ["silent", "closed", "no bucket"])
def test_bucket_that_is_gone_says_so_soon(kind, request):
    address = {"silent": "nobody_there", "no bucket": "s3"}.get(kind)
    address = request.getfixturevalue(address) if address else "http://127.0.0.1:9"
    gone = Bucket("s3://missing/here", endpoint=address, **ACCESS)
    begun = time.monotonic()
    with pytest.raises(StorageGone):
        gone.put("a" * 32, b"content")
    assert time.monotonic() - begun < QUICK_SECONDS


def test_invoice_in_a_bucket_is_kept_shown_and_forgotten_with_its_payment(app, root, world, lies_in, s3):
    bucket = Bucket("s3://files/invoices", endpoint=s3, **ACCESS)
    lies_in(bucket)
    gmail = world.products["Gmail"]
    refused = upload((png(), "march.png"), (b"<svg>", "picture.svg"), **FORM)
    assert root.post(f"/payments/products/{gmail}/record", refused).status_code == 422
    assert list(bucket.names()) == []
    recorded = root.post(f"/payments/products/{gmail}/record", upload((png(), "march.png"), **FORM))
    assert recorded.status_code == 302
    with app.app_context():
        key = db.session.scalars(select(Invoice.id)).one()
    answer = root.get(f"/payments/invoices/{key}")
    assert (answer.status_code, answer.data) == (200, png())
    assert int(answer.headers["Content-Length"]) == len(png())


def test_storage_that_never_answers_is_a_503_and_nothing_is_recorded(app, root, world, lies_in, nobody_there):
    lies_in(Bucket("s3://files/invoices", endpoint=nobody_there, **ACCESS))
    gmail = world.products["Gmail"]
    begun = time.monotonic()
    answer = root.post(f"/payments/products/{gmail}/record", upload((png(), "march.png"), **FORM))
    assert time.monotonic() - begun < QUICK_SECONDS
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    with app.app_context():
        assert db.session.scalars(select(PaymentMade)).all() == []


def test_default_is_a_folder_of_the_data_directory(app, settings):
    with app.app_context():
        assert storage.store().path == settings.data_dir / "attachments"
