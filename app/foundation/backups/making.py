"""A backup is made: everything in one file, of one moment, while the portal runs."""

import fcntl
import hmac
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from flask import current_app

from app.foundation import clock, events, storage
from app.foundation.backups import archive, postgres, shelf
from app.foundation.backups.shelf import BackupError
from app.foundation.events import Operated
from app.foundation.storage import NoSuchFile, StorageGone

# Folders of the data directory that belong to the portal's memory, beside the database and the attachments.
HEADS, SECRETS = "audit-heads", "secrets"
ATTACHMENTS = f"{archive.FILES}attachments/"


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made; `missing` names files that rows speak of and that nobody has any more."""

    path: Path
    made_at: datetime
    size: int
    rows: int
    files: int
    missing: list[str]
    encrypted: bool


def make(where: Path | None = None) -> Made:
    """Make a backup in a folder, `BACKUP_DIR` without one, where old ones are then deleted. BackupError, with nothing left behind."""
    folder = where or shelf.folder()
    keys = archive.recipients_of(current_app.config["BACKUP_RECIPIENTS"])
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = _make(folder, keys)
    except StorageGone:
        raise BackupError("The storage of attachments does not answer; nothing was backed up.") from None
    except OSError as error:
        raise BackupError(f"The backup can't be written to {folder}: {error.strerror or error}.") from error
    if where is None:
        shelf.delete_old(folder, current_app.config["BACKUP_KEEP_DAYS"])
    events.publish(Operated("backup.create", made.path.name, f"{made.rows} rows, {made.files} files"))
    return made


def _make(folder: Path, keys: list[Any]) -> Made:
    # The heads come first: each of them names an entry that the snapshot, which is taken after, has.
    small = list(_small_files(Path(current_app.config["DATA_DIR"])))
    with postgres.snapshot(current_app.config["BACKUP_DATABASE_URL"]) as (connection, name):
        moment = clock.now().replace(microsecond=0)
        path = folder / shelf.name_of(moment, encrypted=bool(keys))
        if path.exists():
            raise BackupError("There is a backup of this second already.")
        manifest = _manifest(connection, moment)
        with draft_of(path) as draft, archive.writing(draft, keys) as target:
            writer = archive.Writer(target, moment.timestamp())
            for member, content in small:
                writer.add(member, io.BytesIO(content), len(content))
            files, missing = _add_attachments(writer, connection)
            with postgres.dumping(connection, name) as dump:
                writer.add_stream(archive.DATABASE, dump)
            writer.finish(manifest | {"attachments": files, "missing": missing})
    rows = sum(one["rows"] for one in manifest["tables"].values())
    return Made(path, moment, path.stat().st_size, rows, files, missing, bool(keys))


def _manifest(connection: Any, moment: datetime) -> dict[str, Any]:
    return {
        "format": archive.FORMAT,
        "version": current_app.config["VERSION"],
        "made_at": moment.isoformat(),
        "migration": postgres.revision_of(connection),
        "postgres": connection.server_version,
        "secret_key": key_print(current_app.config["SECRET_KEY"]),
        "tables": postgres.tables_of(connection),
    }


def key_print(secret: str) -> str:
    """Tells whether two secrets are the same, and nothing about either."""
    return hmac.digest(secret.encode(), b"portalops backup", "sha256").hex()[:16]


def _small_files(data_dir: Path) -> Iterator[tuple[str, bytes]]:
    """Exported heads of the audit log, then generated secrets: whole, because their writer's lock is held."""
    for name in (HEADS, SECRETS):
        with _shared_lock(data_dir / name / "lock"):
            for path in sorted((data_dir / name).glob("*")):
                if path.is_file() and path.name != "lock":
                    with suppress(FileNotFoundError):
                        yield f"{archive.FILES}{name}/{path.name}", path.read_bytes()


@contextmanager
def _shared_lock(path: Path) -> Iterator[None]:
    if not path.exists():
        yield
        return
    with path.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def _add_attachments(writer: archive.Writer, connection: Any) -> tuple[int, list[str]]:
    """The files that rows of the snapshot name. They were stored before those rows, and never change."""
    store, count, missing = storage.store(), 0, []
    for name in postgres.names_in(connection, storage.named_by()):
        try:
            size = store.size(name)
            with store.open(name) as content:
                writer.add(f"{ATTACHMENTS}{name}", content, size)
        except NoSuchFile:
            missing.append(name)
        else:
            count += 1
    return count, missing


@contextmanager
def draft_of(path: Path) -> Iterator[BinaryIO]:
    """A file that gets its name once it is whole and on the disk. Drafts that a dead process left are deleted."""
    for left in path.parent.glob(".portalops-*.unfinished"):
        with suppress(OSError), left.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left.unlink()
    draft = path.with_name(f".{path.name}.unfinished")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb", archive.PIECE) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
        storage.sync_folder(path.parent)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
