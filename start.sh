#!/bin/sh
# Runs the whole portal in the foreground: ./start.sh [--demo]. Ctrl-C stops it. Settings: see env.example.
set -eu
cd "$(dirname "$0")"
. deploy/environment.sh
environment requirements.txt
exec .venv/bin/python run.py "$@"
