"""A larger world for attacks: every row carries a mark of its own, and a list of who of the cast may read that mark.

A mark that stands in an answer to anybody else is a leak, whatever door it came through. The lists are written down
here by hand, so that a row rule and its test can't be wrong in the same way.
"""

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select, text

from app.audit import recorder
from app.audit.models import AuditEntry
from app.directory import operations as directory
from app.directory.models import Account, Department, Invitation, Person, SignInSession
from app.foundation import clock, outbox
from app.foundation.database import db
from app.foundation.sealing import seal
from app.foundation.ticking import JobPause, ScheduledRun
from app.inbox import operations as inbox
from app.inbox.absence_models import Absence
from app.inbox.models import TaskAction, TaskComment, TaskEscalation, TaskType, WorkflowTask
from app.inventory import operations as inventory
from app.inventory.models import AccessGrant, PermissionAssignment, Product, Service
from app.lifecycle import operations as lifecycle
from app.lifecycle.models import AccessTemplate, EventKind, HrEvent, LifecycleCase
from app.notifications import operations as notifications
from app.notifications.message_models import Message
from app.notifications.models import Kind, Notification
from app.notifications.preference_models import (
    Channel,
    ChatChannel,
    Choice,
    MessageChoice,
    MessageSettings,
)
from app.payments import feed_operations as feeds
from app.payments import operations as payments
from app.payments import queries as payment_queries
from app.payments import rates_operations as rates
from app.payments.feed_models import CalendarFeed
from app.payments.history_models import Invoice, InvoiceType, PaymentMade
from app.payments.import_models import ImportRow, ImportRun
from app.payments.models import PaymentInfo
from app.payments.rates_models import ExchangeRate
from app.reminders.models import ProductReminders, ReminderAnswer, ReminderSent
from app.webhooks import operations as webhooks
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


def settle() -> None:
    """Add the marked rows to the cast's world, with keys that occur nowhere else in a page."""
    for sequence in db.session.scalars(
        text("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'")
    ):
        db.session.execute(text(f'ALTER SEQUENCE "{sequence}" RESTART WITH {FIRST_KEY}'))
    _settle_directory()
    _settle_inventory()
    _settle_payments()
    _settle_inbox()
    _settle_reminders()
    _settle_lifecycle()
    _settle_machinery()
    db.session.flush()


def _person(name: str) -> Person:
    return db.session.scalars(select(Person).where(Person.name == name)).one()


def _product(name: str) -> Product:
    return db.session.scalars(select(Product).where(Product.name == name)).one()


def _settle_directory() -> None:
    hidden = directory.create_department(name="Zephyr Department", description="mark-department-hidden")
    own = directory.create_department(name="Charlie's Department", description="mark-department-of-charlie")
    erin = directory.create_person(
        name="Erin Unseen", email="mark-erin@hidden.test", department_id=hidden.id, external_id="mark-erin-id"
    )
    account = directory.ensure_account(erin)
    account.username, account.password = "mark-account-erin", "mark-password-hash"
    db.session.add(SignInSession(id="mark-session-of-erin", account_id=account.id, client="mark-client"))
    directory.invite(erin)
    directory.change_person(_person("Charlie"), department_id=own.id)


def _settle_inventory() -> None:
    vault = inventory.create_service(
        name="Vault Service", vendor="mark-vault-vendor", url="https://mark-vault.test"
    )
    keys = inventory.create_product(service_id=vault.id, name="Vault Keys", url="https://mark-keys.test")
    copilot, slack = _product("Copilot"), _product("Slack Business")
    inventory.change_product(copilot, description="mark-copilot")
    inventory.change_product(slack, description="mark-slack-business")
    inventory.change_product(_product("Gmail"), description="mark-gmail")
    inventory.change_product(_product("GitHub Enterprise"), description="mark-github-enterprise")
    erin, dora, bob, charlie = (_person(name) for name in ("Erin Unseen", "Dora", "Bob", "Charlie"))
    inventory.assign_administrator(person_id=erin.id, product_id=keys.id)
    for person, product, until in (
        (erin, keys, date(2091, 1, 11)),
        (dora, slack, date(2092, 2, 12)),
        (dora, _product("Gmail"), date(2093, 3, 13)),
        (charlie, copilot, date(2094, 4, 14)),
        (bob, copilot, date(2097, 7, 17)),
    ):
        inventory.grant_access(person_id=person.id, product_id=product.id, valid_until=until)


