"""The set-up commands of the README, run as they are printed.

``python .ci/readme.py block demo`` prints the block below ``<!-- ci: demo -->``;
``python .ci/readme.py copy FOLDER`` copies what a clone of the project would hold.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SKIPPED = {".git", ".venv", "__pycache__", "_build", "build", "dist"}
SKIPPED |= {".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache"}


def read_block(text: str, name: str) -> str:
    """Return the commands of the shell block below the marker of a name.

    The block must be fenced as ``sh``, directly below its marker.
    """
    marker = re.escape(f"<!-- ci: {name} -->")
    found = re.findall(
        rf"^{marker}\n+```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE
    )
    if len(found) != 1:
        raise SystemExit(f"README.md: {len(found)} blocks below {marker!r}, not one")
    return str(found[0])


def list_files(root: Path) -> list[str]:
    """Return the files of a working tree that are not ignored.

    Without git, or outside a clone, all files are returned but those of environments,
    caches and builds.
    """
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        found = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
        return sorted(p.as_posix() for p in found if not SKIPPED & set(p.parts))
    names = done.stdout.decode().split("\0")
    # A file that is deleted but not yet committed is still listed.
    return sorted({name for name in names if name and (root / name).is_file()})


def copy_files(root: Path, folder: Path) -> None:
    """Copy the files of a working tree to a new folder."""
    for name in list_files(root):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, target)


def main(action: str, value: str) -> None:
    """Print a block, or make a copy."""
    if action == "block":
        text = (ROOT / "README.md").read_text(encoding="utf-8")
        sys.stdout.write(read_block(text, value))
    elif action == "copy":
        copy_files(ROOT, Path(value))
    else:
        raise SystemExit(f"{action!r} is neither 'block' nor 'copy'")


if __name__ == "__main__":
    main(*sys.argv[1:])
