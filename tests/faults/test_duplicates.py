"""The same thing said many times at once is one thing."""

from functools import partial

import pytest

from tests.deployment import at_once
from tests.faults.conftest import TASKS_EACH

pytestmark = pytest.mark.faults

COUNTS = """
    SELECT (SELECT count(*) FROM users WHERE email = %(email)s),
           (SELECT count(*) FROM lifecycle_cases JOIN users ON users.id = person_id WHERE email = %(email)s),
           (SELECT count(*) FROM workflow_tasks JOIN users ON users.id = target_id WHERE email = %(email)s),
           (SELECT count(*) FROM hr_events WHERE payload->'employee'->>'email' = %(email)s)
"""


def counts(portal, email):
    """Of people, cases, tasks and announcements."""
    return portal.rows(COUNTS, email=email)[0]


@pytest.mark.parametrize("identity", ["webhook-id", "Idempotency-Key", "content"])
def test_100_identical_deliveries_at_once_are_one_event_and_one_task_set(portal, newcomer, drained, identity):
    person = newcomer()
    headers = {} if identity == "content" else {identity: f"hundred-{person['email']}"}
    answers = at_once([partial(portal.hr, "onboarding", headers=headers, **person)] * 100)
    assert sorted(answer.status for answer in answers) == [200] * 99 + [202]
    assert len({answer.json["eventId"] for answer in answers}) == 1
    drained()
    assert counts(portal, person["email"]) == (1, 1, TASKS_EACH, 1)


def test_20_different_deliveries_of_a_newcomer_at_once_are_one_person_and_one_case(portal, newcomer, drained):
    person = newcomer()
    answers = at_once(
        [
            partial(portal.hr, "onboarding", headers={"webhook-id": f"{person['email']}-{n}"}, **person)
            for n in range(20)
        ]
    )
    assert [answer.status for answer in answers] == [202] * 20
    drained()
    assert counts(portal, person["email"]) == (1, 1, TASKS_EACH, 20)


def test_joining_and_leaving_at_once_never_breaks(portal, newcomer, drained):
    """Four people are announced back and forth at the same time: no deadlock, no server error, nothing left open."""
    people = [newcomer() for _ in range(4)]
    for person in people:
        assert portal.hr("onboarding", **person).status == 202
    calls = [
        partial(portal.hr, kind, headers={"webhook-id": f"{person['email']}-{kind}-{n}"}, **person)
        for n in range(6)
        for person in people
        for kind in ("offboarding", "onboarding")
    ]
    answers = at_once(calls)
    assert {answer.status for answer in answers} == {202}
    drained()
    for person in people:
        assert (
            portal.hr("offboarding", headers={"webhook-id": f"{person['email']}-last"}, **person).status
            == 202
        )
    drained()
    emails = [person["email"] for person in people]
    assert portal.rows("SELECT DISTINCT active FROM users WHERE email = ANY(%s)", emails) == [(False,)]
    still_open = """
        SELECT count(*) FROM workflow_tasks task JOIN users ON users.id = target_id
        WHERE email = ANY(%s) AND status NOT IN ('completed', 'cancelled')
    """
    assert portal.one(still_open, emails) == 0
    assert "deadlock detected" not in portal.running["postgres"].output


def test_completing_all_tasks_of_a_case_at_once_closes_it_once(portal, newcomer, drained):
    person = newcomer()
    portal.hr("onboarding", **person)
    drained()
    tasks = portal.rows(
        "SELECT task.id FROM workflow_tasks task JOIN users ON users.id = target_id WHERE email = %s",
        person["email"],
    )
    token = portal.token_of("first")
    work = {"status": "completed", "comment": "Done."}
    answers = at_once(
        [partial(portal.send, "PUT", f"/api/v1/tasks/{task}", work, token=token) for [task] in tasks * 3]
    )
    assert {answer.status for answer in answers} == {200}
    assert portal.rows(
        "SELECT count(*), count(ended_at) FROM access_grants JOIN users ON users.id = person_id WHERE email = %s",
        person["email"],
    ) == [(TASKS_EACH, 0)]
    assert portal.rows(
        "SELECT closed_at IS NOT NULL FROM lifecycle_cases JOIN users ON users.id = person_id WHERE email = %s",
        person["email"],
    ) == [(True,)]
