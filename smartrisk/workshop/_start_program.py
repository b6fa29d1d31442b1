"""Starts the class, or checks the machine. Copied onto the stick as start.py.

It runs in the environment of the class: JupyterLab opens at lab 1, in the folder that
`smartrisk workshop` makes on the first start.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

#: Items of the world of the demo that checks a machine.
ITEMS = 3000


def main(arguments: Sequence[str]) -> int:
    """Open the labs, or check the machine when the word is "check"."""
    files = Path(__file__).resolve().parent
    settings = json.loads((files / "stick.json").read_text(encoding="utf-8"))
    lang = settings["lang"]
    variables = {
        "SMARTRISK_LANG": lang,
        "OMP_WAIT_POLICY": "PASSIVE",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PYTHONUTF8": "1",
    }
    os.environ.update(variables)
    folder = files.parent
    if list(arguments[:1]) == ["check"]:
        return check(folder, lang)
    labs = folder / "class"
    if not labs.exists():
        say(settings["texts"]["writing_labs"])
        status = run(["smartrisk", "workshop", str(labs), "--lang", lang])
        if status != 0:
            return status
    say(settings["texts"]["opening"])
    return run(["jupyterlab", *places(labs), *arguments])


def say(text: str) -> None:
    """Write a line; characters that the screen does not have are replaced."""
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding) + "\n")
    sys.stdout.flush()


def run(words: Sequence[str]) -> int:
    """Run a module with the Python of the class; return its status."""
    return subprocess.run([sys.executable, "-m", *words], check=False).returncode


def check(folder: Path, lang: str) -> int:
    """Check the machine, then run the demo: everything once."""
    status = run(["smartrisk", "workshop", "check", "--lang", lang])
    if status != 0:
        return status
    demo = ["smartrisk", "demo", "--items", str(ITEMS), "--lang", lang]
    return run([*demo, "--out", str(folder / "demo")])


def places(labs: Path) -> list[str]:
    """Return what JupyterLab opens: the first lab, or the folder without one."""
    found = sorted(labs.glob("lab-*.ipynb"))
    root = f"--ServerApp.root_dir={labs}"
    return (
        [root, f"--LabApp.default_url=/lab/tree/{found[0].name}"] if found else [root]
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
