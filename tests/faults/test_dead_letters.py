"""Work that can't be done becomes a dead letter that says why; the worker goes on."""

import pytest

from app.foundation.outbox import MOST_ATTEMPTS
from tests.faults.conftest import TASKS_EACH

pytestmark = pytest.mark.faults

NO_JOBS = ["app.nowhere.gone", "os.system", "app.lifecycle.operations.plan_case", "app.lifecycle.jobs.x", ""]
PROMISE = """
    INSERT INTO outbox (job, arguments, queue, state, attempts, begun, due_at, created_at)
    VALUES (%s, '[-1]', 'default', 'waiting', 0, 0, now(), now()) RETURNING id
"""


def test_what_is_no_job_is_tried_as_often_as_any_and_then_a_dead_letter(portal, newcomer, drained):
    worker = portal.running["worker"]
    keys = {portal.one(PROMISE, name): name for name in NO_JOBS}
    person = newcomer()
    portal.hr("onboarding", **person)
    drained()
    found = portal.rows("SELECT id, state, begun, last_error FROM outbox WHERE id = ANY(%s)", list(keys))
    assert {(state, begun) for _, state, begun, _ in found} == {("dead", MOST_ATTEMPTS)}
    assert all(error.startswith(f"LookupError: {keys[key]} is no job") for key, _, _, error in found)
    assert worker.alive, "a crash loop would have cost the worker its life"
    tasks = "SELECT count(*) FROM workflow_tasks JOIN users ON users.id = target_id WHERE email = %s"
    assert portal.one(tasks, person["email"]) == TASKS_EACH
    assert worker.output.count("is a dead letter") >= len(NO_JOBS)
