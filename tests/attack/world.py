"""A larger world for attacks: every row carries a mark of its own, and a list of who of the cast may read that mark.

A mark that stands in an answer to anybody else is a leak, whatever door it came through. The lists are written down
here by hand, so that a row rule and its test can't be wrong in the same way.
"""

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from app.audit.models import AuditEntry
from app.directory.models import Account, Department, Invitation, Person, SignInSession
from app.foundation import outbox
from app.foundation.database import db
from app.foundation.ticking import JobPause, ScheduledRun
from app.inbox.absence_models import Absence
from app.inbox.models import TaskComment, TaskEscalation, WorkflowTask
from app.inventory.models import AccessGrant, PermissionAssignment, Product, Service
from app.lifecycle.models import AccessTemplate, HrEvent, LifecycleCase
from app.notifications.message_models import Message
from app.notifications.models import Notification
from app.notifications.preference_models import (
    ChatChannel,
    MessageChoice,
    MessageSettings,
)
from app.payments.feed_models import CalendarFeed
from app.payments.history_models import Invoice, PaymentMade
from app.payments.import_models import ImportRow, ImportRun
from app.payments.models import PaymentInfo
from app.payments.rates_models import ExchangeRate
from app.reminders.models import ProductReminders, ReminderAnswer, ReminderSent
from app.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookMessage

EVERYBODY = ("root", "alice", "bob", "charlie")
ROOT = ("root",)
ALICE = ("root", "alice")
BOB = ("root", "bob")
ADMINISTRATORS = ("root", "alice", "bob")
NOBODY = ()
FIRST_KEY = 424_201


@dataclass(frozen=True)
class Row:
    """A row, its mark, and who may read the mark."""

    model: type[Any]
    key: Any
    mark: str
    readers: tuple[str, ...]


@dataclass(frozen=True)
class Marks:
    """All rows of the attack's world."""

    rows: list[Row]

    def hidden_from(self, name: str, model: type[Any] | None = None) -> list[Row]:
        """The rows that somebody may not see; those of one model if it is named."""
        rows = [row for row in self.rows if name not in row.readers and model in (None, row.model)]
        return sorted(rows, key=lambda row: str(row.key), reverse=True)

    def open_to(self, name: str, model: type[Any]) -> list[Row]:
        """The rows of a model that somebody may see."""
        return [row for row in self.rows if name in row.readers and row.model is model]

    def models(self) -> set[type[Any]]:
        """Every model that has a marked row."""
        return {row.model for row in self.rows}

    def leaked(self, name: str, text: str) -> list[str]:
        """The marks in a text that this viewer may not read."""
        return [row.mark for row in self.hidden_from(name) if row.mark in text]


def find_marks() -> Marks:
    """The marked rows, looked up again in a copy of the database."""
    return Marks(
        [
            *_marked_directory(),
            *_marked_inventory(),
            *_marked_payments(),
            *_marked_inbox(),
            *_marked_reminders(),
            *_marked_lifecycle(),
            *_marked_machinery(),
        ]
    )


def _key(model: type[Any], *rules: Any) -> Any:
    return db.session.scalars(select(model).where(*rules)).one().id


def _marked_directory() -> list[Row]:
    erin = _key(Person, Person.name == "Erin Unseen")
    account = _key(Account, Account.username == "mark-account-erin")
    rows = [
        Row(
            Department,
            _key(Department, Department.name == "Zephyr Department"),
            "mark-department-hidden",
            ADMINISTRATORS,
        ),
        Row(
            Department,
            _key(Department, Department.name == "Charlie's Department"),
            "mark-department-of-charlie",
            EVERYBODY,
        ),
        Row(Person, erin, "mark-erin@hidden.test", ADMINISTRATORS),
        Row(Person, erin, "mark-erin-id", ADMINISTRATORS),
        Row(Account, account, "mark-account-erin", ROOT),
        Row(Account, account, "mark-password-hash", NOBODY),
        Row(SignInSession, "mark-session-of-erin", "mark-session-of-erin", NOBODY),
        Row(SignInSession, "mark-session-of-erin", "mark-client", NOBODY),
    ]
    invitations = db.session.scalars(select(Invitation))
    return rows + [Row(Invitation, one.id, one.token_hash.hex(), NOBODY) for one in invitations]


