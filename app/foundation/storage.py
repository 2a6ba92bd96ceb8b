"""Where files lie that belong to rows: in a folder, or in storage that speaks S3. `ATTACHMENTS_URL` decides.

A name is given once, to a content that never changes. Every call may raise StorageGone, which answers 503 within three
seconds: a question that is cheap to answer is asked first, with little patience, and only then the content is moved, for
which a slow line may take its time.
"""

import io
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, BinaryIO, Protocol, cast

from flask import Flask, current_app

log = logging.getLogger(__name__)

# Seconds: to be connected, to be answered at all, to move a content.
CONNECT_SECONDS, ANSWER_SECONDS, MOVE_SECONDS = 1, 2, 60


class StorageGone(Exception):
    """The storage does not answer, or refuses; nothing was stored. No rule said no, so no form shows it."""


class NoSuchFile(Exception):
    """The storage answers, and has nothing of this name."""


class Store(Protocol):
    """Contents by name."""

    def put(self, name: str, content: bytes) -> None:
        """Store it whole or not at all, safe from a power cut once this returns."""

    def open(self, name: str) -> BinaryIO:
        """Its content, to be read piece by piece. NoSuchFile if there is none."""

    def size(self, name: str) -> int:
        """How many bytes. NoSuchFile if there is none."""

    def delete(self, name: str) -> None:
        """No fault if it is gone already."""

    def names(self) -> Iterator[str]:
        """Every name, in no order."""


class Folder:
    """Files in a folder that nobody else may read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def put(self, name: str, content: bytes) -> None:
        with (
            _unless_gone(putting=True),
            NamedTemporaryFile(dir=self._folder(), prefix=".", delete=False) as draft,
        ):
            try:
                draft.write(content)
                draft.flush()
                os.fsync(draft.fileno())
                Path(draft.name).rename(self.path / name)
                sync_folder(self.path)
            except OSError:
                Path(draft.name).unlink(missing_ok=True)
                raise

    def open(self, name: str) -> BinaryIO:
        with _unless_gone():
            return (self.path / name).open("rb")

    def size(self, name: str) -> int:
        with _unless_gone():
            return (self.path / name).stat().st_size

    def delete(self, name: str) -> None:
        with _unless_gone():
            (self.path / name).unlink(missing_ok=True)

    def names(self) -> Iterator[str]:
        with _unless_gone():
            yield from (one.name for one in self._folder().iterdir() if not one.name.startswith("."))

    def _folder(self) -> Path:
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.path


class Bucket:
    """Objects below a prefix of an S3 bucket. Without keys the machine's own role is asked for them."""

    def __init__(self, url: str, **access: Any) -> None:
        from datetime import timedelta  # noqa: PLC0415 - with the client below, which most processes never need

        from obstore.store import S3Store  # noqa: PLC0415

        def client(seconds: int, retries: int) -> Any:
            timeouts = {
                "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
                "timeout": timedelta(seconds=seconds),
                "allow_http": str(access.get("endpoint", "")).startswith("http://"),
            }
            again = {"max_retries": retries, "retry_timeout": timedelta(seconds=seconds)}
            return S3Store.from_url(url, client_options=timeouts, retry_config=again, **access)  # type: ignore[arg-type]

        self._hasty, self._patient = client(ANSWER_SECONDS, 0), client(MOVE_SECONDS, 2)

    def put(self, name: str, content: bytes) -> None:
        import obstore  # noqa: PLC0415

        with _unless_gone(putting=True):
            self._ask_about(name)
            obstore.put(self._patient, name, content)

    def open(self, name: str) -> BinaryIO:
        import obstore  # noqa: PLC0415

        with _unless_gone():
            obstore.head(self._hasty, name)
            return io.BufferedReader(_Object(obstore.open_reader(self._patient, name)))

    def size(self, name: str) -> int:
        import obstore  # noqa: PLC0415

        with _unless_gone():
            return int(obstore.head(self._hasty, name)["size"])

    def delete(self, name: str) -> None:
        import obstore  # noqa: PLC0415

        with _unless_gone():
            obstore.delete(self._hasty, name)

    def names(self) -> Iterator[str]:
        import obstore  # noqa: PLC0415

        with _unless_gone():
            for page in obstore.list(self._patient):
                yield from (str(one["path"]) for one in page)

    def _ask_about(self, name: str) -> None:
        """Whether anybody is there; what the answer is does not matter."""
        import obstore  # noqa: PLC0415

        with suppress(FileNotFoundError):
            obstore.head(self._hasty, name)


class _Object(io.RawIOBase):
    """An object as Python reads files."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with _unless_gone():
            found = bytes(self._reader.read(len(buffer)))
        buffer[: len(found)] = found
        return len(found)


@contextmanager
def _unless_gone(*, putting: bool = False) -> Iterator[None]:
    """What a disk or a server says, in the words of this module. Who puts something finds no folder or no bucket."""
    try:
        yield
    except Exception as error:
        if isinstance(error, FileNotFoundError) and not putting:
            raise NoSuchFile(str(error)) from None
        if not isinstance(error, OSError) and not type(error).__module__.startswith("obstore"):
            raise
        log.error("the storage of files does not do its work: %s", error)  # noqa: TRY400 - its trace says nothing
        raise StorageGone from error


_named_by: list[tuple[str, str]] = []


def holds_names(table: str, column: str) -> None:
    """Declare that a column holds names of files, so that backups take them along."""
    if (table, column) not in _named_by:
        _named_by.append((table, column))


def named_by() -> list[tuple[str, str]]:
    """Every (table, column) that holds names of files."""
    return list(_named_by)


def sync_folder(path: Path) -> None:
    """A new name in a folder is safe from a power cut when the folder is."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def init_app(app: Flask, url: str, folder: Path, **access: Any) -> None:
    """Remember where files lie; no connection is made yet."""
    app.extensions["storage"] = (url, folder, access)


def store() -> Store:
    """The application's store of files."""
    found = current_app.extensions["storage"]
    if isinstance(found, tuple):
        url, folder, access = found
        found = Bucket(url, **access) if url else Folder(folder)
        current_app.extensions["storage"] = found
    return cast("Store", found)
