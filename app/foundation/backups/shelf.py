"""The folder of backups. A file has its name there only once it is whole, so a name is all that must be read."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import current_app

from app.foundation import clock

ENCRYPTED = ".age"
_STAMP = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"portalops-(\d{8}T\d{6}Z)\.tar(\.age)?")


class BackupError(Exception):
    """A backup can't be made, read or restored; the message says why, and what helps."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A whole backup: where, of when (UTC), how large (bytes), and whether it takes a key to read it."""

    path: Path
    made_at: datetime
    size: int
    encrypted: bool


def folder() -> Path:
    """Where backups lie unless somebody says otherwise (`BACKUP_DIR`)."""
    return Path(current_app.config["BACKUP_DIR"])


def name_of(moment: datetime, *, encrypted: bool) -> str:
    """The name of a backup of this moment, to the second."""
    return f"portalops-{moment.astimezone(UTC):{_STAMP}}.tar{ENCRYPTED if encrypted else ''}"


def backups(where: Path) -> list[Backup]:
    """The whole ones, newest first; none where there is no such folder."""
    try:
        found = [(one, _NAME.fullmatch(one.name)) for one in where.iterdir()]
        kept = [
            Backup(one, _moment(match[1]), one.stat().st_size, bool(match[2]))
            for one, match in found
            if match
        ]
    except FileNotFoundError:
        return []
    return sorted(kept, key=lambda one: one.made_at, reverse=True)


def last_backup() -> datetime | None:
    """When the newest whole backup of `BACKUP_DIR` was made (UTC), or None without one."""
    return next((one.made_at for one in backups(folder())), None)


def delete_old(where: Path, days: int) -> list[Backup]:
    """Delete what is older than this, except for the newest there is; says what went."""
    limit = clock.now() - timedelta(days=days)
    old = [one for one in backups(where)[1:] if one.made_at < limit]
    for one in old:
        one.path.unlink(missing_ok=True)
    return old


def _moment(stamp: str) -> datetime:
    return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
