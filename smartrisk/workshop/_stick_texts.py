"""What the programs on a stick say, in its language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smartrisk.languages import language_of, translator
from smartrisk.workshop._package_index import Target

#: What the installer and the starter say; some values are known there only.
_TEXTS: dict[str, str] = {
    "checking": "Checking the files of the stick ...",
    "damaged": "{n} files of the stick are damaged or missing: {names}. Copy the stick "
    "again from the one of your trainer.",
    "other_machine": "This stick is for {system} and Python {python}, 64 bits. This "
    "machine has: {found}. Ask for a stick for this machine.",
    "no_space": "The class needs {needed} MB in {folder}, where {free} MB are free. "
    "Free some space, then start the installation again.",
    "making": "Preparing the folder of the class: {folder}",
    "no_venv": "Python could not prepare the folder. On Debian and Ubuntu install "
    "python{python}-venv; elsewhere install Python again from python.org. "
    "Python says: {problem}",
    "installing": "Installing; this takes a few minutes ...",
    "failed": "The installation has failed. Only the folder of the class was changed; "
    "start the installation again. pip says: {problem}",
    "done": "Done. Open {starter} in the folder {folder}: JupyterLab opens at lab 1. "
    "The stick is no longer needed.",
    "writing_labs": "Writing the labs; this takes a minute ...",
    "opening": "Opening JupyterLab in your browser. Leave this window open while you "
    "work, and close it at the end.",
}
_PROBLEMS: dict[str, str] = {
    "windows": "Python {python} (64 bits) was not found, and the class needs it. Get "
    "the 'Windows installer (64-bit)' of version {python} at python.org/downloads and "
    "install it for yourself only: that needs no administrator. Without a network, ask "
    "your trainer for that file. Then open install.cmd again.",
    "linux": "Python {python} (64 bits) was not found, and the class needs it. On "
    "Debian and Ubuntu install python{python} and python{python}-venv; "
    "elsewhere see python.org/downloads. Then run install.sh again.",
    "macos": "Python {python} was not found, and the class needs it. Get the 'macOS "
    "64-bit universal2 installer' of version {python} at python.org/downloads. Without "
    "a network, ask your trainer for that file. Then open install.command again.",
    "not_installed": "The class is not installed on this machine yet. Open {installer} "
    "first.",
}
#: How the systems are called.
SYSTEMS = {"windows": "Windows", "linux": "Linux", "macos": "macOS"}
_ENDINGS = {"windows": "cmd", "linux": "sh", "macos": "command"}


def starter(name: str, platform: str) -> str:
    """Return the file that a person opens on a platform, such as install.cmd."""
    return f"{name}.{_ENDINGS[platform]}"


def program_texts(lang: str, target: Target) -> dict[str, str]:
    """Return the texts of the programs; what they find out themselves stays open."""
    translate = translator(language_of(lang)) or str
    known = {
        "{system}": SYSTEMS[target.platform],
        "{python}": target.python,
        "{starter}": starter("start", target.platform),
    }
    found = {}
    for name, text in _TEXTS.items():
        words = translate(text)
        for mark, value in known.items():
            words = words.replace(mark, value)
        found[name] = words
    return found


def notices(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts that are shown as they are, where Python may be missing."""
    translate = translator(language_of(settings["lang"])) or str
    platform, python = settings["platform"], settings["python"]
    absent = translate(_PROBLEMS[platform]).format(python=python)
    first = translate(_PROBLEMS["not_installed"])
    first = first.format(installer=starter("install", platform))
    return {"no-python.txt": f"{absent}\r\n", "not-installed.txt": f"{first}\r\n"}
