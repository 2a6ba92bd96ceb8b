"""Administrators and the log of what everybody does."""

from collections.abc import Iterator

from sqlalchemy import select
from werkzeug.security import check_password_hash

from app.audit import chain, heads
from app.directory.models import Account, Role
from app.doctor.findings import Finding, check, fault, ok, settings, warning
from app.foundation.database import db
from app.foundation.setting_rules import FIRST_ADMINISTRATOR

MOST_TRIED = 20


@check("Administrators", after="Migrations")
def administrators() -> Iterator[Finding]:
    """That there are some, and that the first one's password is not still the one of the settings."""
    found = select(Account).join(Account.roles).where(Role.name == "Admin", Account.active)
    admins = list(db.session.scalars(found.order_by(Account.id).limit(MOST_TRIED)))
    if not admins:
        yield fault(
            "Nobody can sign in as Admin.",
            "Set ADMIN_EMAIL and ADMIN_PASSWORD, and run `flask --app app setup`.",
        )
        return
    yield (
        ok(f"{len(admins)} can sign in as Admin.")
        if len(admins) > 1
        else warning(
            "Only one person can sign in as Admin.", "Make a second one, for the day when the first is away."
        )
    )
    given = settings().admin_password
    for account in admins if given else ():
        if check_password_hash(account.password or "", given):
            yield warning(
                f"The password in ADMIN_PASSWORD still opens {account.email}.",
                "Sign in, change it, and take ADMIN_PASSWORD out of the settings.",
            )
    if settings().production and FIRST_ADMINISTRATOR in {account.email for account in admins}:
        yield warning(
            f"{FIRST_ADMINISTRATOR} is an Admin: everybody knows that name, and no mail arrives there.",
            "Give the role to a person, and deactivate that account.",
        )


@check("Audit log", after="Migrations")
def audit() -> Iterator[Finding]:
    """Every link of the chain, and its end against what was written down."""
    verdict = chain.verify()
    if not verdict.is_sound:
        yield fault(
            f"Entry {verdict.bad_id} of {verdict.entries} is not to be believed: {verdict.fault}.",
            "Keep the database as it is, find out who could write to it, and compare with a backup.",
        )
        return
    try:
        exported = heads.check()
    except heads.BrokenHeads as error:
        yield fault(f"The log and its exported heads don't agree: {error}.", "Compare with a backup of both.")
    else:
        yield ok(
            f"{verdict.entries} entries, every link holds; {exported} exported heads, each as the log has it."
        )