def _settle_payments() -> None:
    """Alice's service, bob's product, nobody's: who administers something does not read what is paid for it."""
    for name in ("Gmail", "Slack Business", "Vault Keys"):
        payment = payment_queries.payment_of(_product(name).id)
        assert payment is not None
        payments.change_payment(
            payment,
            amount="424.24",
            cardholder_name=f"mark-holder-{name}",
            payment_method=f"mark-method-{name}",
            card_last4="9753",
            expiry_date=date(2099, 9, 19),
        )
        made = PaymentMade(
            product=_product(name),
            amount=Decimal("535.35"),
            currency="USD",
            paid_on=date(1999, 9, 9),
            method=f"mark-paid-by-{name}",
            note=f"mark-note-{name}",
            recorded_by_name=f"mark-recorder-{name}",
        )
        made.invoices = [
            Invoice(
                name=f"mark-invoice-{name}.pdf",
                stored_name=f"mark-stored-{name}",
                mime_type=InvoiceType.PDF,
                size=1,
                sha256=name.encode(),
                uploaded_by_name=f"mark-uploader-{name}",
            )
        ]
        db.session.add(made)
    for name in ("Root", "Alice"):
        feeds.open_feed(_person(name).account_id, mine=False)
    _settle_import()
    # Of what a currency is worth nobody makes a secret; the page and the API are the Admins' all the same.
    rates.create_rate(currency="EUR", day=date(2001, 1, 21), rate="1.4242424242")


def _settle_import() -> None:
    run = ImportRun(
        file_name="mark-import-file.csv",
        kind="csv",
        file_size=1,
        content=b"mark-import-content",
        look={"columns": ["mark-import-column"], "rows": 1, "sample": []},
    )
    db.session.add(run)
    db.session.flush()
    db.session.add(
        ImportRow(
            run_id=run.id,
            line=2,
            kind="new",
            product="mark-import-product",
            wanted={},
            before={},
            after={},
            faults={},
        )
    )


def _task(key: str, assignee: str, about: str, product: str | None) -> WorkflowTask:
    thing = _product(product) if product else None
    task = inbox.open_task(
        case_id=None,
        key=key,
        assignee=_person(assignee),
        target=_person(about),
        type=TaskType.ONBOARDING,
        action=TaskAction.GRANT_ACCESS if thing else TaskAction.DECIDE_ACCESS,
        title=f"mark-task-{key}",
        description=f"mark-story-{key}",
        product=thing,
        service=thing.service if thing else None,
    )
    assert task is not None
    inbox.add_comment(task, f"mark-comment-{key}")
    return task


def _settle_inbox() -> None:
    _task("keys", "Root", "Erin Unseen", "Vault Keys")
    _task("gmail", "Root", "Dora", "Gmail")
    _task("slack", "Bob", "Dora", "Slack Business")
    _task("charlie", "Charlie", "Erin Unseen", "Vault Keys")


def _settle_reminders() -> None:
    """Answers of alice and for everybody, an absence that bob stands in for, an escalation with its task."""
    day = date(2100, 10, 20)
    vault, gmail = _product("Vault Keys"), _product("Gmail")
    for product, person, name in ((gmail, "Alice", "alice"), (vault, None, "all"), (gmail, "Bob", "bob")):
        db.session.add(
            ReminderAnswer(
                product_id=product.id,
                kind="renewal",
                day=day,
                person_id=_person(person).id if person else None,
                given_on=day,
                given_by_name=f"mark-answer-{name}",
            )
        )
    db.session.add(ReminderSent(product_id=vault.id, kind="renewal", day=date(2101, 11, 21), threshold=17))
    db.session.add(ProductReminders(product_id=vault.id, days=[313]))
    for person, substitute, starts in (
        ("Erin Unseen", "Dora", date(2102, 1, 22)),
        ("Charlie", "Bob", date(2103, 2, 23)),
    ):
        row = Absence(
            person=_person(person), substitute=_person(substitute), starts_on=starts, ends_on=starts
        )
        db.session.add(row)
    for key in ("keys", "gmail"):
        task = db.session.scalars(select(WorkflowTask).where(WorkflowTask.key == key)).one()
        db.session.add(TaskEscalation(task_id=task.id, level=1, told=[f"mark-told-{key}"]))


