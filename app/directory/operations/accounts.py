"""Sign-in accounts: who may sign in, with which roles, and the end of it."""

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import func, select, update
from werkzeug.security import generate_password_hash

from app.directory import queries
from app.directory.access import ADMIN
from app.directory.models import Account, Invitation, Person, Role, SignInSession
from app.directory.operations import passwords, throttle
from app.directory.token_models import ApiToken
from app.foundation import clock
from app.foundation.database import db
from app.foundation.errors import Conflict, InvalidInput, NotFound
from app.foundation.scoping import unscoped

INVITATION_LIFE = timedelta(days=7)
LAST_ADMIN = "This is the last Admin who can sign in. Give somebody else the Admin role first."
BAD_LINK = "This link was used already or is too old. Ask an Admin for a new one."


def ensure_account(person: Person) -> Account:
    """The person's account; a new one has no password, so nobody can sign in with it before an invitation."""
    if person.account is None:
        first, _, last = person.name.partition(" ")
        person.account = Account(
            first_name=first[:64],
            last_name=last[:64] or "-",
            username=person.email.lower()[:128],
            email=person.email.lower(),
            active=True,
            password=None,
        )
        db.session.flush()
    return person.account


def keep_in_step(person: Person) -> None:
    """Let the account carry the person's present name and e-mail."""
    if person.account:
        first, _, last = person.name.partition(" ")
        person.account.first_name, person.account.last_name = first[:64], last[:64] or "-"
        person.account.email = person.email.lower()
        person.account.username = person.email.lower()[:128]


def link_account(account: Account) -> Person:
    """The person behind an account; one that was made on FAB's own page gets an entry in the directory."""
    with unscoped():
        person = db.session.scalar(select(Person).where(Person.account_id == account.id))
        person = person or db.session.scalar(
            select(Person).where(func.lower(Person.email) == account.email.lower())
        )
        if person is None:
            person = Person(name=f"{account.first_name} {account.last_name}".strip(" -"), email=account.email)
            db.session.add(person)
        person.account = account
        db.session.flush()
    return person


def grant_role(person: Person, name: str) -> None:
    """Give a role, and an account to hold it if there is none yet."""
    account = ensure_account(person)
    if name not in {role.name for role in account.roles}:
        account.roles.append(_roles([name])[0])
        db.session.flush()


def change_roles(person: Person, names: list[str]) -> None:
    """Make these the person's roles. InvalidInput for an unknown one, Conflict if no Admin would be left."""
    roles = _roles(names)
    if not roles and person.account is None:
        return
    ensure_account(person).roles = roles
    check_an_admin_remains()


def _roles(names: list[str]) -> list[Role]:
    roles = list(db.session.scalars(select(Role).where(Role.name.in_(names))))
    unknown = set(names) - {role.name for role in roles}
    if unknown:
        raise InvalidInput(roles=f"There is no role named {', '.join(sorted(unknown))}.")
    return roles


def check_an_admin_remains() -> None:
    """Conflict if, as things stand in this transaction, nobody could sign in as Admin any more.

    The role's row is locked first, so that two Admins can't remove each other at the same moment.
    """
    db.session.flush()
    db.session.execute(select(Role.id).where(Role.name == ADMIN).with_for_update())
    if not _somebody_is_admin():
        raise Conflict(LAST_ADMIN)


def _somebody_is_admin() -> bool:
    with unscoped():
        query = select(Account.id).where(
            queries.holds_role(ADMIN), Account.active, Account.password.is_not(None)
        )
        return db.session.scalar(query.limit(1)) is not None


def close_sign_in(person: Person) -> None:
    """Close the account and end every session at once. Conflict for the last Admin, whose sign-in stays open."""
    account = person.account
    if account is None or not account.active:
        return
    account.active = False
    if ADMIN in queries.role_names(account):
        check_an_admin_remains()
    end_sessions(account)
    revoke_tokens(account)
    db.session.flush()


def open_sign_in(person: Person) -> None:
    """Let a closed account be used again."""
    ensure_account(person).active = True
    db.session.flush()


def end_sessions(account: Account) -> None:
    """End every cookie, access token and refresh token of an account."""
    still_open = update(SignInSession).where(
        SignInSession.account_id == account.id, SignInSession.ended_at.is_(None)
    )
    with unscoped():
        db.session.execute(still_open.values(ended_at=clock.now()))


def revoke_tokens(account: Account) -> None:
    """End an account's personal tokens for good: an account that opens again must not bring them back."""
    still_open = update(ApiToken).where(ApiToken.account_id == account.id, ApiToken.revoked_at.is_(None))
    with unscoped():
        db.session.execute(still_open.values(revoked_at=clock.now()))


def end_session(key: str) -> None:
    """End one sign-in: its cookie and its tokens."""
    with unscoped():
        db.session.execute(update(SignInSession).where(SignInSession.id == key).values(ended_at=clock.now()))


def change_password(account: Account, password: str) -> None:
    """Set a password, end every session of the account and unlock it. InvalidInput for one that is easily guessed."""
    passwords.check(password, account)
    account.password = generate_password_hash(password)
    throttle.forget_failures(account.email)
    end_sessions(account)
    db.session.flush()


def invite(person: Person) -> str:
    """A token for a link that lets the person set a password once, within `INVITATION_LIFE`. Older links end."""
    if not person.active:
        raise Conflict(f"{person.name} has left the company and can't be invited.")
    account = ensure_account(person)
    account.active = True
    token = secrets.token_urlsafe(32)
    now = clock.now()
    with unscoped():
        older = update(Invitation).where(Invitation.account_id == account.id, Invitation.used_at.is_(None))
        db.session.execute(older.values(used_at=now))
    db.session.add(Invitation(account=account, token_hash=_digest(token), expires_at=now + INVITATION_LIFE))
    db.session.flush()
    return token


def accept_invitation(token: str, password: str) -> Account:
    """Set the invited account's password. NotFound for a link that is used, old or made up."""
    with unscoped():
        account = invited_account(token)
        invitation = db.session.scalars(
            select(Invitation).where(Invitation.token_hash == _digest(token))
        ).one()
        change_password(account, password)
        invitation.used_at = clock.now()
        db.session.flush()
    return account


def invited_account(token: str) -> Account:
    """The account a link is for. NotFound for a link that is used, old or made up."""
    with unscoped():
        query = select(Invitation).where(
            Invitation.token_hash == _digest(token),
            Invitation.used_at.is_(None),
            Invitation.expires_at > clock.now(),
        )
        invitation = db.session.scalar(query.with_for_update())
        if invitation is None or not invitation.account.active:
            raise NotFound(BAD_LINK)
        return invitation.account


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
