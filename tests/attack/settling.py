"""The rows of the world of attacks, as its people made them."""

from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import select, text

from app.audit import recorder
from app.directory import operations as directory
from app.directory.models import Person, SignInSession
from app.foundation import clock, outbox
from app.foundation.database import db
from app.foundation.sealing import seal
from app.foundation.ticking import JobPause, ScheduledRun
from app.inbox import operations as inbox
from app.inbox.absence_models import Absence
from app.inbox.models import TaskAction, TaskEscalation, TaskType, WorkflowTask
from app.inventory import operations as inventory
from app.inventory.models import Product
from app.lifecycle import operations as lifecycle
from app.lifecycle.models import EventKind, HrEvent, LifecycleCase
from app.notifications import operations as notifications
from app.notifications.message_models import Message
from app.notifications.models import Kind
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
from app.payments.history_models import Invoice, InvoiceType, PaymentMade
from app.payments.import_models import ImportRow, ImportRun
from app.reminders.models import ProductReminders, ReminderAnswer, ReminderSent
from app.webhooks import operations as webhooks
from app.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookMessage
from tests.attack.world import FIRST_KEY


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
