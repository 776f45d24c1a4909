#!/bin/sh
# Opens the board. Name a settings file (patrolplan.toml) to open its week; without one it is the
# week of the fictional borough.
program="$(cd "$(dirname "$0")" && pwd)/environment/bin/patrolplan"
[ -x "$program" ] || { echo "Run install.sh first."; exit 1; }
if [ -n "$1" ]; then
  cd "$(dirname "$1")" && exec "$program" board --config "$(basename "$1")"
fi
cd "$(dirname "$0")" && exec "$program" board
