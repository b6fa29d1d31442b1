"""``python -m smartrisk`` is the command ``smartrisk``."""

import sys

from smartrisk.cli import main

if __name__ == "__main__":
    sys.exit(main())
