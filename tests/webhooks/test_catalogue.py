"""The catalogue: every event is really sent, and is what its schema and the documentation say."""

import json
from datetime import date

import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import select

from app.directory import operations as directory
from app.directory.models import Person
from app.foundation import clock, events
from app.foundation.database import db
from app.inbox import operations as inbox
from app.inbox.models import TaskAction, TaskStatus, TaskType, WorkflowTask
from app.inventory import operations as inventory
from app.inventory.models import AccessGrant, Product
from app.payments import recording
from app.payments.events import PaymentExpiring
from app.webhooks import catalogue
from app.webhooks.models import WebhookMessage
from tests.webhooks.event_types_page import PATH, page

URL = "https://tickets.example.com/hooks"


def task(key: str, assignee: Person, product: Product | None = None) -> WorkflowTask:
    return inbox.open_task(
        case_id=None,
        key=key,
        assignee=assignee,
        title=f"Task {key}",
        type=TaskType.ONBOARDING,
        action=TaskAction.DECIDE_ACCESS,
        product=product,
        service=product.service if product else None,
        target=assignee,
    )


@pytest.fixture
def sent(context, world, endpoint, hr, run_jobs):
    """Everything happens that anybody can be told of; the bodies by event type."""
    endpoint(url=URL)
    people = {name: db.session.get(Person, key) for name, key in world.people.items()}
    gmail = db.session.get(Product, world.products["Gmail"])
    newcomer = directory.create_person(name="Ada", email="ada@example.com", position="Engineer")
    service = inventory.create_service(name="Zoom", vendor="Zoom, Inc.")
    product = inventory.create_product(service_id=service.id, name="Zoom Pro")
    grant = inventory.grant_access(person_id=newcomer.id, product_id=gmail.id)
    db.session.flush()
    inventory.end_grant(grant)
    recording.record_payment(
        product_id=gmail.id, amount="12.5", currency="EUR", paid_on=clock.today().isoformat(), note="March"
    )
    done, dropped = task("done", people["bob"], gmail), task("dropped", people["bob"])
    inbox.give_to(done, people["alice"])
    inbox.work_on(done, status=TaskStatus.COMPLETED)
    inbox.work_on(done, status=TaskStatus.IN_PROGRESS)
    inbox.cancel(dropped, "Not needed.")
    inventory.delete_product(product)
    inventory.delete_service(service)
    events.publish(PaymentExpiring(gmail.id, "renewal", date(2026, 4, 1), 14))
    directory.deactivate_person(newcomer)
    directory.reactivate_person(newcomer)
    db.session.commit()
    hr("onboarding", name="Grace", email="grace@example.com", department="Engineering")
    hr("onboarding", name="Grace", email="grace@example.com", department="Engineering")
    run_jobs_of_lifecycle(run_jobs)
    for one in db.session.scalars(select(WorkflowTask).where(WorkflowTask.case_id.is_not(None))):
        inbox.work_on(one, status=TaskStatus.COMPLETED)
    db.session.commit()
    bodies: dict[str, list] = {}
    for message in db.session.scalars(select(WebhookMessage).order_by(WebhookMessage.id)):
        bodies.setdefault(message.type, []).append(json.loads(message.body))
    return bodies


def run_jobs_of_lifecycle(run_jobs) -> None:
    """The endpoint's own address is nowhere: what is due there is left alone."""
    from app.foundation import jobs  # noqa: PLC0415
    from app.foundation.outbox import OutboxMessage, OutboxState  # noqa: PLC0415

    waiting = select(OutboxMessage.id).where(
        OutboxMessage.state == OutboxState.WAITING, OutboxMessage.queue == "default"
    )
    for key in db.session.scalars(waiting).all():
        jobs.perform(key)
    db.session.expire_all()


def test_everything_in_the_catalogue_is_sent_and_fits_its_schema(sent):
    assert set(sent) == set(catalogue.BY_NAME)
    for name, bodies in sent.items():
        check = Draft202012Validator(
            catalogue.BY_NAME[name].schema, format_checker=Draft202012Validator.FORMAT_CHECKER
        )
        for body in bodies:
            assert [fault.message for fault in check.iter_errors(body)] == [], name


def test_payloads_say_what_happened(sent):
    assert [one["data"]["name"] for one in sent["person.joined"]] == ["Ada", "Ada", "Grace"]
    assert [one["data"]["active"] for one in sent["person.left"]] == [False]
    assert sent["grant.started"][0]["data"]["product"]["service"]["name"] == "Google Workspace"
    assert sent["grant.ended"][0]["data"]["ended_at"]
    assert sent["payment.recorded"][0]["data"]["amount"] == "12.50"
    assert sent["payment.recorded"][0]["data"]["corrects_id"] is None
    assert [one["data"]["assignee"]["name"] for one in sent["task.reassigned"]] == ["Alice"]
    assert sent["task.completed"][0]["data"]["status"] == "completed"
    assert [one["data"]["title"] for one in sent["task.cancelled"]] == ["Task dropped"]
    assert sent["payment.expiring"][0]["data"] | {"product": None} == {
        "product": None,
        "kind": "renewal",
        "day": "2026-04-01",
        "days_left": 14,
    }
    assert [one["data"]["kind"] for one in sent["case.opened"]] == ["onboarding"]
    assert sent["case.closed"][0]["data"]["closed_at"]
    assert sent["case.opened"][0]["data"]["person"]["id"].isdigit()


@pytest.mark.parametrize("one", [*catalogue.EVENT_TYPES, catalogue.TEST], ids=lambda one: one.name)
def test_example_fits_its_schema(one):
    Draft202012Validator.check_schema(one.schema)
    check = Draft202012Validator(one.schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    assert [fault.message for fault in check.iter_errors(one.example)] == []
    assert one.when.endswith(".")


def test_names_are_unique_and_speak_of_the_past():
    names = [one.name for one in (*catalogue.EVENT_TYPES, catalogue.TEST)]
    assert len(set(names)) == len(names)
    assert all(name.count(".") == 1 and name.islower() for name in names)


def test_documentation_is_made_of_the_catalogue():
    """If this fails: `python -m tests.webhooks.event_types_page`, and read the difference."""
    assert PATH.read_text(encoding="utf-8") == page()


def test_grant_ended_is_told_after_it_has_ended(context, world, endpoint):
    endpoint(url=URL, event_types=["grant.ended"])
    grant = db.session.scalars(select(AccessGrant).limit(1)).one()
    inventory.end_grant(grant)
    inventory.end_grant(grant)
    db.session.commit()
    assert len(db.session.scalars(select(WebhookMessage)).all()) == 1, "ended once"
