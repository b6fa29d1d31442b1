"""`check_machine`: whether a class can be taught on this machine, and what it lacks."""

from __future__ import annotations

import importlib
import locale
import os
import platform
import shutil
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from smartrisk.errors import (
    Message,
    MissingLibraryError,
    SmartRiskError,
    check_choice,
)
from smartrisk.languages import LOCALES, language_of, render
from smartrisk.results import Result
from smartrisk.workshop._machine import read_memory

if TYPE_CHECKING:
    import pandas as pd

_OLDEST, _NEWEST = (3, 11), (3, 14)
#: Memory of the smallest laptop that the labs are made for, sold as 4 GB.
LEAST_MEMORY = 3_500
#: What a notebook may use, with space for the browser.
LEAST_FREE_MEMORY = 1_500
#: Worlds, pages and runs of all labs.
LEAST_FREE_DISK = 1_000
#: What the labs import, by the package that brings it.
NEEDED = {
    "numpy": "numpy",
    "pandas": "pandas",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "pyarrow": "pyarrow",
    "lightgbm": "lightgbm",
    "matplotlib": "matplotlib",
    "jinja2": "jinja2",
    "skops": "skops",
    "tqdm": "tqdm",
    "mlflow": "mlflow",
    "sqlalchemy": "sqlalchemy",
    "alembic": "alembic",
}
#: The notebooks: JupyterLab, what reads them, and what runs their cells.
NOTEBOOKS = {
    "jupyterlab": "jupyterlab",
    "nbformat": "nbformat",
    "ipykernel": "ipykernel",
}
#: What a light installation leaves out, and what needs it.
LEFT_OUT = "shap"
_ITEMS = 2_000
_MEGABYTE = 2**20
#: Letters of the three languages, and signs of the figures.
_LETTERS = "éèçñ¿«»–×"
#: Characters of what a package says, in a finding.
_LONGEST_PROBLEM = 200
OK, NOTE, MISSING = "ok", "note", "missing"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What was found about one part of a machine.

    Parameters
    ----------
    part : str
        "python", "memory", "disk", "packages", "jupyterlab", "language" or "fit".
    state : {"ok", "note", "missing"}
        A note is no obstacle.
    found : Message
        What there is, or what is missing.
    remedy : Message, default=None
        What to do, unless all is well.

    Examples
    --------
    >>> from smartrisk.errors import Message
    >>> from smartrisk.workshop import Finding
    >>> found = Message("workshop.free_disk", "{free} MB are free", free=9)
    >>> Finding(part="disk", state="ok", found=found).state
    'ok'
    """

    part: str
    state: str
    found: Message
    remedy: Message | None = None


class MachineCheck(Result):
    """What `check_machine` found.

    Parameters
    ----------
    findings : sequence of Finding
        One or more for each part.
    lang : str
        Language of the table.

    Attributes
    ----------
    ready : bool
        Whether nothing is missing.
    findings : tuple of Finding
        As given.

    Examples
    --------
    >>> from smartrisk.workshop import MachineCheck
    >>> MachineCheck([], "en").ready
    True
    """

    def __init__(self, findings: Sequence[Finding], lang: str) -> None:
        self.findings = tuple(findings)
        self._lang = lang

    @property
    def ready(self) -> bool:
        """Whether nothing is missing."""
        return all(finding.state != MISSING for finding in self.findings)

    def frame(self) -> pd.DataFrame:
        """Return one row for each finding.

        Returns
        -------
        frame : DataFrame
            Columns ``part``, ``state`` ("ok", "note" or "missing"), ``found`` and
            ``remedy``, the last two in the language of the check.
        """
        import pandas as pd

        rows = [
            (
                finding.part,
                finding.state,
                render(finding.found, self._lang),
                "" if finding.remedy is None else render(finding.remedy, self._lang),
            )
            for finding in self.findings
        ]
        return pd.DataFrame(rows, columns=["part", "state", "found", "remedy"])


def check_machine(folder: str | Path = ".", *, lang: str = "en") -> MachineCheck:
    """Check whether a class can be taught on this machine, and say what is missing.

    Parameters
    ----------
    folder : path, default="."
        Where the class will be, for the space that is free there.
    lang : str, default="en"
        Language of the class: one of `LOCALES`.

    Returns
    -------
    check : MachineCheck
        Python, memory, disk, packages, JupyterLab, language, and one small fit; what is
        missing with its remedy.

    Raises
    ------
    ArgumentError
        If `lang` is unknown.

    Examples
    --------
    >>> from smartrisk.workshop import check_machine
    >>> checked = check_machine()  # doctest: +SKIP
    >>> checked.ready  # doctest: +SKIP
    True
    """
    check_choice("check_machine", "lang", lang, LOCALES)
    findings = [
        _check_python(),
        *_check_memory(*read_memory()),
        _check_disk(Path(folder)),
        *_check_packages(),
        _check_notebooks(),
        _check_language(lang),
        _check_fit(),
    ]
    return MachineCheck(findings, language_of(lang))


def _check_python() -> Finding:
    """Return whether this Python is one that the library is tested on."""
    found = Message(
        "workshop.python",
        "Python {version}, {bits} bits",
        version=platform.python_version(),
        bits=64 if sys.maxsize > 2**32 else 32,
    )
    if _OLDEST <= sys.version_info[:2] <= _NEWEST and sys.maxsize > 2**32:
        return Finding(part="python", state=OK, found=found)
    remedy = Message(
        "workshop.python_remedy",
        "Install Python 3.11, 3.12 or 3.13 for 64 bits, from python.org/downloads; for "
        "yourself only, it needs no administrator.",
    )
    return Finding(part="python", state=MISSING, found=found, remedy=remedy)


def _check_memory(total: int | None, free: int | None) -> Iterator[Finding]:
    """Yield whether the memory suffices, and whether enough of it is free."""
    if total is None:
        unknown = Message("workshop.memory_unknown", "the system reports no memory")
        yield Finding(part="memory", state=NOTE, found=unknown)
        return
    found = Message("workshop.memory", "{total} MB of memory", total=total)
    enough = total >= LEAST_MEMORY
    remedy = Message(
        "workshop.memory_remedy",
        "The labs are made for machines of 4 GB or more; work with a neighbour.",
    )
    yield Finding(
        part="memory",
        state=OK if enough else MISSING,
        found=found,
        remedy=None if enough else remedy,
    )
    if free is not None and free < LEAST_FREE_MEMORY:
        yield Finding(
            part="memory",
            state=MISSING,
            found=Message(
                "workshop.free_memory",
                "{free} MB of memory are free; a lab needs {least} MB",
                free=free,
                least=LEAST_FREE_MEMORY,
            ),
            remedy=Message("workshop.free_memory_remedy", "Close other programs."),
        )


def _check_disk(folder: Path) -> Finding:
    """Return whether there is space for the data and pages of the class."""
    place = next(
        p for p in (folder.absolute(), *folder.absolute().parents) if p.exists()
    )
    free = shutil.disk_usage(place).free // _MEGABYTE
    if free >= LEAST_FREE_DISK:
        found = Message("workshop.disk", "{free} MB of disk are free", free=free)
        return Finding(part="disk", state=OK, found=found)
    return Finding(
        part="disk",
        state=MISSING,
        found=Message(
            "workshop.disk_full",
            "{free} MB are free in {path!r}; the class needs {least} MB",
            free=free,
            path=str(place),
            least=LEAST_FREE_DISK,
        ),
        remedy=Message(
            "workshop.disk_remedy", "Free some space, or name a folder on another disk."
        ),
    )


def _check_packages() -> Iterator[Finding]:
    """Yield which packages cannot be imported, and what a light set leaves out."""
    absent, broken = _try_imports(NEEDED)
    if not absent and not broken:
        found = Message("workshop.packages", "{n} libraries are there", n=len(NEEDED))
        yield Finding(part="packages", state=OK, found=found)
    if absent:
        yield _absent("packages", absent, "smartrisk")
    for name, problem in broken.items():
        yield _broken("packages", name, problem)
    if _try_imports({LEFT_OUT: LEFT_OUT})[0]:
        light = Message(
            "workshop.shap_left_out",
            "shap is not installed: reasons work without it, only its own objects and "
            "plots are missing",
        )
        yield Finding(part="packages", state=NOTE, found=light)


def _check_notebooks() -> Finding:
    """Return whether JupyterLab and the kernel of Python are there."""
    absent, broken = _try_imports(NOTEBOOKS)
    if absent:
        return _absent("jupyterlab", absent, "smartrisk[workshop]")
    if broken:
        name, problem = next(iter(broken.items()))
        return _broken("jupyterlab", name, problem)
    version = metadata.version("jupyterlab")
    found = Message("workshop.jupyterlab", "JupyterLab {version}", version=version)
    return Finding(part="jupyterlab", state=OK, found=found)


def _check_language(lang: str) -> Finding:
    """Return whether texts of the class can be shown on this terminal."""
    encoding = getattr(sys.stdout, "encoding", None) or locale.getpreferredencoding()
    try:
        _LETTERS.encode(encoding)
    except UnicodeEncodeError:
        return Finding(
            part="language",
            state=NOTE,
            found=Message(
                "workshop.letters",
                "language {lang}; this terminal ({encoding}) lacks letters of it, "
                "notebooks and pages do not",
                lang=lang,
                encoding=encoding,
            ),
            remedy=Message(
                "workshop.letters_remedy",
                "Set PYTHONUTF8=1, on Windows after 'chcp 65001'.",
            ),
        )
    found = Message("workshop.language", "language {lang}", lang=lang)
    return Finding(part="language", state=OK, found=found)


def _check_fit() -> Finding:
    """Return whether an engine can be fitted and can give reasons."""
    from smartrisk.datasets import make_declarations
    from smartrisk.engine import RiskEngine

    start = time.perf_counter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            world = make_declarations(_ITEMS, random_state=0)
            engine = RiskEngine().fit(world.declarations, world.outcomes)
            riskiest = engine.score(world.declarations).nlargest(3, "risk_score").index
            engine.explain(world.declarations.loc[riskiest]).frame()
    except (SmartRiskError, ImportError, OSError, MemoryError) as error:
        problem = error if isinstance(error, SmartRiskError) else _as_message(error)
        remedy = Message(
            "workshop.fit_remedy", "Fix what is named above, then check again."
        )
        found = Message(problem.message_id, problem.template, **problem.values)
        return Finding(part="fit", state=MISSING, found=found, remedy=remedy)
    seconds = time.perf_counter() - start
    found = Message(
        "workshop.fit",
        "an engine was fitted to {n} items and gave reasons, in {seconds:.0f} s",
        n=_ITEMS,
        seconds=seconds,
    )
    return Finding(part="fit", state=OK, found=found)


def _as_message(error: BaseException) -> Message:
    """Return an error of Python as a message."""
    text = f"{type(error).__name__}: {error}"
    return Message("workshop.fit_failed", "the fit has failed: {problem}", problem=text)


def _try_imports(
    modules: dict[str, str],
) -> tuple[list[str], dict[str, BaseException]]:
    """Return the packages that are absent, and why others cannot be imported."""
    absent: list[str] = []
    broken: dict[str, BaseException] = {}
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    for module, package in modules.items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                importlib.import_module(module)
        except ModuleNotFoundError as error:
            top = (error.name or module).partition(".")[0]
            absent.append(modules.get(top, top if top != module else package))
        except Exception as error:  # what packages raise at import is theirs
            broken[package] = error
    return absent, broken


def _absent(part: str, packages: Sequence[str], whole: str) -> Finding:
    """Return the finding of packages that are not installed."""
    names = ", ".join(dict.fromkeys(packages))
    return Finding(
        part=part,
        state=MISSING,
        found=Message("workshop.absent", "not installed: {names}", names=names),
        remedy=Message(
            "workshop.absent_remedy",
            "Run: pip install '{whole}'. Without a network, open the installer of the "
            "stick again.",
            whole=whole,
        ),
    )


def _broken(part: str, package: str, error: BaseException) -> Finding:
    """Return the finding of a package that is installed and cannot start."""
    if isinstance(error, OSError) and package == "lightgbm":
        library = MissingLibraryError(package, str(error))
        found = Message(library.message_id, library.template, **library.values)
        return Finding(part=part, state=MISSING, found=found, remedy=None)
    return Finding(
        part=part,
        state=MISSING,
        found=Message(
            "workshop.broken",
            "{package} is installed but cannot be imported: {problem}",
            package=package,
            problem=" ".join(str(error).split())[:_LONGEST_PROBLEM],
        ),
        remedy=Message(
            "workshop.broken_remedy",
            "Remove the folder of the class and install it again; on Windows first "
            "install the 'Microsoft Visual C++ Redistributable' for x64.",
        ),
    )
