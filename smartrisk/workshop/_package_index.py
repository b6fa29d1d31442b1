"""What a machine without a network will need: compiled for it, then downloaded.

The list is compiled for the target first, by uv: pip evaluates the markers of
requirements against the Python that runs, not against that of the target. pip then
downloads exactly that list. Both are programs of their own; the index is whatever pip
is configured with on this machine.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from smartrisk.errors import MissingExtraError, SmartRiskError, format_values

#: Extra that brings uv and pip.
_EXTRA = "stick"
#: Settings of pip that say where packages come from, and the options of uv.
_SOURCES = {
    "index-url": "--index-url",
    "extra-index-url": "--extra-index-url",
    "find-links": "--find-links",
}
#: Sections of pip's settings, the strongest first.
_SECTIONS = (":env:", "download", "global")
_SETTING = re.compile(r"^(?P<section>[^.]+)\.(?P<name>[^=]+)=(?P<value>.*)$")
_PINNED = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
#: What uv and pip write when nothing answers.
_SILENCE = re.compile(
    r"failed to fetch|error sending request|dns error|connection refused|timed out|"
    r"newconnectionerror|name resolution|network is unreachable|proxyerror|"
    r"network connectivity is disabled|max retries exceeded|tunnel",
    re.IGNORECASE,
)
#: Characters of what a program wrote, in an error.
_LONGEST_PROBLEM = 400


@dataclass(frozen=True, kw_only=True)
class Target:
    """The machines that a stick is for.

    Parameters
    ----------
    platform : str
        One of `PLATFORMS`.
    python : str
        Such as "3.12".
    """

    platform: str
    python: str

    @property
    def triple(self) -> str:
        """The name of the platform for uv."""
        return _TRIPLES[self.platform]

    @property
    def tags(self) -> tuple[str, ...]:
        """The platform tags of wheels that its machines can install."""
        return _TAGS[self.platform]


_TRIPLES = {
    "windows": "x86_64-pc-windows-msvc",
    "linux": "x86_64-manylinux_2_28",
    "macos": "aarch64-apple-darwin",
}
#: pip adds the older versions of macOS itself, and those of Linux only in part.
_TAGS = {
    "windows": ("win_amd64",),
    "linux": (
        *(f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)),
        *(f"manylinux{year}_x86_64" for year in ("2014", "2010", "1")),
        "linux_x86_64",
    ),
    "macos": ("macosx_13_0_arm64",),
}
PLATFORMS = tuple(_TRIPLES)


@dataclass(frozen=True, kw_only=True)
class Pinned:
    """A package of a compiled list: its version, and the digests that it may have."""

    name: str
    version: str
    digests: frozenset[str]


def normalise(name: str) -> str:
    """Return the name of a package as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def check_tools() -> None:
    """Raise where uv or pip is not installed."""
    _find_uv()
    if importlib.util.find_spec("pip") is None:
        raise MissingExtraError("pip", _EXTRA)


def compile_list(
    wanted: Iterable[str], target: Target, workplace: Path
) -> list[Pinned]:
    """Return everything that the wanted packages need on the target, with digests.

    Versions that this machine has are preferred where the target can have them: what
    was tried here is what the class gets.
    """
    source, compiled = workplace / "wanted.txt", workplace / "compiled.txt"
    source.write_text("\n".join(wanted), encoding="utf-8")
    compiled.write_text("\n".join(_list_installed()), encoding="utf-8")
    settings = read_pip_settings()
    _run(
        [
            *(_find_uv(), "pip", "compile", str(source), "-o", str(compiled)),
            *("--python-platform", target.triple, "--python-version", target.python),
            *("--python", sys.executable),
            *("--generate-hashes", "--only-binary", ":all:", "--no-header"),
            *("--no-annotate", "--quiet", *_source_options(settings)),
        ],
        target,
        {"UV_PYTHON_DOWNLOADS": "never"} | _certificates(settings),
    )
    return parse_list(compiled.read_text(encoding="utf-8"))


def parse_list(text: str) -> list[Pinned]:
    """Return the packages of a compiled list."""
    found = []
    for block in text.replace("\\\n", " ").splitlines():
        match = _PINNED.match(block)
        if match is not None:
            digests = frozenset(_HASH.findall(block))
            found.append(Pinned(**match.groupdict(), digests=digests))
    return found


def list_lines(packages: Iterable[Pinned]) -> list[str]:
    """Return packages as lines that pip reads, each with its digests."""
    return [
        " ".join(
            [
                f"{package.name}=={package.version}",
                *(f"--hash=sha256:{digest}" for digest in sorted(package.digests)),
            ]
        )
        for package in packages
    ]


