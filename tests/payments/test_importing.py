"""A sheet becomes the register: shown row by row first, then all of it or nothing."""

from datetime import date
from decimal import Decimal

from sqlalchemy import func, select

from app.audit.models import AuditEntry
from app.foundation import jobs
from app.foundation.database import db
from app.foundation.outbox import OutboxMessage
from app.inventory import operations as inventory
from app.inventory.models import Product, Service
from app.payments import queries
from app.payments.import_models import ImportRun
from tests.attack.world import checksums
from tests.payments.sheets import HEAD, csv_of, payment, register, write
from tests.visitor import apart


def test_dry_run_tells_new_changed_unchanged_and_refused(app, importer, world):
    write(app, world.products["Gmail"], amount="6.00", cardholder_name="Jane Doe")
    write(app, world.products["Drive"], amount="7.00")
    before = register(app)
    run = importer.dry_run(
        csv_of(
            HEAD,
            "Google Workspace,gmail,6.50,EUR,Jane Doe,2031-03-31,Credit card",
            "Google Workspace,Drive,7,,,,",
            "Slack,Huddles,12.00,USD,,,invoice",
            "Nowhere,Nothing,1,,,,",
            "GitHub,Copilot,-3,DOLLAR,,31/12/2031,",
        )
    )
    assert run.state == "checked"
    assert run.counts == {"new": 1, "changed": 1, "unchanged": 1, "refused": 2}
    rows = importer.rows(run.id)
    assert {line: row.kind for line, row in rows.items()} == {
        2: "changed", 3: "unchanged", 4: "new", 5: "refused", 6: "refused"
    }  # fmt: skip
    assert rows[2].before == {
        "amount": "6.000", "currency": "USD", "expiry_date": None, "payment_method": None
    }  # fmt: skip
    assert rows[2].after == {
        "amount": "6.50", "currency": "EUR", "expiry_date": "2031-03-31", "payment_method": "Credit card"
    }  # fmt: skip
    assert rows[2].product_id == world.products["Gmail"]
    assert rows[4].after["payment_method"] == "Invoice"
    assert set(rows[5].faults) == {"service"}
    assert set(rows[6].faults) == {"amount", "currency", "expiry_date"}
    assert register(app) == before, "a dry run changes nothing"
    first = importer.visitor.get(f"/payments/imports/{run.id}").text
    assert ("Copilot" in first, "Gmail" in first) == (True, False), "what is refused comes first"
    page = importer.visitor.get(f"/payments/imports/{run.id}?kind=all").text
    for shown in ("USD 6.00", "EUR 6.50", "31 Mar 2031", "C6", "Enter a date as YYYY-MM-DD.", "disabled"):
        assert shown in page, shown
    assert importer.visitor.get(f"/payments/imports/{run.id}?kind=nonsense").status_code == 422
    only = importer.visitor.get(f"/payments/imports/{run.id}?kind=new").text
    assert "Huddles" in only
    assert "Copilot" not in only


def test_import_does_what_was_shown_and_says_who(app, importer, world):
    content = csv_of(
        HEAD, "Google Workspace,Gmail,6.50,EUR,Jane Doe,2031-03-31,Credit card", "Slack,Huddles,12,,,,"
    )
    run = importer.start(importer.dry_run(content).id)
    assert (run.state, run.file_size, run.done) == ("imported", 0, 2)
    gmail = payment(app, world.products["Gmail"])
    assert (gmail.amount, gmail.currency, gmail.expiry_date, gmail.status) == (
        Decimal("6.5"), "EUR", date(2031, 3, 31), "complete"
    )  # fmt: skip
    with app.app_context():
        made = db.session.scalars(select(Product).where(Product.name == "Huddles")).one()
        assert (made.service.name, queries.payment_of(made.id).amount) == ("Slack", 12)
        recent = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(12)
        entries = {entry.action: entry for entry in db.session.scalars(recent)}
        assert db.session.scalar(select(ImportRun.content)) is None
    assert entries["payment_register.import"].after == {"new": 1, "changed": 1, "unchanged": 0, "refused": 0}
    for action in ("payment_info.update", "product.create", "payment_register.import"):
        assert entries[action].actor_name == "Root", action
    assert "2 rows were imported" in importer.visitor.get(f"/payments/imports/{run.id}").text