def _marked_inventory() -> list[Row]:
    products = dict(db.session.execute(select(Product.name, Product.id)).tuples().all())
    rows = [
        Row(Service, _key(Service, Service.name == "Vault Service"), "mark-vault-vendor", ROOT),
        Row(Service, _key(Service, Service.name == "Vault Service"), "Vault Service", ROOT),
        Row(Product, products["Vault Keys"], "https://mark-keys.test", ROOT),
        Row(Product, products["Vault Keys"], "Vault Keys", ROOT),
        Row(Product, products["Copilot"], "mark-copilot", ROOT),
        Row(Product, products["Gmail"], "mark-gmail", ALICE),
        Row(Product, products["Slack Business"], "mark-slack-business", BOB),
        Row(Product, products["GitHub Enterprise"], "mark-github-enterprise", BOB),
    ]
    readers = {2091: ROOT, 2092: BOB, 2093: ALICE, 2094: ("root", "charlie"), 2097: BOB}
    grants = db.session.scalars(select(AccessGrant).where(AccessGrant.valid_until.is_not(None)))
    rows += [
        Row(AccessGrant, one.id, one.valid_until.isoformat(), readers[one.valid_until.year]) for one in grants
    ]
    hidden = _key(PermissionAssignment, PermissionAssignment.product_id == products["Vault Keys"])
    rows.append(Row(PermissionAssignment, hidden, "Product Vault Keys", ROOT))
    return rows


def _marked_payments() -> list[Row]:
    found = db.session.scalars(select(PaymentInfo).where(PaymentInfo.cardholder_name.is_not(None))).all()
    rows = [Row(PaymentInfo, one.id, one.cardholder_name, ROOT) for one in found]
    rows += [Row(PaymentInfo, one.id, one.payment_method, ROOT) for one in found]
    for made in db.session.scalars(select(PaymentMade)):
        rows += [
            Row(PaymentMade, made.id, mark, ROOT) for mark in (made.method, made.note, made.recorded_by_name)
        ]
    for invoice in db.session.scalars(select(Invoice)):
        rows += [Row(Invoice, invoice.id, mark, ROOT) for mark in (invoice.name, invoice.uploaded_by_name)]
        rows.append(Row(Invoice, invoice.id, invoice.stored_name, NOBODY))
    return [
        *rows,
        *(
            Row(CalendarFeed, one.id, one.address_hash.hex(), NOBODY)
            for one in db.session.scalars(select(CalendarFeed))
        ),
        *(Row(ImportRun, _key(ImportRun), f"mark-import-{one}", ROOT) for one in ("file.csv", "column")),
        Row(ImportRun, _key(ImportRun), "mark-import-content", NOBODY),
        Row(ImportRow, _key(ImportRun), "mark-import-product", ROOT),
        Row(ExchangeRate, _key(ExchangeRate), "1.4242424242", EVERYBODY),
        Row(PaymentInfo, found[0].id, "2099-09-19", ROOT),
        Row(PaymentInfo, found[0].id, "424.24", ROOT),
    ]


def _marked_inbox() -> list[Row]:
    readers = {"keys": ROOT, "gmail": ALICE, "slack": BOB, "charlie": ("root", "charlie")}
    rows = []
    for key, seen_by in readers.items():
        task = db.session.scalars(select(WorkflowTask).where(WorkflowTask.key == key)).one()
        comment = _key(TaskComment, TaskComment.task_id == task.id)
        rows += [
            Row(WorkflowTask, task.id, f"mark-task-{key}", seen_by),
            Row(WorkflowTask, task.id, f"mark-story-{key}", seen_by),
            Row(TaskComment, comment, f"mark-comment-{key}", seen_by),
        ]
    return rows


def _marked_reminders() -> list[Row]:
    def answer(name: str) -> int:
        return _key(ReminderAnswer, ReminderAnswer.given_by_name == f"mark-answer-{name}")

    absences = {one.starts_on.year: one for one in db.session.scalars(select(Absence))}
    told = db.session.scalars(select(TaskEscalation))
    readers = {"mark-told-keys": ROOT, "mark-told-gmail": ALICE}
    return [
        Row(ReminderAnswer, answer("alice"), "mark-answer-alice", ALICE),
        Row(ReminderAnswer, answer("bob"), "mark-answer-bob", BOB),
        Row(ReminderAnswer, answer("all"), "mark-answer-all", ROOT),
        Row(ReminderSent, _key(ReminderSent), "2101-11-21", NOBODY),
        Row(ProductReminders, _key(ProductReminders), "[313]", ROOT),
        Row(Absence, absences[2102].id, "2102-01-22", ROOT),
        Row(Absence, absences[2103].id, "2103-02-23", ("root", "bob", "charlie")),
        *(Row(TaskEscalation, one.id, one.told[0], readers[one.told[0]]) for one in told),
    ]


