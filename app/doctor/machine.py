"""The machine and its neighbours: the data directory, the disk, the mail server."""

import os
import shutil
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from flask import current_app

from app import health
from app.doctor.findings import Finding, check, fault, ok, settings, warning
from app.foundation import clock
from app.foundation.backups import last_backup, postgres
from app.foundation.backups.shelf import BackupError
from app.notifications import mail
from app.notifications.mail import Smtp

LITTLE = 1024**3
# One night may be missed, two may not.
OLDEST_BACKUP = timedelta(hours=50)


@check("Data directory")
def private() -> Iterator[Finding]:
    """Its owner is who runs this, and others read none of it."""
    folder = settings().data_dir
    if not folder.is_dir():
        yield fault(
            f"{folder} is not there.", f"install -d -m 700 {folder}, owned by whoever runs the portal."
        )
        return
    if folder.stat().st_uid != os.geteuid() and os.geteuid() != 0:
        yield fault(
            f"{folder} belongs to somebody else.", f"chown -R it to whoever runs the portal: {os.geteuid()}."
        )
    open_to_all = [path for path in _private_places(folder) if stat.S_IMODE(path.stat().st_mode) & 0o007]
    shown = [path for path in _secrets(folder) if stat.S_IMODE(path.stat().st_mode) & 0o077]
    if open_to_all:
        yield fault(
            f"Everybody on this machine may look into {open_to_all[0]}.", f"chmod o= {open_to_all[0]}"
        )
    if shown:
        yield fault(
            f"{len(shown)} secrets can be read by others, such as {shown[0]}.", f"chmod 600 {shown[0]}"
        )
    if not open_to_all and not shown:
        yield ok(f"{folder} is private.")


def _private_places(folder: Path) -> list[Path]:
    names = ("", "secrets", "attachments", "audit-heads")
    return [folder / name for name in names if (folder / name).is_dir()]


def _secrets(folder: Path) -> list[Path]:
    """`shown` only says that they were shown."""
    return [path for path in (folder / "secrets").glob("*") if path.is_file() and path.name != "shown"]


@check("Disk", after="Data directory")
def disk() -> Iterator[Finding]:
    """Room for attachments and, with embedded engines, for the database."""
    found = health.examine().disk
    free = shutil.disk_usage(settings().data_dir).free
    if found != health.OK:
        yield fault(f"The disk of {settings().data_dir} is {found}.", "Make room, or mend its permissions.")
    elif free < LITTLE:
        yield warning(f"{free / 1024**2:.0f} MiB are left for {settings().data_dir}.", "Make room.")
    else:
        yield ok(f"{free / 1024**3:.0f} GiB are left.")


@check("Backups")
def backed_up() -> Iterator[Finding]:
    """The newest whole backup on the shelf. Those that somebody makes elsewhere are not seen."""
    made = last_backup()
    mend = "Run `flask --app app backup`, and look at the nightly job on the page Schedule."
    if made is None:
        yield (fault if settings().production else warning)("There is no backup.", mend)
        return
    age = clock.now() - made
    words = f"The newest backup is {age.total_seconds() / 3600:.0f} hours old."
    yield fault(words, mend) if age > OLDEST_BACKUP else ok(words)


@check("Backup line", after="Database")
def direct() -> Iterator[Finding]:
    """Backups need PostgreSQL itself."""
    try:
        with postgres.connected(settings().backup_database_url):
            pass
    except BackupError as error:
        yield fault(str(error), "No backup is made before that: mend BACKUP_DATABASE_URL.")


@check("Mail")
def mail_server() -> Iterator[Finding]:
    """Connects, encrypts and signs in; sends nothing."""
    smtp: Smtp = current_app.config["SMTP"]
    if not smtp.host:
        yield warning("Without SMTP_HOST mails are kept in the portal and never sent.", "Set SMTP_HOST.")
    elif refused := mail.try_door(smtp):
        yield fault(refused, "Mend the SMTP_* settings, or the mail server. Mails wait meanwhile.")
    else:
        yield ok(f"{smtp.host}:{smtp.port} lets us in.")
