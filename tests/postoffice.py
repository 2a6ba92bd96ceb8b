"""A mail server on loopback: a real one (aiosmtpd) that does as a test says, and keeps what it was given."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


@dataclass(frozen=True)
class Delivered:
    """A mail as it arrived."""

    sender: str
    to: list[str]
    mail: EmailMessage
    raw: bytes


@dataclass
class PostOffice:
    """`rcpt` answers for an address, `data` for a whole mail: None takes it, a text is the answer instead."""

    rcpt: Callable[[str], str | None] = lambda _: None
    data: Callable[[EmailMessage], str | None] = lambda _: None
    mails: list[Delivered] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    async def handle_EHLO(
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.connections += 1
        return responses

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        refusal = self.rcpt(address)
        if refusal is None:
            envelope.rcpt_tos.append(address)
        return refusal or "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        mail = message_from_bytes(envelope.content, policy=default)
        refusal = await asyncio.to_thread(self.data, mail)
        if refusal is None:
            self.mails.append(Delivered(envelope.mail_from, envelope.rcpt_tos, mail, envelope.content))
        return refusal or f"250 OK: taken as {len(self.mails)}"


@contextmanager
def post_office(*, password: str | None = None, tls: Any = None, port: int = 0) -> Iterator[PostOffice]:
    """A server that listens as long as the block lasts; with a password it wants one, without TLS."""
    office = PostOffice()

    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password == (password or "").encode(), handled=False)

    options: dict[str, Any] = {"enable_SMTPUTF8": True}
    if password:
        options |= {"authenticator": authenticate, "auth_required": True, "auth_require_tls": False}
    if tls:
        options |= {"tls_context": tls}
    controller = Controller(office, hostname="127.0.0.1", port=port or free_port(), **options)
    controller.start()
    office.port = controller.port
    try:
        yield office
    finally:
        controller.stop()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@contextmanager
def black_hole() -> Iterator[int]:
    """Accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        over, taken = threading.Event(), []

        def accept() -> None:
            while not over.is_set():
                try:
                    taken.append(server.accept()[0])
                except TimeoutError:
                    continue

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            over.set()
            thread.join()
            for connection in taken:
                connection.close()
