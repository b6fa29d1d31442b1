"""`write_stick`: all that a machine needs to be taught on, without a network."""

from __future__ import annotations

import json
import os
import re
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from importlib.resources import files as package_files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smartrisk.errors import ArgumentError, check_choice
from smartrisk.languages import LOCALES, language_of
from smartrisk.progress import track_steps
from smartrisk.results import Result
from smartrisk.workshop._own_wheel import requirements_of, write_own_wheel
from smartrisk.workshop._package_index import (
    PLATFORMS,
    Pinned,
    Target,
    check_tools,
    compile_list,
    digest_of,
    download,
    list_lines,
)
from smartrisk.workshop._start_page import start_page
from smartrisk.workshop._stick_texts import notices, program_texts

if TYPE_CHECKING:
    import pandas as pd

#: Versions of Python that a class may have.
PYTHONS = ("3.11", "3.12", "3.13")
#: Extra that the class needs.
_EXTRA = "workshop"
#: What a light stick has instead of the whole MLflow: runs are kept in SQLite.
_LIGHT_MLFLOW = ("mlflow-skinny", "sqlalchemy>=2,<3", "alembic>=1.9,<2")
#: What a light stick leaves out: only shap's own objects and plots need it.
_HEAVY = ("shap",)
#: Menus of JupyterLab in the language of the class, and its name for it.
_LANGUAGE_PACKS = {
    "fr": ("jupyterlab-language-pack-fr-FR", "fr_FR"),
    "es": ("jupyterlab-language-pack-es-ES", "es_ES"),
}
#: What an installation takes beside the contents of the wheels: compiled files, pip.
_GROWTH = 1.2
_MEGABYTE = 2**20
_SUMS = "SHA256SUMS"
#: Runs in whichever Python is found, and ends with 0 in that of the wheels.
_VERSION_PROGRAM = """import sys

sys.exit(sys.version_info[:2] != ({version}) or sys.maxsize.bit_length() != 63)
"""
#: Programs on the stick, and the modules that they are copies of.
_PROGRAMS = {"install.py": "_install_program.py", "start.py": "_start_program.py"}
_STEPS = ("compiling the list", "downloading", "writing the stick")


