"""A mail server and chat receivers that the application is told of."""

import dataclasses
from collections.abc import Callable, Iterator
from ipaddress import ip_network

import pytest
from sqlalchemy import select

from app.foundation import jobs
from app.foundation.database import db
from app.foundation.reachable import Rules
from app.notifications.message_models import Message
from app.notifications.models import Kind
from app.notifications.operations import Notice, notify_all
from tests.postoffice import PostOffice, post_office
from tests.visitor import apart

LOOPBACK = Rules(ports=(range(1, 65536),), networks=(ip_network("127.0.0.1"),), http=True)


@pytest.fixture
def smtp(app, monkeypatch) -> Callable[..., None]:
    """Change the settings of outgoing mail for a test: `smtp(host="127.0.0.1", port=1025)`."""

    def change(**settings) -> None:
        changed = dataclasses.replace(app.config["SMTP"], starttls=False, seconds=1.0)
        monkeypatch.setitem(app.config, "SMTP", dataclasses.replace(changed, **settings))

    return change


@pytest.fixture
def office(smtp) -> Iterator[PostOffice]:
    """A mail server that takes everything."""
    with post_office() as opened:
        smtp(host="127.0.0.1", port=opened.port)
        yield opened


@pytest.fixture
def loopback(app, monkeypatch) -> None:
    """Messages may be sent to this machine, by http."""
    monkeypatch.setitem(app.config, "OUTGOING", LOOPBACK)


@pytest.fixture
def tell(context, world) -> Callable[..., None]:
    """Leave people a notice and commit: `tell("alice", kind=Kind.TASK, title="...")`."""

    def leave(
        *names: str, kind: Kind = Kind.TASK, title: str = "Give Jane access to Gmail", **fields
    ) -> None:
        notify_all([Notice(person_id=world.people[name], kind=kind, title=title, **fields) for name in names])
        db.session.commit()

    return leave


@pytest.fixture
def send(app) -> Callable[[], None]:
    """Do as the worker does when it is woken."""

    def run() -> None:
        def once() -> None:
            with app.app_context():
                jobs.resolve("app.notifications.jobs.send_due")()
                db.session.commit()
                db.session.remove()

        apart(once)

    return run


@pytest.fixture
def messages(context) -> Callable[..., list[Message]]:
    """All messages as they stand now, oldest first; of one kind of fields if they are named."""

    def find(**fields) -> list[Message]:
        db.session.expire_all()
        return list(db.session.scalars(select(Message).filter_by(**fields).order_by(Message.id)))

    return find


@pytest.fixture
def later(monkeypatch) -> Callable[..., None]:
    """Let time pass: `later(minutes=5)`."""
    from datetime import timedelta  # noqa: PLC0415

    from app.foundation import clock  # noqa: PLC0415

    passed = [timedelta()]
    real = clock.now

    def add(**delta) -> None:
        passed[0] += timedelta(**delta)

    monkeypatch.setattr(clock, "now", lambda: real() + passed[0])
    return add
