"""What stands in the log of a change, and who made it."""

from sqlalchemy import select, text

from app.audit import recorder
from app.directory import operations as directory
from app.directory.models import Department, Person
from app.foundation.database import db
from app.foundation.transactions import transaction
from app.inventory.models import Product
from app.lifecycle import operations as lifecycle
from app.lifecycle.models import AccessTemplate
from tests.audit.written import entries, last

# --- what stands in it ------------------------------------------------------------------------------------------------


def test_create_shows_what_is_after(context):
    with transaction():
        person = directory.create_person(name="Eve", email="eve@example.com", position="Gardener")
    entry = last("user.create")
    assert (entry.target_type, entry.target_id, entry.target_label) == ("user", str(person.id), "Eve")
    assert entry.before is None
    shown = {"name": "Eve", "email": "eve@example.com", "position": "Gardener", "active": True}
    assert entry.after.items() >= shown.items()
    assert not {"created_at", "updated_at"} & entry.after.keys()


def test_update_shows_only_what_changed(world, context):
    with transaction():
        directory.change_person(
            db.session.get(Person, world.people["charlie"]), name="Charlie", position="Gardener"
        )
    entry = last("user.update")
    assert (entry.before, entry.after) == ({"position": None}, {"position": "Gardener"})


def test_update_that_changes_nothing_leaves_no_entry(world, context):
    before = len(entries("user.update"))
    with transaction():
        directory.change_person(db.session.get(Person, world.people["charlie"]), name="Charlie")
    assert len(entries("user.update")) == before


def test_two_changes_in_one_transaction_show_each_step(world, context):
    with transaction():
        charlie = db.session.get(Person, world.people["charlie"])
        directory.change_person(charlie, position="Gardener")
        directory.change_person(charlie, position="Cook")
    steps = [(entry.before["position"], entry.after["position"]) for entry in entries("user.update")[-2:]]
    assert steps == [(None, "Gardener"), ("Gardener", "Cook")]


def test_update_of_an_expired_row_shows_what_was_before(world, context):
    """After a commit SQLAlchemy has forgotten the old value, and does not ask for it when a new one is set."""
    with transaction():
        sales = db.session.get(Department, world.departments["Sales"])
        directory.change_department(sales, description="They sell.")
    with transaction():
        sales.description = "They sell more."
    entry = last("department.update")
    assert (entry.before, entry.after) == (
        {"description": "They sell."},
        {"description": "They sell more."},
    )


def test_delete_shows_what_was_before(world, context):
    with transaction():
        directory.delete_department(db.session.get(Department, world.departments["Sales"]))
    entry = last("department.delete")
    assert entry.before["name"] == "Sales"
    assert entry.after is None
    assert (entry.target_id, entry.target_label) == (str(world.departments["Sales"]), "Sales")


def test_many_to_many_shows_names_before_and_after(world, context):
    template = db.session.scalars(select(AccessTemplate)).one()
    with transaction():
        lifecycle.change_template(
            template, product_ids=[world.products["Gmail"], world.products["Slack Business"]]
        )
    entry = last("access_template.update")
    assert entry.before == {"products": ["Copilot", "GitHub Enterprise", "Gmail"]}
    assert entry.after == {"products": ["Gmail", "Slack Business"]}


def test_roles_show_before_and_after(world, context):
    with transaction():
        directory.grant_role(db.session.get(Person, world.people["charlie"]), "Admin")
    entry = last("account.update")
    assert (entry.before, entry.after) == ({"roles": []}, {"roles": ["Admin"]})


def test_secrets_are_hidden(world, context):
    secret = "correct horse battery staple"
    charlie = db.session.get(Person, world.people["charlie"])
    with transaction():
        directory.change_password(charlie.account, secret)
        token = directory.invite(charlie)
    assert last("account.update").after == {"password": recorder.HIDDEN}
    assert last("account.update").before == {"password": recorder.HIDDEN}
    assert last("invitation.create").after["token_hash"] == recorder.HIDDEN
    everything = db.session.scalar(text("SELECT string_agg(audit_logs::text, ' ') FROM audit_logs"))
    for hidden in (secret, token, charlie.account.password, "scrypt:"):
        assert hidden not in everything


def test_no_entry_ever_holds_a_password_hash(context):
    everything = db.session.scalar(text("SELECT string_agg(audit_logs::text, ' ') FROM audit_logs"))
    assert "scrypt" not in everything
    assert "pbkdf2" not in everything


# --- who --------------------------------------------------------------------------------------------------------------


def test_actor_request_id_and_address_of_a_request_are_kept(root, world, context):
    answer = root.api("PUT", f"departments/{world.departments['Sales']}", {"description": "They sell."})
    assert answer.status_code == 200
    entry = last("department.update")
    assert (entry.actor_id, entry.actor_name, entry.actor_email) == (
        world.people["root"],
        "Root",
        "root@example.com",
    )
    assert entry.request_id == answer.headers["X-Request-ID"]
    assert entry.address == "127.0.0.1"


def test_failed_sign_in_is_kept_without_the_password(app, nobody, context):
    body = {"username": "bob@example.com", "password": "a wrong guess, typed by hand", "provider": "db"}
    assert app.test_client().post("/api/v1/security/login", json=body).status_code == 401
    entry = last("auth.login_failed")
    assert (entry.target_label, entry.actor_id, entry.address) == ("bob@example.com", None, "127.0.0.1")
    everything = db.session.scalar(text("SELECT string_agg(audit_logs::text, ' ') FROM audit_logs"))
    assert "typed by hand" not in everything


def test_job_acts_in_the_name_of_whoever_asked(hr, run_jobs, context):
    answer = hr("onboarding", name="Eve", email="eve@example.com", department="Engineering")
    run_jobs()
    asked = answer.headers["X-Request-ID"]
    assert [(entry.actor_name, entry.request_id) for entry in entries("task.create")] == [
        ("HR system (hr)", asked)
    ] * 3


def test_product_rename_keeps_history_readable(world, context):
    with transaction():
        gmail = db.session.get(Product, world.products["Gmail"])
        gmail.name = "Google Mail"
    assert entries("product.create")[0].target_label == "Gmail"
    assert last("product.update").target_label == "Google Mail"
