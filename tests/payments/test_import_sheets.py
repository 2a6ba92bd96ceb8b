"""What a sheet may look like, and who may bring one: columns, cells and faults at their place."""

from datetime import date

import pytest
from sqlalchemy import select

from app.foundation.database import db
from app.payments.import_models import ImportRow, ImportRun
from tests.payments.sheets import HEAD, Importer, csv_of, xlsx_of


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("Amount", '"1.234,56"', "Write it as 1234.56"),
        ("Amount", "€5", "Enter a number such as 1250.00."),
        ("Amount", "1.234", "USD has 2 digits after the point."),
        ("Expires", "12/31/2031", "YYYY-MM-DD"),
        ("Card ends in", "12345", "last four digits"),
        ("Renews", "weekly", "every_N_months"),
        ("Renews by itself", "perhaps", "Enter yes or no."),
        ("Notice in days", "soon", "Enter a number of days"),
        ("Currency", "XTS", "the code of a currency"),
        ("Holder", "x" * 201, "At most 200 characters."),
        ("Holder", "a\x07b", "control characters"),
    ],
)
def test_fault_stands_at_its_cell(importer, column, cell, said):
    content = csv_of(f"Service,Product,{column}", f"Google Workspace,Gmail,{cell}")
    [fault] = importer.faults(content)[2].values()
    assert said in fault


def test_cells_of_a_workbook_are_what_they_are(app, importer, world):
    content = xlsx_of(
        [
            "Service",
            "Product",
            "Amount",
            "Card ends in",
            "Expires",
            "Renews by itself",
            "Notice in days",
            "Sum",
        ],
        ["Google Workspace", "Gmail", 0.1 + 0.2, 42, date(2031, 3, 31), False, 30, "=C2*12"],
        ["Google Workspace", "Drive", "=1+1", "0042", "2031-03-31", "no", "30", 1],
    )
    run = importer.dry_run(content, "register.xlsx")
    rows = importer.rows(run.id)
    assert rows[2].after == {
        "amount": "0.3", "card_last4": "0042", "expiry_date": "2031-03-31", "auto_renew": False, "notice_days": 30
    }  # fmt: skip
    assert rows[3].faults == {"amount": "This is a formula. Paste it as a value."}
    assert "C3" in importer.visitor.get(f"/payments/imports/{run.id}?kind=refused").text


def test_file_with_a_card_number_is_refused_and_deleted(app, importer):
    lines = [f"Slack,Product {number},x" for number in range(10)]
    content = csv_of("Service,Product,Holder,Notes", *lines, "Slack,Last,x,pay with 4111-1111-1111-1111")
    run = importer.dry_run(content)
    assert (run.counts["refused"], run.file_size, "deleted at once" in run.message) == (1, 0, True)
    with app.app_context():
        assert db.session.scalar(select(ImportRun.content)) is None
        assert "4111" not in str(db.session.execute(select(ImportRow.wanted, ImportRow.faults)).all())
    assert importer.upload(csv_of("Service,Product,Holder", "a,b,4111 1111 1111 1111")).status_code == 422
    assert importer.upload(csv_of(HEAD, "a,b,1"), "4111111111111111.csv").status_code == 422


def test_missing_column_is_named_and_the_choice_is_kept(importer):
    key = importer.received(csv_of("Service,Amount", "Slack,5"))
    answer = importer.check(key, ["service", "amount"])
    assert (answer.status_code, "No column is chosen for Product." in answer.text) == (422, True)
    answer = importer.check(key, ["product_id", "product_id"])
    assert (answer.status_code, "chosen for two columns" in answer.text) == (422, True)
    answer = importer.check(key, ["product_id", None])
    assert (answer.status_code, "such as Amount" in answer.text) == (422, True)
    assert importer.check(key, ["product_id", "nonsense"]).status_code == 422


def test_columns_are_guessed_by_their_names_and_remembered(app, importer):
    names = [
        "Service Name",
        "PRODUCT",
        "Cost",
        "ccy",
        "card-holder",
        "Billing cycle",
        "paymentMethod",
        "Kostenstelle",
    ]
    with app.app_context():
        assert guess_of(names) == [
            "service", "product", "amount", "currency", "cardholder_name", "renewal_frequency", "payment_method", None
        ]  # fmt: skip
    key = importer.received(csv_of("Dienst,Artikel,Preis,State", "Slack,Huddles,5,complete"))
    importer.check(key, ["service", "product", "amount", None])
    page = importer.visitor.get(
        f"/payments/imports/{importer.received(csv_of('Dienst;PREIS', 'Slack;5'))}"
    ).text
    assert page.count("selected") == 2


def guess_of(names):
    from app.payments import importing  # noqa: PLC0415

    return importing.guess(names)


@pytest.mark.parametrize("name", ["alice", "bob", "charlie"])
def test_only_an_admin_imports(app, visit, run_jobs, importer, name):
    key = importer.dry_run(csv_of("Service,Product,Amount", "Slack,Huddles,5")).id
    other = visit(name)
    assert other.get("/payments/imports/").status_code == 403
    assert other.get(f"/payments/imports/{key}").status_code == 403
    assert other.get(f"/payments/imports/{key}/state").status_code == 403
    for verb in ("check", "import", "discard"):
        assert other.post(f"/payments/imports/{key}/{verb}").status_code == 403
    assert Importer(app, other, run_jobs).upload(csv_of(HEAD, "a,b,1")).status_code == 403


def test_grant_on_the_role_page_does_not_make_an_importer(app, alice, importer, run_jobs):
    from app.directory.models import Role  # noqa: PLC0415

    key = importer.dry_run(csv_of("Service,Product,Amount", "Slack,Huddles,5")).id
    with app.app_context():
        security = app.appbuilder.sm
        role = db.session.scalars(select(Role).where(Role.name == "ServiceAdministrator")).one()
        for permission in ("can_read", "can_add", "can_edit"):
            security.add_permission_role(
                role, security.find_permission_view_menu(permission, "PaymentImport")
            )
        db.session.commit()
    assert Importer(app, alice, run_jobs).upload(csv_of(HEAD, "a,b,1")).status_code == 403
    assert alice.get(f"/payments/imports/{key}").status_code == 404
    assert alice.post(f"/payments/imports/{key}/import").status_code == 404
