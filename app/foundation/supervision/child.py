"""One program under supervision, over all the processes it takes."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from app.foundation.embedded.processes import bound_to_parent

_LONGEST_BACK_OFF_SECONDS = 30.0
_STEADY_SECONDS = 30.0


@dataclass(frozen=True)
class Program:
    """What to run, and how it likes to be stopped: `grace` is the seconds between its stop signal and SIGKILL."""

    name: str
    command: Sequence[str]
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 30
    hurries: bool = True
    """Whether a second Ctrl-C may kill it at once. A database would rather not."""


class Child:
    """A program and its process of the moment. Call from the main thread, which the kernel takes for its parent."""

    def __init__(self, program: Program, *, once: bool = False) -> None:
        self.program = program
        self.once = once
        self.returncode: int | None = None
        self.restart_at = float("inf")
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._deaths = 0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def launch(self, cwd: Path, hear: Callable[[bytes], None]) -> None:
        """Start the program; `hear` gets each line it says, on another thread."""
        command = bound_to_parent(list(self.program.command), self.program.stop_signal)
        # A session of its own: a Ctrl-C at the terminal reaches the supervisor alone, which stops things in order.
        self._process = subprocess.Popen(
            command,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._started = time.monotonic()
        self.restart_at = float("inf")
        Thread(target=_listen, args=(self._process, hear), daemon=True).start()

    def ask_to_stop(self) -> None:
        if self._process:
            self._process.send_signal(self.program.stop_signal)

    def kill(self) -> None:
        """End the program and whatever it started in its session."""
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def bury(self) -> float:
        """Take note that the process ended and return the seconds to wait before the next.

        What it left running dies with it: it would hold the port of the one that follows.
        """
        if self._process is None:
            return 0
        self.kill()
        self.returncode = self._process.wait()
        self._process = None
        steady = time.monotonic() - self._started >= _STEADY_SECONDS
        self._deaths = 1 if steady else self._deaths + 1
        return min(2.0 ** (self._deaths - 1), _LONGEST_BACK_OFF_SECONDS)


def _listen(process: subprocess.Popen[bytes], hear: Callable[[bytes], None]) -> None:
    for line in process.stdout or ():
        hear(line)
