"""The portal as a newcomer has it: every process real, the cast's world in its database."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.foundation.embedded.running import Engines
from tests.browsing import Browser
from tests.deployment import Deployment
from tests.runtime.processes import wait_until

CAUGHT_UP = """
    SELECT EXISTS (SELECT FROM scheduled_runs) AND NOT EXISTS (SELECT FROM outbox WHERE state = 'waiting')
"""


@pytest.fixture
def portal(engines: Engines, templates: Callable[[str, str], None], tmp_path: Path) -> Iterator[Deployment]:
    templates("cast", "walkthrough")
    with Deployment(tmp_path, engines.postgres.url_of("walkthrough")) as deployment:
        deployment.start("redis", "worker", "scheduler", "web")
        # A first start makes up for every slot of the schedule that passed before; people come later.
        wait_until(lambda: deployment.one(CAUGHT_UP), timeout=60)
        yield deployment


@pytest.fixture
def browser(portal: Deployment) -> Callable[[], Browser]:
    """Another browser each time."""
    return lambda: Browser(f"http://127.0.0.1:{portal.port}")
