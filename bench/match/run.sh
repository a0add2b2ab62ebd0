#!/bin/sh
# Runs the match benchmark: run.sh [ROWS] [DATADIR] [strict] [loose]. Installs what python needs beside the data.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
python3 -c 'import duckdb, numpy' 2>/dev/null || python3 -m pip install --quiet duckdb numpy
exec python3 "$here/run.py" "$@"
