"""The supervisor, with real programs: it restarts what dies, stops in order and leaves nobody behind."""

import signal
from collections.abc import Callable

import psutil

from tests.runtime.processes import Started, wait_until

# Two groups of programs, as run.py has them: each says what happens to it.
SUPERVISED = """
import sys
from pathlib import Path
from app.foundation.supervision.child import Program
from app.foundation.supervision.supervisor import Supervisor

SAYS = '''
import os, signal, sys, time
def stop(*_):
    print("stopped", flush=True)
    sys.exit()
signal.signal(signal.SIGTERM, stop)
print("pid", os.getpid(), flush=True)
while True: time.sleep(60)
'''
DEAF = SAYS.replace("signal.signal(signal.SIGTERM, stop)", "signal.signal(signal.SIGTERM, signal.SIG_IGN)")
FORKS = "import subprocess; subprocess.Popen(['sleep', '600'], start_new_session=True)\\n" + SAYS

def program(name, code, **how):
    return Program(name, [sys.executable, "-c", code], **how)

with Supervisor(Path.cwd()) as supervisor:
    assert supervisor.complete(program("setup", "raise SystemExit(3)")) == 3
    supervisor.start(program("engine", SAYS, hurries=False))
    supervisor.start(program("web", {web}, grace={grace}))
    supervisor.until(lambda: False)
"""


def supervised(start: Callable[..., Started], web: str = "SAYS", grace: float = 30) -> Started:
    process = start("-c", SUPERVISED.replace("{web}", web).replace("{grace}", str(grace)))
    process.wait_for("web       | pid")
    return process


def pid_of(process: Started, name: str) -> int:
    lines = [line for line in process.output.splitlines() if f"{name} " in line and "| pid" in line]
    return int(lines[-1].split()[-1])


def test_programs_stop_in_the_reverse_order_and_the_exit_is_clean(start: Callable[..., Started]) -> None:
    process = supervised(start)
    process.signal(signal.SIGTERM)
    assert process.end() == 0
    output = process.output
    assert output.index("web       | stopped") < output.index("engine    | stopped")


def test_a_program_that_dies_is_started_again(start: Callable[..., Started]) -> None:
    process = supervised(start)
    first = pid_of(process, "web")
    psutil.Process(first).kill()
    process.wait_for("web       | pid", times=2)
    assert "web ended with code -9; starting it again in 1 s" in process.output
    assert pid_of(process, "web") != first
    process.signal(signal.SIGINT)
    assert process.end() == 0


def test_a_program_that_does_not_stop_is_killed_after_its_grace(start: Callable[..., Started]) -> None:
    process = supervised(start, web="DEAF", grace=0.2)
    process.signal(signal.SIGTERM)
    assert process.end() == 0
    assert "web did not stop in time and is killed" in process.output
    assert "engine    | stopped" in process.output


def test_a_second_ctrl_c_shortens_the_wait_but_not_the_engines(start: Callable[..., Started]) -> None:
    process = supervised(start, web="DEAF", grace=600)
    process.signal(signal.SIGINT)
    process.wait_for("stopping")
    process.signal(signal.SIGINT)
    assert process.end() == 0
    assert "engine    | stopped" in process.output
    assert "Traceback" not in process.output


def test_what_a_program_left_in_another_session_is_ended_too(start: Callable[..., Started]) -> None:
    process = supervised(start, web="FORKS")
    everybody = process.descendants()
    assert any("sleep" in child.name() for child in everybody)
    psutil.Process(pid_of(process, "web")).kill()
    process.wait_for("web       | pid", times=2)
    everybody += process.descendants()
    process.signal(signal.SIGTERM)
    assert process.end() == 0
    assert not psutil.wait_procs(everybody, timeout=5)[1]


def test_programs_die_with_a_supervisor_that_is_killed(start: Callable[..., Started]) -> None:
    process = supervised(start)
    everybody = process.descendants()
    process.signal(signal.SIGKILL)
    process.end()
    wait_until(lambda: not any(child.is_running() for child in everybody))


def test_a_reader_that_goes_away_does_not_stop_the_portal(start: Callable[..., Started]) -> None:
    code = SUPERVISED.replace("{web}", "SAYS").replace("{grace}", "30")
    script = "import os, sys; r, w = os.pipe(); os.dup2(w, 1); os.close(w); os.close(r)\n"
    process = start("-c", script + code)
    wait_until(lambda: len(process.descendants()) == 2 or not process.alive)
    process.signal(signal.SIGTERM)
    assert process.end() == 0, process.output
