"""What the portal is made of: an SBOM of exactly what is pinned, and a licence for each that somebody has judged."""

import json
import re
import subprocess

import pytest

from docs import licences_page
from tests.architecture.sources import ROOT


def pins(file: str) -> list[tuple[str, str, set[str]]]:
    """(package, version, hashes) as a requirements file has them."""
    blocks = re.split(r"\n(?=[\w])", (ROOT / file).read_text())
    return [
        (
            *re.match(r"([\w.-]+)(?:\[[\w,]+\])?==([\w.]+)", block).groups(),
            set(re.findall(r"sha256:(\w+)", block)),
        )
        for block in blocks
    ]


@pytest.fixture(scope="module")
def sbom(tmp_path_factory):
    file = tmp_path_factory.mktemp("sbom") / "sbom.cdx.json"
    done = subprocess.run([ROOT / "deploy/sbom.sh", file], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return file


def test_sbom_names_every_package_with_its_version_and_hashes(sbom):
    components = {(one["name"], one["version"]): one for one in json.loads(sbom.read_text())["components"]}
    assert components.keys() == {(name, version) for name, version, _ in pins("requirements.txt")}
    for name, version, hashes in pins("requirements.txt"):
        [reference] = components[name, version]["externalReferences"]
        assert {one["content"] for one in reference["hashes"]} == hashes, name


def test_sbom_is_the_same_again(sbom, tmp_path):
    subprocess.run([ROOT / "deploy/sbom.sh", tmp_path / "again"], capture_output=True, check=True)
    assert (tmp_path / "again").read_bytes() == sbom.read_bytes()


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_every_package_comes_by_its_hash(file):
    assert [name for name, _, hashes in pins(file) if not hashes] == []
    assert "://" not in (ROOT / file).read_text(), "where packages come from is not the repository's to say"


def test_list_of_licences_is_the_present_one():
    """After a change of requirements.txt: .venv/bin/python docs/licences_page.py, and read the difference."""
    assert licences_page.PAGE.read_text() == licences_page.page()


def test_every_licence_was_judged():
    assert licences_page.unjudged(licences_page.licences()) == {}


@pytest.mark.parametrize("licence", ["UNKNOWN", "GPL-3.0-only", "AGPL-3.0", "MIT AND GPL-2.0", "SSPL-1.0"])
def test_a_surprise_is_noticed(licence):
    assert licences_page.unjudged({"newcomer": licence, "flask": "BSD-3-Clause"}) == {"newcomer": licence}


def test_a_licence_that_changed_is_judged_anew():
    assert licences_page.unjudged({"orjson": "AGPL-3.0"}) == {"orjson": "AGPL-3.0"}


def test_list_speaks_of_what_runs_and_not_of_what_tests():
    assert "pytest" not in licences_page.licences()
