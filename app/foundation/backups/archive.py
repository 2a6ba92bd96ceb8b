"""The file of a backup: a tar, and around it the age format if there is a key.

Its members, in order: `files/...`, `database/00001` and so on (pieces of what pg_dump wrote, as a tar must know the size of
what comes), `manifest.json`, and `SHA256SUMS` of all of them, which `sha256sum -c` reads. Nothing is kept in memory but
a piece. Stock `age`, `tar` and `pg_restore` can do all that is done here.
"""

import hashlib
import io
import json
import os
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from app.foundation.backups.shelf import ENCRYPTED, BackupError

PIECE = 4 * 1024 * 1024
MANIFEST, SUMS, DATABASE, FILES = "manifest.json", "SHA256SUMS", "database/", "files/"
FORMAT = 1
_DAMAGED = "The backup is damaged or was cut off: {}. Take another one."


class Writer:
    """Writes the members of one backup, one after the other."""

    def __init__(self, target: IO[bytes], moment: float) -> None:
        self._target, self._moment = target, moment
        self._sums: list[str] = []

    def add(self, name: str, content: IO[bytes], size: int) -> None:
        """One member of this size, read from a file. EOFError if the file is shorter."""
        info = tarfile.TarInfo(name)
        info.size, info.mtime, info.mode = size, self._moment, 0o600
        self._target.write(info.tobuf(tarfile.PAX_FORMAT))
        digest, left = hashlib.sha256(), size
        while left:
            piece = content.read(min(left, PIECE))
            if not piece:
                raise EOFError(name)
            digest.update(piece)
            self._target.write(piece)
            left -= len(piece)
        self._target.write(bytes(-size % tarfile.BLOCKSIZE))
        self._sums.append(f"{digest.hexdigest()}  {name}\n")

    def add_stream(self, prefix: str, content: IO[bytes]) -> None:
        """Members of at most one piece each, until the stream ends."""
        number = 0
        while piece := content.read(PIECE):
            number += 1
            self.add(f"{prefix}{number:05}", io.BytesIO(piece), len(piece))

    def finish(self, manifest: dict[str, Any]) -> None:
        """What makes it whole."""
        for name, text in ((MANIFEST, json.dumps(manifest, indent=1)), (SUMS, "")):
            content = (text or "".join(self._sums)).encode()
            self.add(name, io.BytesIO(content), len(content))
        self._target.write(bytes(2 * tarfile.BLOCKSIZE))


