"""No table is forgotten by the row rules, and nobody lifts them without it being noticed here."""

import ast

from sqlalchemy.orm import configure_mappers

from app.foundation.database import db
from app.foundation.scoping import declared
from tests.architecture.sources import calls, functions, modules

# Who looks at every row, and why that is right. A new line here is a decision that somebody takes and another reads.
LOOKS_WIDER = {
    # The log names what its writer may not see.
    "app.audit.recorder._note_deletions",
    "app.audit.recorder._note_changes",
    # Signing in happens before there is a viewer; accounts and sessions belong to the machinery of signing in.
    "app.directory.operations.accounts.link_account",
    "app.directory.operations.accounts._somebody_is_admin",
    "app.directory.operations.accounts.end_sessions",
    "app.directory.operations.accounts.end_session",
    "app.directory.operations.accounts.invite",
    "app.directory.operations.accounts.accept_invitation",
    "app.directory.operations.accounts.invited_account",
    "app.directory.operations.signing_in.authenticate",
    "app.directory.operations.refreshing.refresh_session",
    # closing an account ends its tokens, whoever closes it
    "app.directory.operations.accounts.revoke_tokens",
    "app.directory.operations.api_tokens.note_use",
    "app.directory.operations.throttle.forget_failures",
    "app.directory.operations.throttle.prune_limits",
    # What HR says and who has to act is decided for everybody, whoever's request it happens in.
    "app.directory.queries.people_with_role",
    "app.directory.queries.person_matching",
    "app.directory.queries.department_named",
    "app.lifecycle.operations.cases.plan_case",
    "app.lifecycle.operations.cases.hand_on",
    "app.lifecycle.operations.cases.leave_on_last_days",
    "app.lifecycle.operations.cases.close_if_done",
    "app.lifecycle.operations.due.ask_back_expired_access",
    "app.lifecycle.operations.due.raise_due_cases",
    "app.lifecycle.operations.cases.reopen_case",
    "app.lifecycle.operations.receiving.receive_event",
    "app.wiring.record_what_was_done",
    # A script gets its own answer again; the table is nobody's to read.
    "app.foundation.idempotency._kept",
    "app.foundation.idempotency._keep",
    # A calendar program has no sign-in: the address says whose eyes it looks with.
    "app.payments.feed_operations.end_feeds",
    "app.payments.feed_operations.feed_at",
    "app.payments.feed_operations.note_fetch",
    # A product takes its payment along, whoever removes it.
    "app.payments.operations.close_record",
    # Jobs and the outbox have no viewer.
    "app.foundation.jobs.perform",
    "app.foundation.outbox._lost",
    "app.notifications.operations.forget_read",
    # Whoever acts sees no endpoint, and what they do is told all the same.
    "app.webhooks.operations.publishing.hand_out",
    "app.webhooks.operations.publishing._wanted_types",
    # A task and its notice are given to somebody else by whoever may do so.
    "app.inbox.operations.open_task",
    "app.inbox.operations.add_comment",
    "app.inbox.operations.give_to",
    "app.notifications.operations.notify_all",
    # Who stands in for whom is nobody's secret to the portal; absences begin by themselves.
    "app.inbox.standing_in.on",
    "app.inbox.standing_in.instead_of",
    "app.inbox.absence_operations.begin_absences",
    "app.inbox.absence_operations._move",
    # Whoever is in charge of a payment hears of its days, though only Admins read what is paid. Answers of others tell
    # whether something is still to be said.
    "app.reminders.queries.rules",
    "app.reminders.queries.own_days",
    "app.reminders.queries.answers_to",
    "app.reminders.queries.answers_about",
    "app.reminders.queries.coming_for",
    "app.reminders.operations.payments.tell_of_payments",
    "app.reminders.operations.tasks.tell_of_tasks",
    "app.reminders.operations.tasks.escalate_tasks",
    "app.reminders.operations.grants.tell_of_access",
    "app.reminders.operations.answering._given",
    "app.inventory.queries.administrators_by_service",
    # Tasks and stories of one person, asked for that person only.
    "app.inbox.queries.open_tasks_of",
    "app.lifecycle.queries.own_story",
    # ... and how each of them wants to be told is nobody's business but the planner's.
    "app.notifications.preferences.readers",
    # How many there are of everything, and nothing of what is in them.
    "app.monitoring.measures.PortalCollector._figures",
    # Where a message leads is in the message already; its notice stays its reader's.
    "app.notifications.queries.cause_href",
    # Who sends a test sees what came of it, and of nothing else.
    "app.notifications.sending._carry_now",
    # Whoever has the signed address of a mail needs no sign-in to end such mails.
    "app.notifications.preferences.unsubscribe",
    # A rule needs to know what hangs on a row, or makes its writer its administrator in the same step.
    "app.inventory.operations.create_service",
    "app.inventory.operations.delete_service",
    "app.inventory.operations.create_product",
    "app.inventory.operations.delete_product",
    "app.inventory.operations.assign_administrator",
    "app.inventory.operations.unassign_administrator",
    "app.inventory.operations._must_administer_what_is_used",
    "app.inventory.queries.administered_by",
    "app.inventory.queries.administrators_of",
    # Whoever may see a renewal is told whose business it is.
    "app.inventory.queries.administrators_by_product",
    "app.inventory.queries.open_grant",
    "app.inventory.queries.solely_administered_by",
}

# Who speaks to a table past its model, where neither row rule nor recorder hears it, and why that is right.
BYPASSES = {
    # HR's event is its own entry in the log; naming the person in its row is no second one.
    "app.lifecycle.operations.receiving.receive_event",
}


def test_every_model_has_a_row_rule_or_a_reason_for_none(one_app):
    configure_mappers()
    mapped = {mapper.class_ for mapper in db.Model.registry.mappers}
    assert {model.__name__ for model in mapped - set(declared())} == set()
    assert {model.__name__ for model in set(declared()) - mapped} == set()
    assert {"User", "Role", "ApiKey", "RegisterUser"} <= {model.__name__ for model in mapped}


def test_public_model_says_why(one_app):
    reasons = {model.__name__: why for model, why in declared().items() if isinstance(why, str)}
    assert {name for name, why in reasons.items() if len(why) < 20} == set()
    assert set(reasons) == {"Role", "Group", "Permission", "PermissionView", "ViewMenu", "ExchangeRate"}


def test_lifting_of_row_rules_is_known():
    found = {
        f"{module}.{name}"
        for module, tree in modules()
        for name, body in functions(tree)
        if calls(body, "unscoped")
    }
    assert found - LOOKS_WIDER == set(), "looks at every row: say why in LOOKS_WIDER, or leave it"
    assert LOOKS_WIDER - found == set(), "is in LOOKS_WIDER, but does not look wider any more"


def test_table_is_bypassed_by_core_only_where_it_is_known():
    """A Core statement on `Model.__table__` is not scoped: row rules need that, and an insert has no rows to hide."""
    found = set()
    for module, tree in modules():
        if module.endswith((".access", ".recorder")) or "demo_company" in module:
            continue
        inserted = {id(call.args[0]) for call in calls(tree, "insert") if call.args}
        for name, body in functions(tree):
            mentioned = [node for node in ast.walk(body) if getattr(node, "attr", "") == "__table__"]
            found |= {f"{module}.{name}" for node in mentioned if id(node) not in inserted}
    assert found - BYPASSES == set(), (
        "a statement on a table carries no row rule: say why in BYPASSES, or use the model"
    )
