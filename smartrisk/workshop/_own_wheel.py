"""The wheel of this library, made from the sources that are installed.

No build tool and no network: a wheel of pure Python is an archive of the package and of
its metadata, and both are there, whether the library was installed from a wheel or from
a folder of sources.
"""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import smartrisk
from smartrisk.errors import SmartRiskError

_NAME = "smartrisk"
_WHEEL = """Wheel-Version: 1.0
Generator: smartrisk {version}
Root-Is-Purelib: true
Tag: py3-none-any
"""
#: The oldest date of an archive: the same sources give the same bytes.
_DATE = (1980, 1, 1, 0, 0, 0)
#: A regular file that everybody may read.
_MODE = 0o100644 << 16


def requirements_of(extra: str) -> list[str]:
    """Return what the library and one of its extras require, as its metadata say."""
    found = []
    for line in _distribution().requires or ():
        requirement, _, marker = line.partition(";")
        wanted = marker.strip().replace('"', "'")
        if wanted in ("", f"extra == '{extra}'"):
            found.append(requirement.strip())
    return found


def write_own_wheel(folder: Path) -> Path:
    """Write the wheel of this library into a folder, and return the file.

    Raises
    ------
    SmartRiskError
        If the library is not installed, or its metadata are those of another version.
    """
    distribution = _distribution()
    version = distribution.version
    info = f"{_NAME}-{version}.dist-info"
    contents = dict(_package_files())
    contents |= {f"{info}/{name}": text for name, text in _metadata_files(distribution)}
    contents[f"{info}/WHEEL"] = _WHEEL.format(version=version).encode()
    record = "".join(f"{_record_line(name, data)}\n" for name, data in contents.items())
    contents[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    path = folder / f"{_NAME}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            entry = zipfile.ZipInfo(name, _DATE)
            entry.external_attr = _MODE
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return path


def _distribution() -> metadata.Distribution:
    """Return the installed metadata, which must be of the version that runs."""
    try:
        found = metadata.distribution(_NAME)
    except metadata.PackageNotFoundError as error:
        raise SmartRiskError(
            "workshop.not_installed",
            "write_stick: smartrisk runs from a folder and is not installed, so what "
            "it requires is not known. Run 'pip install .' in the folder of its "
            "sources, or with -e, and call again.",
        ) from error
    if found.version != smartrisk.__version__:
        raise SmartRiskError(
            "workshop.metadata_of_another_version",
            "write_stick: version {running} of smartrisk runs, but version {installed} "
            "is installed. Install the one that runs ('pip install .' in the folder of "
            "its sources, or with -e) and call again.",
            running=smartrisk.__version__,
            installed=found.version,
        )
    return found


def _package_files() -> Iterator[tuple[str, bytes]]:
    """Yield the files of the package, without what Python compiled."""
    root = Path(smartrisk.__file__).parent
    for path in sorted(root.rglob("*")):
        place = path.relative_to(root)
        is_hidden = any(part.startswith((".", "__pycache__")) for part in place.parts)
        if path.is_file() and not is_hidden and path.suffix != ".pyc":
            yield f"{_NAME}/{place.as_posix()}", path.read_bytes()


def _metadata_files(distribution: metadata.Distribution) -> Iterator[tuple[str, bytes]]:
    """Yield the metadata that an installation keeps: texts, commands and licences."""
    for name in ("METADATA", "entry_points.txt"):
        text = distribution.read_text(name)
        if text is not None:
            yield name, text.encode("utf-8")
    for file in distribution.files or ():
        _, _, name = file.as_posix().partition(".dist-info/")
        if name.startswith("licenses/"):
            yield name, Path(str(distribution.locate_file(file))).read_bytes()


def _record_line(name: str, data: bytes) -> str:
    """Return the line of a file in the record of a wheel."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=")
    return f"{name},sha256={digest.decode()},{len(data)}"
