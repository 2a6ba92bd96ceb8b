"""Faults of `havoc.py` under load, shorter than the drill: what was acknowledged is there, once, whatever happened."""

import random
from collections.abc import Iterator

import pytest

from tests.deployment import Deployment
from tests.faults import havoc
from tests.faults.announcing import Announcing, not_as_promised
from tests.faults.conftest import TASKS_EACH, furnish

pytestmark = pytest.mark.faults

SHORT = (
    "Redis emptied",
    "connections cut",
    "PostgreSQL fails over to its copy",
    "a deploy",
    "set up twice at once",
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A portal of its own, whose database lies behind an address that can be taken over."""
    with Deployment(tmp_path_factory.mktemp("havoc")) as deployment:
        havoc.behind_one_address(deployment)
        deployment.open("worker", "scheduler", "web")
        furnish(deployment)
        yield deployment


@pytest.mark.parametrize("name", SHORT)
def test_acknowledged_is_there_once_whatever_happened(portal, drained, monkeypatch, name):
    monkeypatch.setattr(havoc, "CUT_SECONDS", 2)
    with Announcing(portal).on() as announcing:
        havoc.FAULTS[name](portal, random.Random(name))
    drained()
    assert announcing.wrong == []
    assert announcing.acknowledged
    assert not_as_promised(portal, announcing.acknowledged, TASKS_EACH) == []


def test_checker_notices_what_is_lost_or_doubled(portal, drained):
    """Else all of this would prove nothing."""
    with Announcing(portal).on() as announcing:
        havoc.flush_redis(portal, random.Random(1))
    drained()
    [whole, *_] = announcing.acknowledged
    portal.rows(
        "INSERT INTO notifications SELECT (jsonb_populate_record(n, jsonb_build_object('id', nextval('notifications_id_seq'), 'cause', NULL))).*"
        " FROM notifications n WHERE href IN (SELECT '/inbox/' || task.id FROM workflow_tasks task"
        " JOIN users ON users.id = target_id WHERE email = %s) LIMIT 1",
        whole,
    )
    assert not_as_promised(portal, [whole], TASKS_EACH) == [(whole, 1, 1, TASKS_EACH, TASKS_EACH + 1)]
    assert not_as_promised(portal, ["nobody@example.com"], TASKS_EACH) == [("nobody@example.com", "lost")]
