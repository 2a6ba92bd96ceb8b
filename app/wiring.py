"""Every call that runs against the import order: a lower room's fact, and what another room makes of it."""

from app.audit import recorder
from app.audit.events import LogBroken
from app.directory import operations as directory
from app.directory.events import PersonDeactivated
from app.foundation import clock, events
from app.foundation.database import db
from app.foundation.errors import Conflict
from app.foundation.events import Operated
from app.foundation.scoping import unscoped
from app.inbox.events import TaskCompleted, TaskFinished, TaskReopened
from app.inbox.models import TaskAction, WorkflowTask
from app.inventory import operations as inventory
from app.inventory import queries as inventory_queries
from app.inventory.events import ProductCreated, ProductLeaves
from app.inventory.models import AccessGrant, AccessLevel, GrantSource, PermissionAssignment
from app.lifecycle import operations as lifecycle
from app.notifications import operations as notifications
from app.payments import feed_operations as feeds
from app.payments import operations as payments
from app.webhooks import catalogue
from app.webhooks import operations as webhooks


def connect() -> None:
    """Subscribe everything; called by the factory, harmless if called again."""
    events.subscribe(TaskCompleted, record_what_was_done)
    events.subscribe(TaskFinished, close_case)
    events.subscribe(TaskReopened, reopen_case)
    events.subscribe(PersonDeactivated, hand_on)
    events.subscribe(PersonDeactivated, end_calendar)
    events.subscribe(Operated, note_in_log)
    events.subscribe(LogBroken, tell_of_broken_log)
    events.subscribe(ProductCreated, open_payment)
    events.subscribe(ProductLeaves, close_payment)
    # Last, so that other systems hear of things as they are when everything here has been told.
    for fact in catalogue.facts():
        events.subscribe(fact, webhooks.hand_out)


def record_what_was_done(fact: TaskCompleted) -> None:
    """A completed task is a grant recorded, a grant ended, an assignment handed over or a sign-in closed."""
    record = {
        TaskAction.GRANT_ACCESS: _grant,
        TaskAction.REVOKE_ACCESS: _end_grant,
        TaskAction.HAND_OVER: _hand_over,
        TaskAction.KEEP_ADMIN: _close_sign_in,
    }.get(TaskAction(fact.task.action))
    if record:
        with unscoped():
            record(fact.task)


def close_case(fact: TaskFinished) -> None:
    """The last task closes its case."""
    lifecycle.close_if_done(fact.task.case_id)


def reopen_case(fact: TaskReopened) -> None:
    """A task taken up again opens its case again."""
    lifecycle.reopen_case(fact.task.case_id)


def hand_on(fact: PersonDeactivated) -> None:
    """What waited for somebody who left waits for somebody else."""
    lifecycle.hand_on(fact.person)


def end_calendar(fact: PersonDeactivated) -> None:
    """Nobody reads the calendar of somebody who left."""
    feeds.end_feeds(fact.person.account_id)


def open_payment(fact: ProductCreated) -> None:
    """Every product stands in the register from the start, incomplete."""
    payments.open_record(fact.product)


def close_payment(fact: ProductLeaves) -> None:
    """A product takes its payment along."""
    payments.close_record(fact.product)


def note_in_log(fact: Operated) -> None:
    """Who paused a job, asked for a run or revived a dead letter stands in the log."""
    recorder.record(
        fact.action,
        target_type=fact.action.partition(".")[0],
        target_id=fact.target_id,
        target_label=fact.label,
    )


def tell_of_broken_log(fact: LogBroken) -> None:
    """Each night again, until somebody has mended it."""
    notifications.tell_admins(
        "The audit log was changed",
        f"Its nightly check found: {fact.check}. Keep the database as it is, and find out who could write to it.",
        href="/audit/",
        cause=f"audit log:{clock.today()}",
    )


def _grant(task: WorkflowTask) -> None:
    """The access stands in the inventory; if somebody recorded it by hand meanwhile, that record stays."""
    if (
        task.product_id
        and task.target_id
        and not inventory_queries.open_grant(task.target_id, task.product_id)
    ):
        inventory.grant_access(
            person_id=task.target_id,
            product_id=task.product_id,
            level=task.details.get("level", AccessLevel.MEMBER),
            source=GrantSource.TASK,
        )


def _end_grant(task: WorkflowTask) -> None:
    grant = db.session.get(AccessGrant, task.grant_id) if task.grant_id else None
    if grant:
        inventory.end_grant(grant)


def _hand_over(task: WorkflowTask) -> None:
    """The leaver lets go of what they alone administered, once somebody else administers it."""
    left = db.session.get(PermissionAssignment, task.details.get("assignment_id"))
    if left is None:
        return
    people = inventory_queries.administrators_of(product_id=left.product_id, service_id=left.service_id)
    if not [person for person in people if person.id != left.person_id]:
        raise Conflict(f"Nobody else administers {left.service or left.product} yet. Assign somebody first.")
    inventory.unassign_administrator(left)


def _close_sign_in(task: WorkflowTask) -> None:
    """Conflict as long as the leaver is the last Admin."""
    if task.target:
        directory.deactivate_person(task.target)
