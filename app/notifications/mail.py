"""E-mail: messages by SMTP, over one connection as long as it lasts, and what each answer of the server means.

A mail is never sent twice by itself. As long as the end of its text has not been sent, a fault means that it did not
arrive; after that only the server's answer tells, and without one nobody knows.
"""

import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime, parseaddr
from typing import Self
from urllib.parse import urlsplit

from app.foundation import trace
from app.notifications import outcomes
from app.notifications.outcomes import Outcome

SECONDS = 10.0
IMPLICIT_TLS_PORT = 465
TOO_LARGE = 552


@dataclass(frozen=True, slots=True)
class Smtp:
    """The settings of outgoing mail (`SMTP_*`, `FROM_EMAIL`). `seconds` is what each answer may take."""

    host: str
    port: int
    user: str
    password: str
    starttls: bool
    sender: str
    name: str
    public_url: str
    seconds: float = SECONDS


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail, ready to be put into an envelope."""

    to_name: str
    to: str
    subject: str
    text: str
    html: str | None
    message_id: str
    date: datetime
    unsubscribe: str | None = None
    request_id: str | None = None


def compose(letter: Letter, smtp: Smtp) -> EmailMessage:
    """The mail as it is sent. Names are encoded, and none of them can begin a header of its own."""
    mail = EmailMessage(policy=WIRE)
    own_name, own = parseaddr(smtp.sender)
    mail["From"] = _address(own_name or smtp.name, own)
    mail["To"] = _address(letter.to_name, letter.to)
    mail["Subject"] = _plain(letter.subject)
    mail["Date"] = format_datetime(letter.date)
    mail["Message-ID"] = letter.message_id
    # RFC 3834: no out-of-office answer to what no person sent.
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    if letter.request_id:
        mail[trace.HEADER] = letter.request_id
    if letter.unsubscribe:
        mail["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(letter.text, cte="quoted-printable")
    if letter.html:
        mail.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    return mail


def _address(name: str, address: str) -> Address:
    local, _, domain = address.rpartition("@")
    return Address(_plain(name), local, _ascii(domain))


def _ascii(domain: str) -> str:
    with suppress(UnicodeError):
        return domain.encode("idna").decode()
    return domain


def _plain(text: str) -> str:
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


class Postman:
    """Carries letters to the server; one connection for many, opened at the first. Use it in a `with` block."""

    def __init__(self, smtp: Smtp) -> None:
        self.smtp = smtp
        self._connection: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Say goodbye, if anybody still listens."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(smtplib.SMTPException, OSError):
                if connection.sock:
                    connection.sock.settimeout(1)
                connection.quit()

    def carry(self, letter: Letter) -> Outcome:
        """One letter to its end. Never raises what a server or a network may do."""
        try:
            connection = self._open()
        except _Refused as refused:
            return outcomes.again(str(refused), for_all=True)
        try:
            outcome = _hand_over(connection, letter, self.smtp)
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            self._drop()
            return outcomes.again(f"The connection to the mail server broke: {_words(error)}", for_all=True)
        if outcome.verdict is outcomes.Verdict.UNKNOWN:
            self._drop()
        elif outcome.verdict is not outcomes.Verdict.SENT:
            self._start_clean(connection)
        return outcome

    def _start_clean(self, connection: smtplib.SMTP) -> None:
        """Take back what was said of a letter that was refused."""
        try:
            connection.rset()
        except (smtplib.SMTPException, OSError):
            self._drop()

    def _drop(self) -> None:
        """Hang up: whoever did not answer will not answer a goodbye."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _open(self) -> smtplib.SMTP:
        """The connection, greeted, encrypted and signed in to. Raises _Refused."""
        if self._connection is not None and self._is_alive(self._connection):
            return self._connection
        self.close()
        try:
            self._connection = _connect(self.smtp)
            _sign_in(self._connection, self.smtp)
        except _Refused:
            self.close()
            raise
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            where = f"{self.smtp.host}:{self.smtp.port}"
            raise _Refused(f"The mail server {where} did not let us in: {_words(error)}") from None
        return self._connection

    @staticmethod
    def _is_alive(connection: smtplib.SMTP) -> bool:
        """A server may have closed what it found idle."""
        try:
            return bool(connection.sock and connection.noop()[0] == 250)
        except (smtplib.SMTPException, OSError):
            return False


