"""Processes that must not outlive the one that started them, and the ones that did."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from app.foundation.embedded.location import EmbeddedError

# PR_SET_PDEATHSIG. A parent that died before it was said is another one by now.
_BIND = """
import ctypes, os, sys
signal, parent, *command = sys.argv[1:]
ctypes.CDLL(None).prctl(1, int(signal))
if os.getppid() == int(parent):
    os.execvp(command[0], command)
"""


def bound_to_parent(command: list[str], stop_signal: signal.Signals = signal.SIGTERM) -> list[str]:
    """The command, told by the kernel to stop when this process dies, even by SIGKILL (prctl(2); Linux only).

    Start it from a thread that lives as long as the process: the kernel takes the thread for the parent. It takes no
    privilege, unlike setpriv(1), which also asks for capabilities and may not where systemd forbids that.
    """
    if sys.platform != "linux":
        return command
    return [sys.executable, "-I", "-S", "-c", _BIND, str(int(stop_signal)), str(os.getpid()), *command]


def stop_leftover(pid_file: Path, marker: str, stop_signal: signal.Signals, grace: float = 30) -> None:
    """Stop the engine an earlier start left running, and remove a `pid_file` that names nobody of ours.

    A pid may have gone to somebody else since, so its command line must contain `marker`.
    """
    if not pid_file.exists():
        return
    with contextlib.suppress(psutil.NoSuchProcess, ValueError, IndexError):
        process = psutil.Process(int(pid_file.read_text().split()[0]))
        if marker in " ".join(process.cmdline()):
            process.send_signal(stop_signal)
            wait_or_kill(process, grace)
    pid_file.unlink(missing_ok=True)


def wait_or_kill(process: psutil.Process | subprocess.Popen[bytes], grace: float) -> None:
    """Wait until the process is gone, and after `grace` seconds see to it."""
    try:
        process.wait(timeout=grace)
    except (psutil.TimeoutExpired, subprocess.TimeoutExpired):
        process.kill()
        process.wait()


def wait_until(ready: Callable[[], bool], timeout: float, who: str) -> None:
    deadline = time.monotonic() + timeout
    while not ready():
        if time.monotonic() > deadline:
            raise EmbeddedError(f"{who} did not answer within {timeout:g} s.")
        time.sleep(0.05)
