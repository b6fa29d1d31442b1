#!/bin/sh
# Installs the class from this stick. Needs Python @PYTHON@; no network, no administrator.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1
for python in \
  "/Library/Frameworks/Python.framework/Versions/@PYTHON@/bin/python3" \
  "/opt/homebrew/bin/python@PYTHON@" \
  "/usr/local/bin/python@PYTHON@" \
  "python@PYTHON@" \
  python3 \
  python; do
  if command -v "$python" >/dev/null 2>&1 && "$python" "$here/files/version.py" >/dev/null 2>&1; then
    exec "$python" "$here/files/install.py" "$@"
  fi
done
cat "$here/files/no-python.txt"
exit 1
