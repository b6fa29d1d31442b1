#!/bin/sh
# Opens the class in JupyterLab at lab 1.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1
python="$HOME/smartrisk-class/venv/bin/python"
if [ ! -x "$python" ]; then
  cat "$here/files/not-installed.txt"
  exit 1
fi
exec "$python" "$HOME/smartrisk-class/files/start.py" "$@"