def download(
    packages: Sequence[Pinned], target: Target, folder: Path, workplace: Path
) -> dict[str, Path]:
    """Download a wheel of every package for the target; return the files by name."""
    source = workplace / "download.txt"
    source.write_text("\n".join(list_lines(packages)), encoding="utf-8")
    _run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-input"),
            *("--no-deps", "--only-binary=:all:", "--require-hashes"),
            *("-r", str(source), "-d", str(folder)),
            *("--implementation", "cp", "--python-version", target.python),
            *(word for tag in target.tags for word in ("--platform", tag)),
        ],
        target,
        {"PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )
    return match_files(packages, folder)


def match_files(packages: Sequence[Pinned], folder: Path) -> dict[str, Path]:
    """Return the wheel of every package, by name; raise unless each has exactly one."""
    files = {path: digest_of(path) for path in sorted(folder.iterdir())}
    found: dict[str, Path] = {}
    for package in packages:
        for path, digest in files.items():
            name = normalise(path.name.partition("-")[0])
            if name == normalise(package.name) and digest in package.digests:
                found[package.name] = path
    missing = [package.name for package in packages if package.name not in found]
    foreign = [
        path.name
        for path in files
        if path not in found.values() or path.suffix != ".whl"
    ]
    if missing or foreign:
        raise SmartRiskError(
            "workshop.stick_incomplete",
            "write_stick: the stick would be incomplete: {n_missing} names without "
            "a wheel ({missing}), {n_foreign} files that nothing asks for ({foreign}). "
            "Call again; where this stays so, the index that pip is configured with "
            "has other files than it lists.",
            n_missing=len(missing),
            missing=format_values(missing),
            n_foreign=len(foreign),
            foreign=format_values(foreign),
        )
    return found


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_pip_settings() -> dict[str, str]:
    """Return the settings of pip that say where packages come from, by name."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return parse_pip_settings(answer.stdout)


def parse_pip_settings(text: str) -> dict[str, str]:
    """Return the settings that ``pip config list`` writes; the environment is first."""
    found: dict[tuple[int, str], str] = {}
    for line in text.splitlines():
        match = _SETTING.match(line)
        if match is not None and match["section"] in _SECTIONS:
            rank = _SECTIONS.index(match["section"])
            found[rank, match["name"]] = str(ast.literal_eval(match["value"]))
    # The strongest comes last and replaces the others.
    return {name: found[rank, name] for rank, name in sorted(found, reverse=True)}


def _source_options(settings: Mapping[str, str]) -> list[str]:
    """Return the settings of pip as options of uv, which does not read them."""
    options = [
        word
        for name, option in _SOURCES.items()
        for value in settings.get(name, "").split()
        for word in (option, value)
    ]
    # As pip does: of all indexes the best version.
    return [*options, "--index-strategy", "unsafe-best-match"] if options else []


def _certificates(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the certificates that pip trusts as a variable of uv."""
    is_set = "cert" in settings and "SSL_CERT_FILE" not in os.environ
    return {"SSL_CERT_FILE": settings["cert"]} if is_set else {}


def _list_installed() -> list[str]:
    """Return the packages of this machine and their versions."""
    found = {
        normalise(item.metadata["Name"]): item.version
        for item in metadata.distributions()
        if item.metadata["Name"]
    }
    found.pop("smartrisk", None)
    return [f"{name}=={version}" for name, version in sorted(found.items())]


def _find_uv() -> str:
    """Return the program uv: of this Python, or of the system."""
    beside = Path(sys.executable).parent
    found = shutil.which("uv", path=str(beside)) or shutil.which("uv")
    if found is None:
        raise MissingExtraError("uv", _EXTRA)
    return found


def _run(words: Sequence[str], target: Target, variables: Mapping[str, str]) -> None:
    """Run a program; raise with what it wrote if it fails."""
    answer = subprocess.run(
        words,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | variables,
        stdin=subprocess.DEVNULL,
    )
    if answer.returncode == 0:
        return
    lines = [line.strip() for line in answer.stderr.splitlines() if line.strip()]
    wrong = [line for line in lines if not line.upper().startswith("WARNING")]
    problem = " ".join(wrong)[-_LONGEST_PROBLEM:]
    if _SILENCE.search(answer.stderr):
        raise SmartRiskError(
            "workshop.index_silent",
            "write_stick: the index of pip did not answer. A stick is made where "
            "there is a network, and used where there is none. Check the network, and "
            "the index that 'pip config list' shows; then call again. The answer was: "
            "{problem}",
            problem=problem,
        )
    raise SmartRiskError(
        "workshop.packages_refused",
        "write_stick: there is no set of wheels for {platform} and Python {python}. "
        "Try another Python ('python'), or update smartrisk. The answer was: {problem}",
        platform=target.platform,
        python=target.python,
        problem=problem,
    )
