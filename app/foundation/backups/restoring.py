"""A backup is put back: into an empty database, after all of it was read and found whole."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory
from alembic.util import CommandError
from flask import current_app

from app.foundation import clock, secret_files, storage
from app.foundation.backups import archive, postgres
from app.foundation.backups.making import ATTACHMENTS, HEADS, SECRETS, key_print
from app.foundation.backups.shelf import BackupError
from app.foundation.embedded.location import private_directory
from app.foundation.storage import NoSuchFile, StorageGone

_SMALL = (f"{archive.FILES}{HEADS}/", f"{archive.FILES}{SECRETS}/")


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back; `same_key` is whether what was sealed with SECRET_KEY can still be opened."""

    made_at: str
    version: str
    migration: str
    tables: int
    rows: int
    attachments: int
    missing: list[str]
    same_key: bool


def restore(path: Path, identity: Path | None = None, *, replace: bool = False) -> Restored:
    """Put everything back as it was, at the migration it was at. BackupError, and nothing is changed then.

    `replace` lets generated secrets and exported heads that differ give way; they are kept beside.
    """
    identities = archive.identities_in(identity)
    manifest, small = archive.verify(path, identities, keep=_SMALL)
    _must_be_known(manifest)
    _must_not_differ(small, replace=replace)
    with postgres.connected(current_app.config["BACKUP_DATABASE_URL"]) as connection:
        postgres.must_be_empty(connection)
        with _attachments_go_again_on_failure() as put:
            _put_back(path, identities, connection, put)
            _must_be_equal(connection, manifest)
            _write(small)
    tables = manifest["tables"]
    return Restored(
        manifest["made_at"],
        manifest["version"],
        manifest["migration"],
        len(tables),
        sum(one["rows"] for one in tables.values()),
        manifest["attachments"],
        manifest["missing"],
        _same_key(manifest, small),
    )


def _must_be_known(manifest: dict[str, Any]) -> None:
    config = current_app.extensions["migrate"].migrate.get_config()
    try:
        ScriptDirectory.from_config(config).get_revision(manifest["migration"])
    except CommandError:
        raise BackupError(
            f"This backup was made by PortalOps {manifest['version']} (migration {manifest['migration']}), which is newer "
            f"than this one, {current_app.config['VERSION']}. Restore it with that version."
        ) from None


def _must_not_differ(small: dict[str, bytes], *, replace: bool) -> None:
    differing = [str(path) for path in _differing(small)]
    if differing and not replace:
        raise BackupError(
            f"This DATA_DIR has other secrets or exported heads than the backup: {', '.join(differing)}. Restore into "
            "another DATA_DIR, or say --replace-files: what is here is moved to a folder beside."
        )


def _differing(small: dict[str, bytes]) -> Iterator[Path]:
    """Files that are here and not the same as in the backup, but for secrets that this very start has made up."""
    places = {_place(name): content for name, content in small.items()}
    heads = _data_dir() / HEADS
    here = {path for path in places if path.exists()} | set(heads.glob("*.jsonl"))
    for path in sorted(here):
        if path not in secret_files.made_here() and path.read_bytes() != places.get(path):
            yield path


def _place(name: str) -> Path:
    """Where a small file belongs; whatever a name says, it is in one of two folders."""
    folder, _, file = name.removeprefix(archive.FILES).partition("/")
    if folder not in {HEADS, SECRETS} or file != Path(file).name:
        raise BackupError(f"The backup has a file with a strange name: {name}")
    return _data_dir() / folder / file


def _data_dir() -> Path:
    return Path(current_app.config["DATA_DIR"])


@contextmanager
def _attachments_go_again_on_failure() -> Iterator[list[str]]:
    put: list[str] = []
    try:
        yield put
    except StorageGone:
        raise BackupError("The storage of attachments does not answer; nothing was restored.") from None
    except BaseException:
        for name in put:
            storage.store().delete(name)
        raise


def _put_back(path: Path, identities: list[Any], connection: Any, put: list[str]) -> None:
    """The database in one transaction, and the attachments, which nobody knows of before it ends."""
    store = storage.store()
    with postgres.restoring(connection) as sink:
        for name, content in archive.members(path, identities):
            if name.startswith(archive.DATABASE):
                shutil.copyfileobj(content, sink, archive.PIECE)
            elif name.startswith(ATTACHMENTS):
                key = Path(name).name
                if not _is_there(key):
                    put.append(key)
                store.put(key, content.read())


def _is_there(name: str) -> bool:
    try:
        storage.store().size(name)
    except NoSuchFile:
        return False
    return True


def _must_be_equal(connection: Any, manifest: dict[str, Any]) -> None:
    """Every table has the rows it had. If not, the database is emptied again, as it was before."""
    found, said = postgres.tables_of(connection), manifest["tables"]
    differing = sorted(name for name in {*found, *said} if found.get(name) != said.get(name))
    if differing:
        postgres.empty_again(connection)
        raise BackupError(f"These tables did not come back as they were: {', '.join(differing)}.")


def _write(small: dict[str, bytes]) -> None:
    aside = _data_dir() / f"replaced-{clock.now():%Y%m%dT%H%M%SZ}"
    for path in list(_differing(small)):
        private_directory(aside / path.parent.name)
        path.rename(aside / path.parent.name / path.name)
    for name, content in small.items():
        path = _place(name)
        private_directory(path.parent)
        storage.Folder(path.parent).put(path.name, content)


def _same_key(manifest: dict[str, Any], small: dict[str, bytes]) -> bool:
    restored = small.get(f"{archive.FILES}{SECRETS}/secret_key", b"").decode()
    prints = {key_print(secret) for secret in (current_app.config["SECRET_KEY"], restored) if secret}
    return manifest["secret_key"] in prints