class Stick(Result):
    """What was written onto a stick.

    `write_stick` returns it.

    Parameters
    ----------
    folder : Path
        The folder of the stick.
    settings : mapping
        What the programs on the stick read: platform, Python, language.
    wheels : sequence of mapping
        Name, version, file, size and digest of every wheel.

    Attributes
    ----------
    folder : Path
        As given.
    megabytes : int
        To carry: all files of the stick.
    digest : str
        SHA-256 of the file ``SHA256SUMS``, which holds that of every other file. Keep
        it elsewhere: a stick with this digest is the one that was written.

    Examples
    --------
    >>> from pathlib import Path
    >>> from smartrisk.workshop import Stick
    >>> wheel = {"name": "numpy", "version": "2.1", "file": "numpy-2.1.whl",
    ...          "megabytes": 16.0, "sha256": "0f"}
    >>> Stick(Path("stick"), {"platform": "windows"}, [wheel]).frame().name[0]
    'numpy'
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, Any],
        wheels: Sequence[Mapping[str, Any]],
    ) -> None:
        self.folder = folder
        self._settings, self._wheels = dict(settings), [dict(row) for row in wheels]

    @property
    def megabytes(self) -> int:
        """To carry: all files of the stick."""
        sizes = [p.stat().st_size for p in self.folder.rglob("*") if p.is_file()]
        return -(-sum(sizes) // _MEGABYTE)

    @property
    def installed_megabytes(self) -> int:
        """What the installed class takes, about."""
        return int(self._settings["megabytes"])

    @property
    def digest(self) -> str:
        """SHA-256 of the file that holds the SHA-256 of every other file."""
        return digest_of(self.folder / _SUMS)

    def frame(self) -> pd.DataFrame:
        """Return one row for each wheel.

        Returns
        -------
        frame : DataFrame
            Columns ``name``, ``version``, ``file``, ``megabytes`` and ``sha256``.
        """
        import pandas as pd

        columns = ["name", "version", "file", "megabytes", "sha256"]
        return pd.DataFrame(self._wheels, columns=columns)


def write_stick(
    folder: str | os.PathLike[str],
    *,
    platform: str,
    python: str = "3.12",
    light: bool = False,
    lang: str = "en",
) -> Stick:
    """Write what machines without a network need: wheels, installers, a first page.

    Parameters
    ----------
    folder : path
        A new folder, such as one on a USB stick.
    platform : {"windows", "linux", "macos"}
        What the machines of the class run: 64 bits, of Intel or AMD for Windows and
        Linux, of Apple for macOS.
    python : {"3.11", "3.12", "3.13"}, default="3.12"
        The Python of these machines; wheels fit one version only.
    light : bool, default=False
        Whether to leave out shap and the pages of MLflow. Reasons, tracking and all
        labs work without them.
    lang : str, default="en"
        Language of the installer, of JupyterLab and of the class: one of `LOCALES`.

    Returns
    -------
    stick : Stick
        The wheels and their digests.

    Raises
    ------
    ArgumentError
        If a value is not one of those above, or the folder holds something.
    MissingExtraError
        If uv or pip, of the extra ``stick``, is not installed.
    SmartRiskError
        If the index of packages does not answer, or has no wheels for the target.

    See Also
    --------
    check_machine : What a machine lacks.

    Notes
    -----
    The list of packages is compiled for the target, from what the installed smartrisk
    requires, and every package comes as a wheel: nothing is built on the machines. The
    list names one SHA-256 for each package, without which pip installs nothing. The
    index is the one that pip is configured with.

    Examples
    --------
    >>> from smartrisk.workshop import write_stick
    >>> stick = write_stick("E:/class", platform="windows")  # doctest: +SKIP
    >>> stick.megabytes  # doctest: +SKIP
    202
    """
    check_choice("write_stick", "platform", platform, PLATFORMS)
    check_choice("write_stick", "python", python, PYTHONS)
    check_choice("write_stick", "lang", lang, LOCALES)
    place = _free_place(folder)
    check_tools()
    target = Target(platform=platform, python=python)
    with (
        tempfile.TemporaryDirectory(dir=place.parent, prefix=".stick-") as draft,
        tempfile.TemporaryDirectory(prefix="smartrisk-") as workplace,
        track_steps(_STEPS) as finish_step,
    ):
        root = Path(draft) / "stick"
        wheels = root / "files" / "wheels"
        wheels.mkdir(parents=True)
        wanted = list_wanted(requirements_of(_EXTRA), light=light, lang=lang)
        packages = compile_list(wanted, target, Path(workplace))
        finish_step()
        found = download(packages, target, wheels, Path(workplace))
        finish_step()
        own = write_own_wheel(wheels)
        rows = [
            *(_describe(p.name, p.version, found[p.name]) for p in packages),
            _describe("smartrisk", own.name.split("-")[1], own),
        ]
        settings = _settings(target, lang, light, wheels)
        _write_files(root, settings, rows)
        if place.exists():
            place.rmdir()
        os.replace(root, place)
        finish_step()
    return Stick(place, settings, rows)


def list_wanted(requirements: Sequence[str], *, light: bool, lang: str) -> list[str]:
    """Return what a stick asks for, from what the library requires."""
    wanted = []
    for line in requirements:
        name = re.split(r"[^\w.-]", line, maxsplit=1)[0]
        if light and name == "mlflow":
            skinny, *store = _LIGHT_MLFLOW
            wanted += [skinny + line[len(name) :], *store]
        elif not light or name not in _HEAVY:
            wanted.append(line)
    pack = _LANGUAGE_PACKS.get(language_of(lang))
    return wanted if pack is None else [*wanted, pack[0]]


def _free_place(folder: str | os.PathLike[str]) -> Path:
    """Return the folder as a path; raise if it holds something."""
    place = Path(folder).absolute()
    if place.is_file() or (place.is_dir() and any(place.iterdir())):
        raise ArgumentError(
            "workshop.stick_not_empty",
            "write_stick: {path!r} is not empty, and nothing is overwritten. Name a "
            "new folder, such as {example!r}, or remove this one.",
            path=str(place),
            example=str(place / "stick"),
        )
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


def _describe(name: str, version: str, path: Path) -> dict[str, Any]:
    """Return the row of a wheel."""
    megabytes = round(path.stat().st_size / _MEGABYTE, 2)
    row = {"name": name, "version": version, "file": path.name}
    return {**row, "megabytes": megabytes, "sha256": digest_of(path)}


def _settings(target: Target, lang: str, light: bool, wheels: Path) -> dict[str, Any]:
    """Return what the programs on the stick need to know."""
    contents = 0
    for path in wheels.iterdir():
        with zipfile.ZipFile(path) as archive:
            contents += sum(entry.file_size for entry in archive.infolist())
    pack = _LANGUAGE_PACKS.get(language_of(lang))
    return {
        "platform": target.platform,
        "python": target.python,
        "lang": lang,
        "light": light,
        "locale": None if pack is None else pack[1],
        "megabytes": round(contents / _MEGABYTE * _GROWTH),
        "texts": program_texts(lang, target),
    }


def _write_files(
    root: Path, settings: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Write all but the wheels, and the digests of all."""
    inner = root / "files"
    packages = [
        Pinned(
            name=row["name"], version=row["version"], digests=frozenset([row["sha256"]])
        )
        for row in rows
    ]
    texts = {"requirements.txt": "\n".join(list_lines(packages)) + "\n"}
    texts["stick.json"] = json.dumps(settings, ensure_ascii=False, indent=1) + "\n"
    version = settings["python"].replace(".", ", ")
    texts["version.py"] = _VERSION_PROGRAM.format(version=version)
    texts |= notices(settings)
    for name, module in _PROGRAMS.items():
        texts[name] = (Path(__file__).parent / module).read_text(encoding="utf-8")
    for name, text in texts.items():
        (inner / name).write_bytes(text.encode("utf-8"))
    for name, content in _starters(settings).items():
        (root / name).write_bytes(content)
        if not name.endswith(".cmd"):
            (root / name).chmod(0o755)
    (root / "START.html").write_bytes(start_page(settings).encode("utf-8"))
    names = sorted(p.relative_to(root).as_posix() for p in root.rglob("*.*"))
    lines = [f"{digest_of(root / name)}  {name}\n" for name in names]
    (root / _SUMS).write_bytes("".join(lines).encode("utf-8"))


def _starters(settings: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the files that a person opens, by name."""
    version = settings["python"]
    marks = {"@PYTHON@": version, "@DIGITS@": version.replace(".", "")}
    found = {}
    for file in package_files("smartrisk.workshop").joinpath("stick_files").iterdir():
        text = file.read_text(encoding="ascii")
        for mark, value in marks.items():
            text = text.replace(mark, value)
        if file.name.endswith(".cmd"):
            text = text.replace("\n", "\r\n")
        found[file.name] = text.encode("ascii")
        if settings["platform"] == "macos" and file.name.endswith(".sh"):
            # The Finder opens files of this name in a terminal by itself.
            found[file.name.replace(".sh", ".command")] = found[file.name]
    return found
