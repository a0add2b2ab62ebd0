#!/bin/sh
# Runs the match benchmark: run.sh [ROWS,ROWS...] [DATADIR] [strict] [loose]. What python needs is
# installed in an environment of its own beside the build.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
python=python3
if ! python3 -c 'import duckdb, numpy' 2>/dev/null; then
    venv=${CARGO_TARGET_DIR:-$here/../../target}/bench-venv
    [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet duckdb numpy
    python=$venv/bin/python
fi
exec "$python" "$here/run.py" "$@"