def test_missing_service_is_added_only_if_asked_for(app, importer):
    content = csv_of("Service,Product,Amount", "Figma,Teams,15", "figma,Draw,3")
    assert set(importer.faults(content)[2]) == {"service"}
    run = importer.dry_run(content, create_services="on")
    assert importer.start(run.id).state == "imported"
    with app.app_context():
        found = db.session.scalars(select(Service).where(Service.name == "Figma")).one()
        assert [product.name for product in found.products] == ["Draw", "Teams"]


def test_blank_cell_keeps_what_is_there_unless_asked(app, importer, world):
    write(
        app,
        world.products["Gmail"],
        amount="6.00",
        cardholder_name="Jane Doe",
        currency="EUR",
        auto_renew=False,
    )
    content = csv_of("Product ID,Amount,Currency,Holder,Renews by itself", f"{world.products['Gmail']},6,,,")
    assert importer.dry_run(content).counts["unchanged"] == 1
    run = importer.dry_run(content, clear_blanks="on")
    assert importer.rows(run.id)[2].before == {"cardholder_name": "Jane Doe"}
    importer.start(run.id)
    found = payment(app, world.products["Gmail"])
    assert (found.cardholder_name, found.currency, found.auto_renew) == (None, "EUR", False)


def test_failure_at_the_last_row_leaves_nothing(app, importer, world):
    lines = [f"Slack,Product {number},{number}" for number in range(700)]
    run = importer.dry_run(
        csv_of("Service,Product,Amount", "Google Workspace,Gmail,5", *lines, "Slack,Last,1")
    )
    assert run.counts["new"] == 701
    before = register(app)
    with app.app_context():
        noted = db.session.scalar(select(func.max(AuditEntry.id)))
        db.session.execute(db.text("ALTER TABLE products ADD CONSTRAINT no_last CHECK (name <> 'Last')"))
        db.session.commit()
    run = importer.start(run.id)
    assert run.state == "failed"
    assert run.message.endswith("Nothing was imported.")
    assert register(app) == before
    with app.app_context():
        actions = db.session.scalars(select(AuditEntry.action).where(AuditEntry.id > noted))
        assert set(actions) == {"payment_import.update"}


def test_import_is_refused_when_the_register_changed_underneath(app, importer, world):
    content = csv_of("Service,Product,Amount", "Google Workspace,Gmail,5", "Google Workspace,Drive,7")
    write(app, world.products["Drive"], amount="7")
    run = importer.dry_run(content)
    write(app, world.products["Drive"], amount="8")
    before = register(app)
    run = importer.start(run.id)
    assert (run.state, "line 3 (Drive of Google Workspace)" in run.message) == ("failed", True)
    assert register(app) == before
    again = importer.check(run.id)
    assert again.status_code == 302
    importer.run_jobs()
    assert importer.run(run.id).counts["changed"] == 2
    assert importer.start(run.id).state == "imported"


def test_change_that_does_not_touch_the_plan_is_no_hindrance(app, importer, world):
    run = importer.dry_run(csv_of("Service,Product,Amount", "Google Workspace,Gmail,5"))
    write(app, world.products["Gmail"], cardholder_name="Jane Doe")
    write(app, world.products["Copilot"], amount="9")
    assert importer.start(run.id).state == "imported"


def test_product_that_came_to_be_meanwhile_stops_the_import(app, importer, world):
    run = importer.dry_run(csv_of("Service,Product,Amount", "Slack,Huddles,5"))
    with app.app_context():
        inventory.create_product(service_id=world.services["Slack"], name="huddles")
        db.session.commit()
    assert importer.start(run.id).state == "failed"


def test_two_rows_about_one_product_are_both_refused(importer, world):
    faults = importer.faults(
        csv_of(
            "Product ID,Service,Product,Amount",
            ",Google Workspace,Gmail,5",
            ",Slack,Huddles,5",
            f"{world.products['Gmail']},,,6",
            ",slack, HUDDLES ,5",
        )
    )
    assert {line: fault["product"] for line, fault in faults.items()} == {
        2: "Line 4 is about the same product.",
        4: "Line 2 is about the same product.",
        3: "Line 5 is about the same product.",
        5: "Line 3 is about the same product.",
    }