def verify(
    path: Path, identities: list[Any], keep: tuple[str, ...] = ()
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Read all of a backup and check every sum. BackupError for anything that is not as it was.

    Returns the manifest, and the contents of members whose names begin with one of `keep`.
    """
    found: dict[str, str] = {}
    kept: dict[str, bytes] = {}
    for name, content in members(path, identities):
        digest = hashlib.sha256()
        pieces = []
        while piece := content.read(PIECE):
            digest.update(piece)
            if name.startswith((MANIFEST, SUMS, *keep)):
                pieces.append(piece)
        found[name] = digest.hexdigest()
        if pieces:
            kept[name] = b"".join(pieces)
    found.pop(SUMS, None)
    said = kept.pop(SUMS, b"").decode("utf-8", "replace")
    manifest = _parsed(kept.pop(MANIFEST, b"{}"))
    if not said:
        raise BackupError(_DAMAGED.format("its end is missing"))
    if said != "".join(f"{digest}  {name}\n" for name, digest in found.items()):
        raise BackupError(_DAMAGED.format("a checksum does not fit"))
    if manifest.get("format") != FORMAT:
        raise BackupError(
            "This backup was made by a newer PortalOps than this one. Restore it with that version."
        )
    return manifest, kept


def _parsed(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        raise BackupError(_DAMAGED.format("its description can't be read")) from None
    return found if isinstance(found, dict) else {}


def members(path: Path, identities: list[Any]) -> Iterator[tuple[str, "_Member"]]:
    """The members in order; each must be read before the next. BackupError for what can't be read."""
    with reading(path, identities) as source:
        try:
            with tarfile.open(fileobj=source, mode="r|") as tar:
                for info in tar:
                    content = tar.extractfile(info) if info.isreg() else None
                    if content is None:
                        raise BackupError(_DAMAGED.format(f"{info.name} is no file"))
                    yield info.name, _Member(content)
            while source.read(PIECE):
                pass
        except (tarfile.TarError, EOFError) as error:
            raise BackupError(_DAMAGED.format(error)) from None


class _Member:
    """The content of one member. BackupError where it ends too early."""

    def __init__(self, content: IO[bytes]) -> None:
        self._content = content

    def read(self, size: int = -1) -> bytes:
        try:
            return self._content.read(size)
        except tarfile.TarError as error:
            raise BackupError(_DAMAGED.format(error)) from None


@contextmanager
def reading(path: Path, identities: list[Any]) -> Iterator[IO[bytes]]:
    """The tar of a backup, decrypted on the way. BackupError without the right key."""
    encrypted = path.name.endswith(ENCRYPTED)
    if encrypted and not identities:
        raise BackupError("This backup is encrypted: give the file of the private key with --identity.")
    try:
        file = path.open("rb")
    except OSError as error:
        raise BackupError(f"{path} can't be read ({error.strerror}).") from None
    with file:
        if not encrypted:
            yield file
            return
        import pyrage  # noqa: PLC0415 - a start without encryption does not need it

        with _piped(lambda pipe: pyrage.decrypt_io(file, pipe, identities), backwards=True) as source:
            yield source


@contextmanager
def writing(target: IO[bytes], recipients: list[Any]) -> Iterator[IO[bytes]]:
    """Where to write the tar; it is encrypted on the way if there are recipients."""
    if not recipients:
        yield target
        return
    import pyrage  # noqa: PLC0415

    with _piped(lambda pipe: pyrage.encrypt_io(pipe, target, recipients), backwards=False) as sink:
        yield sink


@contextmanager
def _piped(work: Callable[[IO[bytes]], None], *, backwards: bool) -> Iterator[IO[bytes]]:
    """Our end of a pipe whose other end is worked on by a thread; with `backwards` the thread writes and we read.

    What stopped the thread is what is raised: we only see that the pipe has ended.
    """
    read, write = os.pipe()
    theirs, ours = (write, read) if backwards else (read, write)
    faults: list[Exception] = []

    def run() -> None:
        try:
            with os.fdopen(theirs, "wb" if backwards else "rb", PIECE) as pipe:
                work(pipe)
        except Exception as error:  # noqa: BLE001 - raised below, where somebody hears it
            faults.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        with os.fdopen(ours, "rb" if backwards else "wb", PIECE) as pipe:
            yield pipe
    except (BrokenPipeError, BackupError, tarfile.TarError):
        thread.join()
        if not _real(faults):
            raise
    finally:
        thread.join()
    for fault in _real(faults):
        raise _told(fault) from fault


def _real(faults: list[Exception]) -> list[Exception]:
    """A thread whose reader went away has no fault of its own."""
    return [fault for fault in faults if "Broken pipe" not in str(fault)]


def _told(fault: Exception) -> Exception:
    text = str(fault)
    if type(fault).__name__ == "EncryptError" or (isinstance(fault, OSError) and fault.errno):
        return fault if isinstance(fault, OSError) else OSError(text)
    if "No matching keys" in text:
        return BackupError("This key does not open the backup: it was encrypted for another one.")
    return BackupError(_DAMAGED.format(text))


def identities_in(path: Path | None) -> list[Any]:
    """The private keys of a file as age-keygen writes it."""
    if path is None:
        return []
    import pyrage  # noqa: PLC0415

    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        found = [pyrage.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
    except (OSError, UnicodeDecodeError, pyrage.IdentityError) as error:
        raise BackupError(f"{path} holds no private key of age ({error}).") from None
    if not found:
        raise BackupError(f"{path} holds no private key of age.")
    return found


def recipients_of(keys: tuple[str, ...]) -> list[Any]:
    """The public keys of the settings."""
    if not keys:
        return []
    import pyrage  # noqa: PLC0415

    try:
        return [pyrage.x25519.Recipient.from_str(key) for key in keys]
    except pyrage.RecipientError as error:
        raise BackupError(f"BACKUP_RECIPIENT is no public key of age: {error}") from None
