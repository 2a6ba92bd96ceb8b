"""`flask backup` and `flask restore`."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext

from app.audit import chain, heads
from app.foundation import clock, events, migrating, secret_files
from app.foundation.actor import acting_as
from app.foundation.backups import archive, making, restoring, shelf
from app.foundation.backups.shelf import BackupError
from app.foundation.database import db
from app.foundation.embedded.location import postgres_url
from app.foundation.embedded.postgres import Postgres
from app.foundation.embedded.running import process
from app.foundation.events import Operated
from app.foundation.transactions import transaction

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
IDENTITY = click.option("--identity", type=FILE, help="The private key, as age-keygen writes it.")


def says_what_is_wrong(command: Callable[..., None]) -> Callable[..., None]:
    """A sentence and exit status 1."""

    @wraps(command)
    def call(*words: Any, **named: Any) -> None:
        try:
            command(*words, **named)
        except BackupError as error:
            raise click.ClickException(str(error)) from None

    return call


@contextmanager
def engine() -> Iterator[None]:
    """The embedded PostgreSQL, if that is the database and the portal, which starts it, does not run."""
    data_dir = Path(current_app.config["DATA_DIR"])
    server = Postgres(data_dir)
    if current_app.config["BACKUP_DATABASE_URL"] != postgres_url(data_dir) or server.answers():
        yield
        return
    server.prepare()
    with process(server):
        server.wait_ready()
        server.create_database()
        try:
            yield
        finally:
            db.session.remove()
            db.engine.dispose()


@click.group(invoke_without_command=True, help="Make a backup of everything, while the portal runs.")
@click.option(
    "--to", type=click.Path(file_okay=False, path_type=Path), help="A folder instead of BACKUP_DIR."
)
@click.pass_context
@with_appcontext
@says_what_is_wrong
def backup(context: click.Context, *, to: Path | None) -> None:
    """Without a subcommand, make one."""
    if context.invoked_subcommand:
        return
    with engine(), transaction(), acting_as("flask backup"):
        made = making.make(to)
    click.echo(f"{made.path} ({_size(made.size)}): {made.rows} rows, {made.files} attachments.")
    if made.missing:
        click.echo(
            f"{len(made.missing)} attachments are missing here: {', '.join(made.missing[:5])}", err=True
        )
    if not made.encrypted:
        click.echo("It is not encrypted: whoever reads it reads everything. Set BACKUP_RECIPIENT.", err=True)


@backup.command("list", help="The backups of BACKUP_DIR, newest first.")
@with_appcontext
def show_list() -> None:
    """By their names: nothing is read."""
    for one in shelf.backups(shelf.folder()):
        how = "encrypted" if one.encrypted else "not encrypted"
        click.echo(
            f"{clock.local(one.made_at):%Y-%m-%d %H:%M %Z}  {_size(one.size):>9}  {how:13}  {one.path}"
        )


@backup.command("verify", help="Read all of a backup and check every sum in it. Nothing is restored.")
@click.argument("file", type=FILE)
@IDENTITY
@with_appcontext
@says_what_is_wrong
def verify(*, file: Path, identity: Path | None) -> None:
    """Exit status 1 for one that is not whole."""
    manifest, _ = archive.verify(file, archive.identities_in(identity))
    rows = sum(one["rows"] for one in manifest["tables"].values())
    click.echo(
        f"Whole. Made {manifest['made_at']} by PortalOps {manifest['version']} (migration {manifest['migration']}): "
        f"{len(manifest['tables'])} tables, {rows} rows, {manifest['attachments']} attachments."
    )


@backup.command(
    "make-key", help="Write a new private key to FILE, and say the public one for BACKUP_RECIPIENT."
)
@click.argument("file", type=click.Path(path_type=Path))
def make_key(*, file: Path) -> None:
    """The same as age-keygen, for who has no age."""
    import pyrage  # noqa: PLC0415

    key = pyrage.x25519.Identity.generate()
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise click.ClickException(f"{file} can't be made: {error.strerror}.") from None
    with os.fdopen(handle, "w") as out:
        out.write(f"# public key: {key.to_public()}\n{key}\n")
    click.echo(f"BACKUP_RECIPIENT={key.to_public()}")


@click.command(help="Put a backup back into an empty database, and bring it up to date.")
@click.argument("file", type=FILE)
@IDENTITY
@click.option("--replace-files", is_flag=True, help="Let secrets and exported heads that differ give way.")
@with_appcontext
@says_what_is_wrong
def restore(*, file: Path, identity: Path | None, replace_files: bool) -> None:
    """Everything is checked before anything is changed."""
    with _no_traces_of_a_failure(), engine():
        restored = restoring.restore(file, identity, replace=replace_files)
        click.echo(
            f"Restored the backup of {restored.made_at}: {restored.tables} tables and {restored.rows} rows, each as it "
            f"was, and {restored.attachments} attachments."
        )
        _bring_up_to_date(file, restored)
        _say_what_holds(restored)


@contextmanager
def _no_traces_of_a_failure() -> Iterator[None]:
    """Secrets that this start made up would look like somebody's at the next try."""
    try:
        yield
    except BackupError:
        for path in secret_files.made_here():
            path.unlink(missing_ok=True)
        raise


def _bring_up_to_date(file: Path, restored: restoring.Restored) -> None:
    from app.cli import seed_roles  # noqa: PLC0415 - which registers these commands

    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        with migrating.alone():
            migrating.migrate(click.echo)
            seed_roles()
    except migrating.Blocked as fault:
        raise click.ClickException(f"Restored, but not brought up to date: {fault}") from None
    with transaction(), acting_as("flask restore"):
        events.publish(Operated("backup.restore", file.name, f"as of {restored.made_at}"))


def _say_what_holds(restored: restoring.Restored) -> None:
    """The log, the heads, and what is left for somebody to do. Exit status 1 if the log can't be believed."""
    verdict = chain.verify()
    if not verdict.is_sound:
        raise click.ClickException(f"The audit log is not whole: entry {verdict.bad_id}, {verdict.fault}.")
    click.echo(f"Audit log: {verdict.entries} entries, every link holds.")
    try:
        click.echo(f"Exported heads: {heads.check()}, each as the log has it.")
    except heads.BrokenHeads as fault:
        click.echo(f"Exported heads: {fault}.", err=True)
    if restored.missing:
        click.echo(f"Attachments that were missing already: {', '.join(restored.missing)}", err=True)
    if not restored.same_key:
        click.echo(
            "SECRET_KEY is not the one of that portal: everybody signs in again, and secrets of webhooks and chats must "
            "be entered anew. If you have the old one, set it before you start.",
            err=True,
        )


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
