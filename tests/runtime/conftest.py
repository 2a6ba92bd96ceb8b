"""What the tests of the ground share: private folders, and real processes that never outlive a test."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.runtime.processes import ROOT, Started


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Started]]:
    """Start a Python program of the repository; whatever is left of it at the end of the test is killed."""
    started: list[Started] = []

    def _start(*words: str, **env: str) -> Started:
        clean = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        log = tmp_path / f"{len(started)}.log"
        started.append(Started([sys.executable, *words], clean | {"PYTHONPATH": str(ROOT)} | env, log))
        return started[-1]

    yield _start
    for process in started:
        if process.alive:
            for child in [*process.descendants(), psutil.Process(process.pid)]:
                with suppress(psutil.NoSuchProcess):
                    child.kill()
            process.end()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"
