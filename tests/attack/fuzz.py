"""Schemathesis over the whole document, against a portal of real processes.

`python -m tests.attack.fuzz SECONDS [SEED]` runs it for longer than the suite does, for each of `PEOPLE`.
"""

import subprocess
import sys
from pathlib import Path

from tests.deployment import HR_KEY, Deployment

PEOPLE = ("root", "alice")
HERE = Path(__file__).parent
# What the document can't say (a name that is taken, text without control characters) is no rejected valid data.
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,ignored_auth,tells_nothing_of_the_inside"
)
BUDGET: list[int] = []
SEED = 20310301


def fuzz(
    portal: Deployment, token: str, kept: list[int], seconds: int = 0, seed: int = SEED
) -> tuple[int, str]:
    """Send what the document allows and what it forbids; exit code and findings of Schemathesis.

    Without a budget in seconds each operation gets a fixed number of requests, the same ones for the same seed.
    """
    budget = (
        ["--max-time", str(seconds)]
        if seconds
        else ["--max-examples", "3", "--no-shrink", "--phases", "examples,fuzzing"]
    )
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            "--config-file",
            str(HERE / "fuzz.toml"),
            "run",
            f"http://127.0.0.1:{portal.port}/api/openapi.json",
            "--checks",
            CHECKS,
            "--exclude-operation-id",
            "logout",
            "--seed",
            str(seed),
            *budget,
        ],
        cwd=HERE.parents[1],
        env=portal.env
        | {
            "FUZZ_TOKEN": token,
            "FUZZ_HR_KEY": HR_KEY,
            "FUZZ_KEPT": " ".join(map(str, kept)),
            "SCHEMATHESIS_HOOKS": "tests.attack.fuzz_hooks",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def main() -> int:
    """The test does it, in the portal that it starts."""
    import pytest  # noqa: PLC0415

    from tests.attack import fuzz as known  # noqa: PLC0415 - this file runs under another name

    known.BUDGET[:] = [int(word) for word in sys.argv[1:3]] or [600]
    return pytest.main(["-q", "-s", str(HERE / "test_fuzz.py")])


if __name__ == "__main__":
    sys.exit(main())
