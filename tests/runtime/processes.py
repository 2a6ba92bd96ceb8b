"""Real processes for tests: started, waited for, looked at."""

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]


class Started:
    """A real process whose output can be waited for."""

    def __init__(self, command: list[str], env: dict[str, str], log: Path, folder: Path = ROOT) -> None:
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.pid = self._process.pid

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, text: str, times: int = 1, timeout: float = 60) -> str:
        wait_until(lambda: self.output.count(text) >= times or not self.alive, timeout)
        assert self.output.count(text) >= times, self.output
        return self.output

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def descendants(self) -> list[psutil.Process]:
        return psutil.Process(self.pid).children(recursive=True)

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self, timeout: float = 60) -> int:
        return self._process.wait(timeout)


def wait_until(condition: Callable[[], object], timeout: float = 30) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
