"""The demo company: believable in numbers, and the same every time."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import exists, func, select

from app import demo_company
from app.audit import chain
from app.demo_company import company
from app.directory import operations as directory
from app.directory import queries as people
from app.directory.models import Department, Person
from app.foundation import clock
from app.foundation.currencies import decimals_of
from app.foundation.database import db
from app.foundation.outbox import OutboxMessage, OutboxState
from app.inbox.models import TaskStatus, WorkflowTask
from app.inbox.queries import IS_OPEN
from app.inventory import queries as inventory
from app.inventory.models import AccessGrant, PermissionAssignment, Product, Service
from app.lifecycle import queries as lifecycle
from app.lifecycle.models import AccessTemplate, EventKind, LifecycleCase
from app.payments import attachments
from app.payments import queries as payments
from app.payments.file_kinds import kind_of
from app.payments.history_models import Invoice, InvoiceType, PaymentMade
from app.payments.models import PaymentInfo
from app.payments.operations import FIELDS, cleaned

STORY = (
    Department.name,
    Person.name,
    Person.email,
    Service.name,
    Product.name,
    WorkflowTask.title,
    AccessGrant.level,
    PaymentInfo.amount,
    PaymentMade.amount,
)


@pytest.fixture(scope="module")
def stories(one_app: Flask, templates: Callable[[str], None]) -> list[list[list[str]]]:
    """What stands in two portals that were filled one after the other; the second one stays."""
    told = []
    for _ in range(2):
        templates("empty")
        with one_app.app_context():
            assert demo_company.load()
            told.append(
                [list(db.session.scalars(select(column).order_by(column.class_.id))) for column in STORY]
            )
            db.session.remove()
    return told


@pytest.fixture
def demo(one_app: Flask, stories) -> Iterator[Flask]:
    with one_app.app_context():
        yield one_app
        db.session.rollback()
        db.session.remove()


def count(*rules) -> int:
    return db.session.scalar(select(func.count()).select_from(rules[0]).where(*rules[1:]))


def test_demo_company_is_the_same_every_time(stories):
    assert stories[0] == stories[1]


def test_demo_company_is_as_large_as_promised(demo):
    assert count(Department) == 12
    assert count(Service) >= 38
    assert count(Product) >= 115
    assert 295 <= count(Person) <= 305
    assert 1_500 <= count(AccessGrant) <= 2_500
    assert count(AccessTemplate) > count(Department)


def test_loading_again_does_nothing(demo, capsys):
    before = count(Person), count(LifecycleCase)
    assert demo_company.load() is False
    assert (count(Person), count(LifecycleCase)) == before
    assert "nothing was loaded" in capsys.readouterr().out


def test_audit_chain_holds(demo):
    assert chain.verify().is_sound


def test_cast_can_sign_in_with_their_roles(demo):
    roles = {"alice": {"ServiceAdministrator"}, "bob": {"ProductAdministrator"}, "charlie": set()}
    for name, expected in roles.items():
        account, _ = directory.authenticate(f"{name}@{company.DOMAIN}", company.PASSWORD)
        assert people.role_names(account) == expected


def test_cast_administers_what_tasks_are_about(demo):
    for name, things in {"alice": 1, "bob": 2, "charlie": 0}.items():
        person = people.person_matching(None, f"{name}@{company.DOMAIN}")
        assert len(inventory.assignments_of(person)) == things
        assert (count(WorkflowTask, WorkflowTask.assignee_id == person.id, IS_OPEN) > 3) is bool(things)


def test_nobody_else_of_the_company_has_a_password(demo):
    able = [person.name for person in db.session.scalars(select(Person)) if person.can_sign_in]
    assert sorted(name.split()[0] for name in able) == ["Alice", "Bob", "Charlie", "Portal"]


def test_every_service_has_an_active_administrator(demo):
    for service in db.session.scalars(select(Service)):
        assert inventory.administrators_of(service_id=service.id), service


def test_administrators_hold_the_role_that_goes_with_it(demo):
    for assignment in db.session.scalars(select(PermissionAssignment)):
        assert assignment.role in people.role_names(assignment.person.account)


def test_every_template_fits_somebody(demo):
    for template in db.session.scalars(select(AccessTemplate)):
        fits = Person.department_id == template.department_id
        if template.position:
            fits &= Person.position == template.position
        assert count(Person, fits), template


def test_access_follows_the_templates(demo):
    held = needed = 0
    for person in db.session.scalars(select(Person).where(Person.active, Person.starts_on < clock.today())):
        products = {grant.product_id for grant in inventory.open_grants_of(person)}
        wanted = {product.id for product in lifecycle.access_needed_by(person)[0]}
        held, needed = held + len(products & wanted), needed + len(wanted)
    assert held > 0.9 * needed


def test_every_open_task_lies_with_somebody_active(demo):
    left = WorkflowTask.assignee.has(Person.active.is_(False))
    assert count(WorkflowTask, IS_OPEN) > 40
    assert count(WorkflowTask, IS_OPEN, left) == 0


def test_tasks_stand_in_every_status(demo):
    assert set(db.session.scalars(select(WorkflowTask.status))) == set(TaskStatus)


def test_cases_are_running_and_one_is_closed(demo):
    assert count(LifecycleCase, LifecycleCase.kind == EventKind.ONBOARDING) == 8
    assert count(LifecycleCase, LifecycleCase.kind == EventKind.OFFBOARDING) == 4
    assert count(LifecycleCase, LifecycleCase.closed_at.is_not(None)) == 1


def test_somebody_of_an_unknown_department_waits_for_a_decision(demo):
    person = db.session.scalars(select(Person).where(Person.department_given.is_not(None))).one()
    assert (
        count(
            WorkflowTask, WorkflowTask.target_id == person.id, WorkflowTask.action == "decide_access", IS_OPEN
        )
        == 1
    )


def test_leavers_hand_over_what_they_alone_administer(demo):
    assert count(WorkflowTask, WorkflowTask.action == "hand_over", IS_OPEN) >= 1


def test_those_who_left_hold_nothing_unless_a_case_says_so(demo):
    case = exists().where(LifecycleCase.person_id == AccessGrant.person_id, LifecycleCase.closed_at.is_(None))
    gone = AccessGrant.person.has(Person.active.is_(False))
    assert count(Person, Person.active.is_(False)) > 5
    assert count(AccessGrant, gone, AccessGrant.ended_at.is_(None), ~case) == 0


def test_no_story_lies_in_the_future(demo):
    now = clock.now()
    for column in (LifecycleCase.opened_at, WorkflowTask.completed_at, AccessGrant.ended_at):
        assert db.session.scalar(select(func.max(column))) <= now


def test_nothing_is_left_to_a_worker(demo):
    assert set(db.session.scalars(select(OutboxMessage.state))) == {OutboxState.DONE}


def test_payments_are_believable(demo):
    assert count(PaymentInfo) == count(Product)
    states = payments.counts_by_state()
    assert min(states.values()) > 0, states
    assert states["incomplete"] < states["complete"]
    assert len(set(db.session.scalars(select(PaymentInfo.currency)))) >= 4
    for payment in db.session.scalars(select(PaymentInfo)):
        fields = {name: getattr(payment, name) for name in FIELDS}
        assert cleaned(fields) == fields
        assert payment.amount is None or payment.amount == round(
            payment.amount, decimals_of(payment.currency)
        )


def test_payments_made_are_believable(demo):
    assert 500 < count(PaymentMade) < 3_000
    assert count(PaymentMade, PaymentMade.corrects_id.is_not(None)) > 0
    assert count(PaymentMade, PaymentMade.paid_on > clock.today()) == 0
    for invoice in db.session.scalars(select(Invoice)):
        content = attachments.open_content(invoice.stored_name)[0].read()
        assert kind_of(content) is InvoiceType.PDF
