"""The portal as a newcomer has it: every process real, the cast's world in its database."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.foundation.embedded.running import Engines
from tests.browsing import Browser
from tests.deployment import Deployment


@pytest.fixture
def portal(engines: Engines, templates: Callable[[str, str], None], tmp_path: Path) -> Iterator[Deployment]:
    templates("cast", "walkthrough")
    deployment = Deployment(tmp_path, engines.postgres.url_of("walkthrough"))
    try:
        deployment.start("redis", "worker", "scheduler", "web")
        yield deployment
    finally:
        deployment.end()


@pytest.fixture
def browser(portal: Deployment) -> Callable[[], Browser]:
    """Another browser each time."""
    return lambda: Browser(f"http://127.0.0.1:{portal.port}")
