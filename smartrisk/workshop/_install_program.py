"""Installs the class from its stick. This file is copied onto the stick as install.py.

It runs before anything is installed: with Python's own library only, without a network,
without an administrator. Its texts come from ``stick.json`` beside it.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

#: Folder of the class, in that of the user: short, since Windows limits paths.
FOLDER = "smartrisk-class"
#: What is copied beside the class, so that it starts without the stick.
KEPT = ("START.html", "start.cmd", "start.sh", "start.command", "check.cmd", "check.sh")
#: Names of the systems that a stick is for, as Python calls them.
SYSTEMS = {"windows": "Windows", "linux": "Linux", "macos": "Darwin"}
MACHINES = {
    "windows": ("AMD64",),
    "linux": ("x86_64",),
    "macos": ("arm64",),
}
#: Files named when a stick is damaged.
MOST_NAMES = 5
#: JupyterLab neither asks for news nor looks for updates, and speaks the language.
NOTIFICATIONS = "@jupyterlab/apputils-extension:notification"
TRANSLATION = "@jupyterlab/translation-extension:plugin"


def main(arguments: Sequence[str]) -> int:
    """Install into the folder of the user, or the one named; return 0 when done."""
    files = Path(__file__).resolve().parent
    settings = json.loads((files / "stick.json").read_text(encoding="utf-8"))
    folder = Path(arguments[0]) if arguments else Path.home() / FOLDER
    problem = (
        find_misfit(settings)
        or find_damage(files.parent, settings)
        or find_lack_of_space(folder, settings)
        or install(files, folder, settings)
    )
    say(problem or settings["texts"]["done"].format(folder=folder))
    return 1 if problem else 0


def say(text: str) -> None:
    """Write a line; characters that the screen does not have are replaced."""
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding) + "\n")
    sys.stdout.flush()


def find_misfit(settings: dict[str, Any]) -> str | None:
    """Return what differs between this machine and those that the stick is for."""
    wanted = settings["platform"]
    is_system = platform.system() == SYSTEMS[wanted]
    is_python = "{}.{}".format(*sys.version_info[:2]) == settings["python"]
    if is_system and is_python and platform.machine() in MACHINES[wanted]:
        return None
    found = f"{platform.system()} {platform.machine()}, "
    found += f"Python {platform.python_version()}"
    return str(settings["texts"]["other_machine"].format(found=found))


def find_damage(root: Path, settings: dict[str, Any]) -> str | None:
    """Return which files of the stick are not what was written."""
    say(settings["texts"]["checking"])
    lines = (root / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    damaged = []
    for line in lines:
        digest, _, name = line.partition("  ")
        path = root / name
        if not path.is_file() or digest_of(path) != digest:
            damaged.append(name)
    if not damaged:
        return None
    names = ", ".join(damaged[:MOST_NAMES])
    return str(settings["texts"]["damaged"].format(n=len(damaged), names=names))


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def find_lack_of_space(folder: Path, settings: dict[str, Any]) -> str | None:
    """Return how much space is lacking where the class goes, if any is."""
    place = next(p for p in (folder, *folder.parents) if p.exists())
    free = shutil.disk_usage(place).free // 2**20
    needed = settings["megabytes"]
    is_there = (folder / "venv").exists()
    if free >= needed or is_there:
        return None
    texts = settings["texts"]
    return str(texts["no_space"].format(folder=folder, free=free, needed=needed))


def install(files: Path, folder: Path, settings: dict[str, Any]) -> str | None:
    """Make the environment and install the wheels; return what went wrong."""
    texts = settings["texts"]
    folder.mkdir(parents=True, exist_ok=True)
    python = python_of(folder)
    say(texts["making"].format(folder=folder))
    if not python.exists():
        made = run([sys.executable, "-m", "venv", str(folder / "venv")])
        if made is not None:
            return str(texts["no_venv"].format(problem=made))
    say(texts["installing"])
    words = [str(python), "-m", "pip", "--isolated", "install", "--no-index"]
    words += ["--find-links", str(files / "wheels"), "--no-deps", "--require-hashes"]
    # Python compiles what is imported; all of it would take twice as long and space.
    words += [
        "--no-compile",
        "--quiet",
        "--no-input",
        "--disable-pip-version-check",
        "--no-cache-dir",
    ]
    problem = run([*words, "-r", str(files / "requirements.txt")])
    if problem is not None:
        return str(texts["failed"].format(problem=problem))
    write_overrides(folder, settings)
    copy_starters(files, folder)
    return None


def python_of(folder: Path) -> Path:
    """Return the Python of the environment in a folder."""
    inner = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    return folder.joinpath("venv", *inner)


def run(words: Sequence[str]) -> str | None:
    """Run a program; return what it wrote if it fails."""
    # No settings of the user or the machine: the stick is the only source.
    given = {
        k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PYTHON"))
    }
    answer = subprocess.run(
        words,
        check=False,
        env=given | {"PIP_CONFIG_FILE": os.devnull},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
    )
    text = answer.stdout.decode("utf-8", "replace").strip()
    return None if answer.returncode == 0 else text


def write_overrides(folder: Path, settings: dict[str, Any]) -> None:
    """Write the settings that JupyterLab has where nobody chose others."""
    found: dict[str, Any] = {
        NOTIFICATIONS: {"fetchNews": "false", "checkForUpdates": False}
    }
    if settings["locale"]:
        found[TRANSLATION] = {"locale": settings["locale"]}
    place = folder / "venv" / "share" / "jupyter" / "lab" / "settings"
    place.mkdir(parents=True, exist_ok=True)
    (place / "overrides.json").write_text(json.dumps(found), encoding="utf-8")


def copy_starters(files: Path, folder: Path) -> None:
    """Copy what starts and checks the class into its folder."""
    (folder / "files").mkdir(exist_ok=True)
    for name in KEPT:
        if (files.parent / name).exists():
            shutil.copy(files.parent / name, folder / name)
            if not name.endswith((".cmd", ".html")):
                (folder / name).chmod(0o755)
    for name in ("start.py", "stick.json", "not-installed.txt"):
        shutil.copy(files / name, folder / "files" / name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