def _settle_lifecycle() -> None:
    erin, charlie = _person("Erin Unseen"), _person("Charlie")
    lifecycle.create_template(
        name="mark-template", position="mark-template-position", product_ids=[_product("Vault Keys").id]
    )
    for person, kind, day in (
        (erin, EventKind.ONBOARDING, date(2095, 5, 15)),
        (charlie, EventKind.OFFBOARDING, date(2096, 6, 16)),
        (charlie, EventKind.ONBOARDING, date(2098, 8, 18)),
    ):
        case = LifecycleCase(person_id=person.id, kind=kind.value, effective_on=day)
        db.session.add(case)
        db.session.flush()
        event = HrEvent(
            source="hr",
            kind=kind.value,
            delivery_id=f"mark-delivery-{day}",
            content_key=f"mark-content-{day}",
            body_hash=f"mark-body-{day}",
            payload={"employee": f"mark-payload-{day}"},
            person_id=person.id,
            case_id=case.id,
        )
        db.session.add(event)
        db.session.flush()


def _settle_machinery() -> None:
    for name in ("Erin Unseen", "Alice", "Bob", "Charlie"):
        notifications.notify(
            _person(name),
            f"mark-notice-{name.split()[0].lower()}",
            body="Something happened.",
            href="/inbox/",
        )
    # A message repeats its notice for Admins, who read the log of messages; the notice is its reader's alone.
    for message in db.session.scalars(select(Message)):
        message.subject, message.text, message.html = (
            f"mark-message-{message.id}",
            "Something happened.",
            None,
        )
    db.session.add(MessageChoice(kind=Kind.ACCESS, channel=Channel.EMAIL, choice=Choice.AT_ONCE))
    for name in ("Erin Unseen", "Alice"):
        first = name.split()[0].lower()
        person = _person(name)
        own = {"person_id": person.id, "chat_shown": f"mark-chat-{first}"}
        db.session.add(MessageSettings(**own, chat_address=seal(f"json://mark-chat-secret-{first}")))
        db.session.add(
            MessageChoice(person_id=person.id, kind=Kind.TASK, channel=Channel.CHAT, choice=Choice.OFF)
        )
    db.session.add(
        ChatChannel(
            name="mark-channel",
            kinds=[Kind.TASK],
            address=seal("json://mark-channel-secret"),
            shown="mark-shown",
        )
    )
    recorder.record(
        "mark.audit", target_type="mark", target_label="mark-audit-label", before={"mark-before": "mark-was"}
    )
    outbox.enqueue("mark.outbox.job", "mark-outbox-argument", delay=timedelta(days=3000))
    db.session.add(
        ScheduledRun(name="mark-run", job="mark.run.job", slot=clock.now(), result="mark-run-result")
    )
    db.session.add(JobPause(job="mark.paused.job", paused_by="mark-pauser"))
    _settle_webhooks()


def _settle_webhooks() -> None:
    endpoint = webhooks.create_endpoint(
        name="mark-endpoint", url="https://mark-endpoint.test/hook", every_event=True, enabled=False
    )
    endpoint.secret = b"mark-sealed-secret"
    message = WebhookMessage(uid="mark-message-uid", type="mark.event", body='{"mark": "mark-message-body"}')
    delivery = WebhookDelivery(message=message, endpoint=endpoint, state="failed", last_error="mark-why")
    db.session.add(delivery)
    db.session.flush()
    db.session.add(
        WebhookAttempt(
            delivery_id=delivery.id,
            url=endpoint.url,
            request_headers={"mark": "mark-header"},
            error="mark-fault",
        )
    )


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
