"""`flask` commands: set up, fill with a demo company, verify the audit log, and the two background processes."""

import logging

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from sqlalchemy import select

from app import backup_commands
from app.audit import chain, heads
from app.directory import operations as directory
from app.directory.models import Account, Role
from app.doctor.command import doctor
from app.foundation import migrating, outbox, processes
from app.foundation.actor import acting_as
from app.foundation.database import db
from app.foundation.errors import InvalidInput
from app.foundation.transactions import transaction


def init_app(app: Flask) -> None:
    """Register the commands."""
    audit = click.Group("audit", help="The audit log.")
    audit.add_command(verify)
    backups = (backup_commands.backup, backup_commands.restore)
    for command in (setup, worker, scheduler, demo, audit, doctor, *backups):
        app.cli.add_command(command)


@click.command(help="Bring the database up to date: tables, roles, permissions, the first administrator.")
@click.option("--demo", "with_demo", is_flag=True, help="Fill an empty portal with a demo company.")
@with_appcontext
def setup(*, with_demo: bool) -> None:
    """Safe to run again, beside a portal in use, and by two processes at once."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        with migrating.alone():
            migrating.migrate(click.echo)
            seed_roles()
            seed_administrator()
    except migrating.Blocked as fault:
        raise click.ClickException(str(fault)) from None
    if with_demo:
        load_demo()


def seed_roles() -> None:
    """The roles of `roles.py` and the permissions of every registered page and API."""
    security = current_app.appbuilder.sm  # type: ignore[attr-defined]
    with acting_as("flask setup"):
        for name in ("Admin", "ServiceAdministrator", "ProductAdministrator", "Public"):
            if security.find_role(name) is None:
                security.add_role(name)
        logging.getLogger("flask_appbuilder").setLevel(logging.ERROR)
        current_app.appbuilder.add_permissions(update_perms=True)  # type: ignore[attr-defined]
        db.session.commit()


def seed_administrator() -> None:
    """The administrator of the settings, if nobody can sign in as Admin yet."""
    has_admin = db.session.scalar(
        select(Account.id).join(Account.roles).where(Role.name == "Admin", Account.active).limit(1)
    )
    if has_admin:
        return
    email, password = current_app.config["ADMIN_EMAIL"], current_app.config["ADMIN_PASSWORD"]
    if not password:
        raise click.ClickException("Set ADMIN_PASSWORD for the first start: nobody can sign in as Admin yet.")
    with transaction(), acting_as("flask setup"):
        person = directory.create_person(name="Portal Administrator", email=email)
        directory.grant_role(person, "Admin")
        try:
            directory.change_password(person.account, password)
        except InvalidInput as error:
            raise click.ClickException(f"ADMIN_PASSWORD: {error.message}") from None


@click.command(help="Fill the portal with a demo company; does nothing where there is one.")
@with_appcontext
def demo() -> None:
    """The same people, services and cases every time."""
    load_demo()


def load_demo() -> None:
    """Import late: a production start does not need it."""
    from app import demo_company  # noqa: PLC0415

    demo_company.load()


@click.command(help="Run background work until stopped.")
@click.option(
    "--queue",
    "queues",
    multiple=True,
    default=(outbox.DEFAULT, outbox.MESSAGES, outbox.LONG),
    show_default=True,
)
def worker(queues: tuple[str, ...]) -> None:
    """One process, one job at a time."""
    processes.work(_app(), list(queues))


@click.command(help="Tick once a minute until stopped.")
def scheduler() -> None:
    """Several may run: the database decides who promises a slot."""
    processes.schedule(_app())


def _app() -> Flask:
    return current_app._get_current_object()  # type: ignore[attr-defined,no-any-return]  # noqa: SLF001


@click.command(help="Check every link of the audit chain, and its end against the heads that were exported.")
@with_appcontext
def verify() -> None:
    """Exit status 1 and the first bad entry if the log was tampered with."""
    verdict = chain.verify()
    if not verdict.is_sound:
        raise click.ClickException(f"entry {verdict.bad_id} of {verdict.entries}: {verdict.fault}")
    try:
        exported = heads.check()
    except heads.BrokenHeads as fault:
        raise click.ClickException(str(fault)) from None
    click.echo(f"{verdict.entries} entries, every link holds; head {verdict.head or '(empty)'}")
    click.echo(f"{exported} exported heads, each as the log has it")
