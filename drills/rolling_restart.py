"""New releases under load: the web process is replaced again and again, and every request is answered.

.venv/bin/python -m drills.rolling_restart
"""

import argparse
import subprocess
import sys

from tests.deployment import Deployment, throwaway
from tests.load import Load
from tests.runtime.processes import ROOT

PATHS = ("/login/", "/health", "/static/portal/css/base.css", "/api/openapi.json", "/livez")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--clients", type=int, default=16, help="half of them keep their connections")
    given = parser.parse_args()
    with throwaway() as portal:
        portal.open("front")
        return drill(portal, given.times, given.clients)


def drill(portal: Deployment, times: int, clients: int) -> int:
    """Replace it so often, and count."""
    half = clients // 2
    web = str(portal.running["front"].pid)
    with Load(portal.port, PATHS, keeping=half, opening=clients - half).on() as load:
        codes = [
            subprocess.run(
                [sys.executable, "deploy/web.py", "--replace", web], cwd=ROOT, env=portal.env, check=False
            ).returncode
            for _ in range(times)
        ]
    asked = sum(load.outcomes.values())
    print(f"{times - sum(map(bool, codes))} of {times} times replaced under {clients} clients")
    print(f"{sum(load.failed.values())} of {asked:,} requests failed; the slowest took {load.slowest:.2f} s")
    for outcome, count in load.failed.items():
        print(f"  {count} x {outcome}")
    return int(bool(load.failed) or any(codes))


if __name__ == "__main__":
    sys.exit(main())
