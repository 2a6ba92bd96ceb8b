"""`/metrics`: whose it is, what it counts, what it asks of the database, and that it answers without one."""

from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import delete, update

from app import create_app
from app.audit import checking
from app.audit.models import AuditCheck
from app.foundation import clock, jobs, outbox, ticking
from app.foundation.backups import shelf
from app.foundation.database import db
from app.foundation.outbox import OutboxMessage, OutboxState
from app.foundation.ticking import RunState, ScheduledRun
from tests.visitor import Visitor, apart

TOKEN = "what Prometheus shows in tests"


@pytest.fixture(scope="module")
def metered_portal(one_app, settings):
    yield create_app(settings.model_copy(update={"metrics_token": TOKEN}))
    jobs.bind(one_app)


@pytest.fixture
def metered(app, metered_portal):
    metered_portal.extensions.pop("failed_sign_ins", None)
    return metered_portal


@pytest.fixture
def scrape(metered):
    """What Prometheus reads: values by name and labels."""

    def read():
        answer = apart(metered.test_client().get, "/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        assert answer.content_type.startswith("text/plain; version=0.0.4")
        return samples(answer.text)

    return read


def samples(text):
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of(found, name, **labels):
    return found[name, *sorted(labels.items())]


def test_without_a_token_there_is_no_such_page(root, nobody):
    for visitor in (root, nobody):
        for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": f"Bearer {TOKEN}"}):
            assert visitor.get("/metrics", headers=headers).status_code == 404


@pytest.mark.parametrize(
    "shown", ["", "Bearer", "Bearer ", f"Bearer {TOKEN}x", TOKEN, f"Basic {TOKEN}", "Bearer \xff", "x" * 5000]
)
def test_with_a_token_it_must_be_shown(metered, shown):
    answer = metered.test_client().get(
        "/metrics", headers={"Authorization": shown, "Accept": "application/json"}
    )
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json["error"] == "unauthorized"
    assert "portalops_" not in answer.text


def test_an_admin_s_cookie_is_no_token(metered):
    assert Visitor(metered, "root").get("/metrics").status_code == 401


def test_requests_are_counted_by_rule_and_never_by_address(metered, scrape, world):
    root = Visitor(metered, "root")
    before = scrape()
    for key in (1, 2, 3):
        assert root.get(f"/services/show/{key}").status_code == 200
    assert root.get("/services/show/999").status_code == 404
    root.get("/nowhere/at/all")
    root.get("/nowhere/else")
    metered.test_client().open("/livez", method="INVENTED")
    found = scrape()
    shown = {"route": "/services/show/<pk>", "method": "GET"}
    assert of(found, "portalops_requests_total", status="200", **shown) == 3
    assert of(found, "portalops_requests_total", status="404", **shown) == 1
    assert of(found, "portalops_request_duration_seconds_count", **shown) == 4
    assert of(found, "portalops_request_duration_seconds_bucket", le="+Inf", **shown) == 4
    assert of(found, "portalops_request_sql_statements_total", **shown) >= 8
    assert of(found, "portalops_requests_total", route="(unknown)", method="GET", status="404") >= 2
    assert of(found, "portalops_requests_total", route="(unknown)", method="other", status="405") == 1
    assert of(found, "portalops_requests_in_progress") == 1, "the scrape itself"
    assert not [key for key in found.keys() - before.keys() if "nowhere" in str(key) or "/999" in str(key)]


def test_statements_are_those_that_were_asked(metered, scrape, statements):
    root = Visitor(metered, "root")
    root.api("GET", "services/")
    with metered.app_context():
        engine = db.engine
    seen = []
    db.event.listen(engine, "before_cursor_execute", lambda *_: seen.append(1))
    before = scrape()
    seen.clear()
    root.api("GET", "services/")
    asked = len(seen)
    labels = {"route": "/api/v1/services/", "method": "GET"}
    name = "portalops_request_sql_statements_total"
    assert of(scrape(), name, **labels) - of(before, name, **labels) == asked > 0


def test_work_is_told_by_queue_and_state(metered, scrape):
    with metered.app_context():
        db.session.execute(delete(OutboxMessage))
        old = clock.now() - timedelta(minutes=20)
        for queue, columns in (
            ("default", {}),
            ("default", {"created_at": old}),
            ("messages", {"begun": 3}),
            ("long", {"state": OutboxState.DEAD, "begun": 10}),
            ("long", {"state": OutboxState.DONE}),
        ):
            message = outbox.enqueue("app.audit.jobs.export_head", queue=queue)
            for name, value in columns.items():
                setattr(message, name, value)
        outbox.enqueue("app.audit.jobs.export_head", delay=timedelta(days=1)).created_at = old
        db.session.commit()
    found = scrape()
    assert of(found, "portalops_outbox_jobs", queue="default", state="waiting") == 2
    assert of(found, "portalops_outbox_jobs", queue="messages", state="retrying") == 1
    assert of(found, "portalops_outbox_jobs", queue="long", state="dead") == 1
    assert of(found, "portalops_outbox_jobs", queue="long", state="waiting") == 0
    assert 1200 <= of(found, "portalops_outbox_oldest_seconds", queue="default") < 1230
    assert of(found, "portalops_outbox_oldest_seconds", queue="long") == 0


def test_schedule_tells_what_is_due_and_what_was_taken_up(metered, scrape):
    job = "app.audit.jobs.export_head"
    due, last = (
        "portalops_schedule_due_slot_timestamp_seconds",
        "portalops_schedule_last_slot_timestamp_seconds",
    )
    found = scrape()
    assert of(found, last, job=job) == 0
    assert of(found, due, job=job) > 0
    with metered.app_context():
        ticking.tick()
        db.session.execute(update(ScheduledRun).where(ScheduledRun.job == job).values(state=RunState.FAILED))
        db.session.add(ticking.JobPause(job="app.lifecycle.jobs.raise_due_cases", paused_by="Root"))
        db.session.commit()
    found = scrape()
    assert of(found, last, job=job) == of(found, due, job=job)
    assert of(found, "portalops_schedule_failing", job=job) == 1
    assert of(found, "portalops_schedule_failed_runs", job=job) == 1
    assert of(found, "portalops_schedule_failing", job="app.payments.jobs.prune_imports") == 0
    assert (due, ("job", "app.lifecycle.jobs.raise_due_cases")) not in found


def test_failed_sign_ins_are_counted_once(metered, scrape):
    before = of(scrape(), "portalops_sign_ins_failed_total")
    for _ in range(2):
        metered.test_client().post("/api/auth/login", json={"email": "root@example.com", "password": "wrong"})
        after = of(scrape(), "portalops_sign_ins_failed_total")
        assert after == before + 1
        before = after


def test_audit_log_tells_what_its_last_check_found(metered, scrape, tmp_path, monkeypatch):
    monkeypatch.setitem(metered.config, "DATA_DIR", str(tmp_path))
    assert not [key for key in scrape() if key[0].startswith("portalops_audit")]
    with metered.app_context():
        checking.check()
        db.session.commit()
    found = scrape()
    assert of(found, "portalops_audit_chain_sound") == 1
    assert of(found, "portalops_audit_chain_entries") > 0
    assert abs(of(found, "portalops_audit_chain_checked_timestamp_seconds") - clock.now().timestamp()) < 60
    with metered.app_context():
        db.session.add(AuditCheck(entries=5, fault="entry 3 of 5: its content was changed"))
        db.session.commit()
    assert of(scrape(), "portalops_audit_chain_sound") == 0


def test_backup_and_disk_are_told(metered, scrape, tmp_path, monkeypatch):
    monkeypatch.setitem(metered.config, "BACKUP_DIR", str(tmp_path))
    assert ("portalops_backup_last_timestamp_seconds",) not in scrape()
    made_at = clock.now().replace(microsecond=0) - timedelta(hours=30)
    (tmp_path / shelf.name_of(made_at, encrypted=False)).touch()
    found = scrape()
    assert of(found, "portalops_backup_last_timestamp_seconds") == made_at.timestamp()
    assert 0 < of(found, "portalops_data_dir_free_bytes") < of(found, "portalops_data_dir_size_bytes")
    assert of(found, "portalops_ready") == of(found, "portalops_redis_up") == 1
    assert of(found, "portalops_database_up") == 1


def test_scrape_costs_the_same_statements_whatever_there_is(metered, scrape, statements):
    scrape()
    with statements() as few:
        scrape()
    with metered.app_context():
        ticking.tick()
        for queue in outbox.SECONDS:
            for _ in range(30):
                outbox.enqueue("app.audit.jobs.export_head", queue=queue)
        db.session.commit()
    with statements() as many:
        scrape()
    assert len(many) == len(few) <= 10


def test_without_a_database_the_rest_is_told(one_app, settings):
    gone = "postgresql+psycopg2://nobody@127.0.0.1:1/gone"
    app = create_app(settings.model_copy(update={"metrics_token": TOKEN, "database_url": gone}))
    jobs.bind(one_app)
    answer = app.test_client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    found = samples(answer.text)
    assert answer.status_code == 200
    assert of(found, "portalops_database_up") == 0
    assert of(found, "portalops_ready") == 0
    assert ("portalops_data_dir_free_bytes",) in found
    assert not [key for key in found if key[0].startswith("portalops_outbox")]