class _Refused(Exception):
    """No letter gets through this door."""


def try_door(smtp: Smtp) -> str:
    """Connect and sign in, and say in words for people why that can't be done; nothing if it can."""
    try:
        connection = _connect(smtp)
        with connection:
            _sign_in(connection, smtp)
    except (_Refused, smtplib.SMTPException, OSError) as error:
        words = str(error) if isinstance(error, _Refused) else _words(error)
        return f"The mail server {smtp.host}:{smtp.port} did not let us in: {words}"
    return ""


def _connect(smtp: Smtp) -> smtplib.SMTP:
    own_name = urlsplit(smtp.public_url).hostname or "localhost"
    if smtp.port == IMPLICIT_TLS_PORT:
        tls = ssl.create_default_context()
        return smtplib.SMTP_SSL(smtp.host, smtp.port, own_name, timeout=smtp.seconds, context=tls)
    connection = smtplib.SMTP(smtp.host, smtp.port, own_name, timeout=smtp.seconds)
    if smtp.starttls:
        connection.ehlo()
        if not connection.has_extn("starttls"):
            connection.close()
            raise _Refused(
                f"The mail server {smtp.host}:{smtp.port} offers no encryption (STARTTLS). "
                "SMTP_STARTTLS=false sends without."
            )
        connection.starttls(context=ssl.create_default_context())
    return connection


def _sign_in(connection: smtplib.SMTP, smtp: Smtp) -> None:
    connection.ehlo_or_helo_if_needed()
    if smtp.user:
        connection.login(smtp.user, smtp.password)


def _hand_over(connection: smtplib.SMTP, letter: Letter, smtp: Smtp) -> Outcome:
    """MAIL, RCPT, DATA, each with its answer."""
    try:
        mail = compose(letter, smtp)
    except (ValueError, IndexError) as error:
        return outcomes.never(f"This address can't be written to: {error}")
    local, _, domain = letter.to.rpartition("@")
    recipient = f"{local}@{_ascii(domain)}"
    options = []
    if not recipient.isascii():
        if not connection.has_extn("smtputf8"):
            return outcomes.never("The mail server takes no addresses with such letters (SMTPUTF8).")
        options = ["SMTPUTF8", "BODY=8BITMIME"]
        mail = _with_utf8(mail)
    code, answer = connection.mail(parseaddr(smtp.sender)[1], options)
    if code != 250:
        return _judged(code, answer, permanent=code == TOO_LARGE)
    code, answer = connection.rcpt(recipient)
    if code not in {250, 251}:
        return _judged(code, answer, permanent=code >= 500)
    return _send_text(connection, mail.as_bytes())


def _with_utf8(mail: EmailMessage) -> EmailMessage:
    mail.policy = WIRE.clone(utf8=True)
    return mail


def _send_text(connection: smtplib.SMTP, text: bytes) -> Outcome:
    """The point of no return is the dot that ends the text."""
    code, answer = connection.docmd("DATA")
    if code != 354:
        return _judged(code, answer, permanent=code >= 500)
    lines = text.replace(b"\r\n.", b"\r\n..")
    connection.send(lines if lines.endswith(b"\r\n") else lines + b"\r\n")
    try:
        connection.send(b".\r\n")
        code, answer = connection.getreply()
    except (smtplib.SMTPException, OSError) as error:
        return outcomes.unknown(f"The mail was handed over, and no answer came: {_words(error)}")
    return (
        outcomes.sent(_shown(code, answer)) if code == 250 else _judged(code, answer, permanent=code >= 500)
    )


def _judged(code: int, answer: bytes, *, permanent: bool) -> Outcome:
    shown = _shown(code, answer)
    # 421: the server closes the door for everybody.
    return outcomes.never(shown) if permanent else outcomes.again(shown, for_all=code == 421)


def _shown(code: int, answer: bytes) -> str:
    return f"{code} {answer.decode('utf-8', 'replace')}".strip()


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        given = error.smtp_error
        return _shown(error.smtp_code, given if isinstance(given, bytes) else str(given).encode())
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
