#!/bin/sh
# deploy/sbom.sh [FILE]: writes what the portal is made of, as CycloneDX JSON, to sbom.cdx.json or to FILE.
#
# Of requirements.txt alone: every package with its version and hashes. The same input makes the same bytes. Needs the
# environment of ./test.sh and no network; the result is checked against the schema of CycloneDX before it is written.
set -eu
cd "$(dirname "$0")/.."
.venv/bin/python -W ignore::UserWarning -m cyclonedx_py requirements --pyproject pyproject.toml --mc-type application \
    --output-reproducible --validate --output-format JSON --output-file "${1:-sbom.cdx.json}" requirements.txt
