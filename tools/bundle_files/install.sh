#!/bin/sh
# Installs patrolplan into the folder "environment" next to this file, without a network.
cd "$(dirname "$0")" || exit 1
python=$(command -v python@PYTHON@ || command -v python3) || {
  echo "Python @PYTHON@ was not found. Install it, and begin again."
  exit 1
}
exec "$python" install.py