def _marked_lifecycle() -> list[Row]:
    rows = [
        Row(AccessTemplate, _key(AccessTemplate, AccessTemplate.name == "mark-template"), mark, ROOT)
        for mark in ("mark-template", "mark-template-position")
    ]
    for day, readers in (
        (date(2095, 5, 15), ROOT),
        (date(2096, 6, 16), ROOT),
        (date(2098, 8, 18), ("root", "charlie")),
    ):
        case = _key(LifecycleCase, LifecycleCase.effective_on == day)
        rows += [
            Row(LifecycleCase, case, mark, readers)
            for mark in (f"{day:%d} {day:%b} {day:%Y}", day.isoformat())
        ]
        event = _key(HrEvent, HrEvent.case_id == case)
        rows += [Row(HrEvent, event, mark, ROOT) for mark in (f"mark-delivery-{day}", f"mark-payload-{day}")]
    return rows


def _marked_machinery() -> list[Row]:
    rows = []
    for name in ("erin", "alice", "bob", "charlie"):
        mark = f"mark-notice-{name}"
        readers = (name,) if name != "erin" else NOBODY
        rows.append(Row(Notification, _key(Notification, Notification.title == mark), mark, readers))
    entry = _key(AuditEntry, AuditEntry.action == "mark.audit")
    promised = _key(outbox.OutboxMessage, outbox.OutboxMessage.job == "mark.outbox.job")
    rows.append(Row(JobPause, "mark.paused.job", "mark.paused.job", ROOT))
    run = _key(ScheduledRun, ScheduledRun.name == "mark-run")
    rows += _marked_webhooks()
    rows += [Row(AuditEntry, entry, mark, ROOT) for mark in ("mark-audit-label", "mark-was", "mark.audit")]
    rows += [
        Row(outbox.OutboxMessage, promised, mark, ROOT)
        for mark in ("mark.outbox.job", "mark-outbox-argument")
    ]
    rows += _marked_messages()
    rows += [Row(ScheduledRun, run, mark, ROOT) for mark in ("mark-run", "mark.run.job", "mark-run-result")]
    return rows


def _marked_webhooks() -> list[Row]:
    endpoint, delivery = _key(WebhookEndpoint), _key(WebhookDelivery)
    rows = [Row(WebhookEndpoint, endpoint, mark, ROOT) for mark in ("mark-endpoint", "mark-endpoint.test")]
    rows += [
        Row(WebhookMessage, _key(WebhookMessage), mark, ROOT) for mark in ("mark-message-uid", "mark.event")
    ]
    rows.append(Row(WebhookMessage, _key(WebhookMessage), "mark-message-body", ROOT))
    rows += [Row(WebhookAttempt, _key(WebhookAttempt), mark, ROOT) for mark in ("mark-header", "mark-fault")]
    return [
        *rows,
        Row(WebhookDelivery, delivery, "mark-why", ROOT),
        Row(WebhookEndpoint, endpoint, "mark-sealed-secret", NOBODY),
    ]


def _marked_messages() -> list[Row]:
    rows = []
    for name, readers in (("erin", NOBODY), ("alice", ("alice",))):
        key = _key(MessageSettings, MessageSettings.chat_shown == f"mark-chat-{name}")
        rows.append(Row(MessageSettings, key, f"mark-chat-{name}", readers))
    sealed = [row.chat_address.hex() for row in db.session.scalars(select(MessageSettings))]
    rows += [Row(MessageSettings, 0, mark, NOBODY) for mark in (*sealed, "mark-chat-secret")]
    channel = _key(ChatChannel)
    rows += [Row(ChatChannel, channel, mark, ROOT) for mark in ("mark-channel", "mark-shown")]
    rows.append(Row(ChatChannel, channel, "mark-channel-secret", NOBODY))
    for message in db.session.scalars(select(Message)):
        rows += [Row(Message, message.id, mark, ROOT) for mark in (message.message_id, message.subject)]
    choices = db.session.scalars(select(MessageChoice)).all()
    return rows + [
        Row(MessageChoice, one.id, f"mark-choice-{one.id}", EVERYBODY if one.person_id is None else NOBODY)
        for one in choices
    ]


def checksums(*, but: tuple[str, ...] = ("sign_in_sessions", "audit_logs")) -> dict[str, str]:
    """A digest of every table's content, so that "nothing changed" can be said of the whole database."""
    connection = db.session.connection()
    names = [
        row[0]
        for row in connection.exec_driver_sql(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
        )
    ]
    found = {}
    for name in names:
        if name not in but:
            rows = connection.exec_driver_sql(f'SELECT t::text FROM "{name}" t ORDER BY 1').scalars().all()
            found[name] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    db.session.rollback()
    return found
