#!/bin/sh
# Checks this machine, then runs the demo.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1
exec "$here/start.sh" check
