"""`./start.sh` in a fresh clone on a warm package cache: how long until the portal is healthy."""

import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LONGEST = 300


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="portalops-benchmark-") as folder:
        clone = Path(folder) / "portalops"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        print(f"first start, environment included: {seconds_until_healthy(clone):.1f} s")
        print(f"second start: {seconds_until_healthy(clone):.1f} s")
        print(f"third start, --demo: {seconds_until_healthy(clone, '--demo'):.1f} s")


def seconds_until_healthy(clone: Path, *words: str) -> float:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    env = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    begun = time.monotonic()
    process = subprocess.Popen(
        ["./start.sh", *words], cwd=clone, env=env | {"PORT": str(port)}, stdout=subprocess.DEVNULL
    )
    try:
        while time.monotonic() - begun < LONGEST and process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
                    if answer.status == 200:
                        return time.monotonic() - begun
            except OSError:
                time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)
    raise SystemExit(f"not healthy after {time.monotonic() - begun:.0f} s, exit code {process.returncode}")


if __name__ == "__main__":
    main()