def test_row_whose_number_and_name_do_not_fit_is_refused(importer, world):
    gmail = world.products["Gmail"]
    faults = importer.faults(
        csv_of("Product ID,Product,Amount", f"{gmail},Drive,5", "999999,Gmail,5", "x1,Gmail,5", ",Gmail,5")
    )
    assert faults[2] == {"product": f"Product {gmail} is of another product: Gmail."}
    assert faults[3] == {"product_id": "There is no product 999999."}
    assert set(faults[4]) == {"product_id"}
    assert set(faults[5]) == {"service"}


def test_job_that_was_killed_is_done_again_and_twice_is_once(app, importer, world):
    key = importer.received(csv_of("Service,Product,Amount", "Google Workspace,Gmail,5"))
    importer.check(key)
    with app.app_context():
        message = db.session.scalars(select(OutboxMessage).order_by(OutboxMessage.id.desc())).first().id
        # Killed: the transaction ends with the connection.
        jobs.resolve("app.payments.jobs.check_import")(key)
        db.session.rollback()
    assert importer.run(key).state == "checking"
    apart(jobs.perform, message)
    assert importer.run(key).state == "checked"
    with app.app_context():
        jobs.resolve("app.payments.jobs.check_import")(key)
        db.session.commit()
    assert importer.run(key).counts["changed"] == 1
    importer.start(key)
    with app.app_context():
        jobs.resolve("app.payments.jobs.run_import")(key)
        db.session.commit()
        actions = select(func.count()).where(AuditEntry.action == "payment_register.import")
        assert db.session.scalar(actions) == 1


def test_sheet_that_was_discarded_is_gone_and_changes_nothing(app, importer):
    key = importer.received(csv_of("Service,Product,Amount", "Google Workspace,Gmail,5"))
    importer.check(key)
    assert importer.visitor.post(f"/payments/imports/{key}/discard").status_code == 302
    importer.run_jobs()
    run = importer.run(key)
    assert (run.state, run.file_size, importer.rows(key)) == ("discarded", 0, {})
    assert importer.check(key).status_code == 409
    importer.visitor.post(f"/payments/imports/{key}/import")
    assert importer.run(key).state == "discarded"


def test_progress_is_told_while_the_job_runs(importer):
    key = importer.received(csv_of("Service,Product,Amount", "Google Workspace,Gmail,5"))
    importer.check(key)
    page = importer.visitor.get(f"/payments/imports/{key}")
    assert 'http-equiv="refresh"' in page.text
    told = importer.visitor.get(f"/payments/imports/{key}/state").json
    assert told == {"state": "checking", "running": True, "done": 0, "total": 1}
    importer.run_jobs()
    assert importer.visitor.get(f"/payments/imports/{key}/state").json["state"] == "checked"


def test_what_nobody_imported_goes_after_a_week(app, importer, monkeypatch):
    from datetime import timedelta  # noqa: PLC0415

    from app.foundation import clock  # noqa: PLC0415
    from app.payments import importing  # noqa: PLC0415

    kept = importer.dry_run(csv_of("Service,Product,Amount", "Slack,Huddles,5")).id
    done = importer.start(importer.dry_run(csv_of("Service,Product,Amount", "Slack,Other,5")).id).id
    later = clock.now() + timedelta(days=8)
    monkeypatch.setattr(clock, "now", lambda: later)
    with app.app_context():
        assert importing.prune() == 1
        db.session.commit()
    assert (importer.run(kept).state, importer.run(kept).file_size) == ("discarded", 0)
    assert len(importer.rows(done)) == 1
    monkeypatch.setattr(clock, "now", lambda: later + timedelta(days=30))
    with app.app_context():
        importing.prune()
        db.session.commit()
    assert (importer.rows(done), importer.run(done).state) == ({}, "imported")


def test_dry_run_leaves_every_other_table_alone(app, importer):
    with app.app_context():
        before = checksums(but=("import_runs", "import_rows", "outbox", "audit_logs"))
    importer.dry_run(csv_of("Service,Product,Amount", "Slack,Huddles,5", "Google Workspace,Gmail,7"))
    with app.app_context():
        assert checksums(but=("import_runs", "import_rows", "outbox", "audit_logs")) == before
