#!/bin/sh
# ./test.sh         every check, then every test
# ./test.sh ARGS    the tests alone, with ARGS for pytest: ./test.sh tests/inbox -k complete
set -eu
cd "$(dirname "$0")"
. deploy/environment.sh
environment requirements-dev.txt requirements.txt
PATH="$PWD/.venv/bin:$PATH"

if [ $# -gt 0 ]; then
    exec pytest "$@"
fi

failed=
check() {
    echo "== $*"
    "$@" || failed="$failed $1"
}
check ruff check .
check ruff format --check .
check mypy
check lint-imports
# More than there are cores: a quarter of the time goes into waiting for processes.
check pytest -n 3
if [ -n "$failed" ]; then
    echo "Failed:$failed" >&2
    exit 1
fi
