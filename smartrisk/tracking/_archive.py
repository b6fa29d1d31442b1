"""The code of this library as one file, to go with a logged model.

A model that holds its code is served by any server, whatever version it has installed.
As a folder the code is some 300 files, each a call to the store; as an archive, one.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

from smartrisk import __version__

_PACKAGE = Path(__file__).resolve().parents[1]
#: The same files give the same archive: ZIP has no earlier date.
_DATE = (1980, 1, 1, 0, 0, 0)
#: Readable by everyone, a plain file: what a fresh checkout has.
_MODE = 0o100644 << 16


def write_code(folder: Path) -> Path:
    """Write the package as an archive, the same bytes for the same files.

    Parameters
    ----------
    folder : Path
        Where to write it.

    Returns
    -------
    archive : Path
        Such as ``smartrisk-0.1.0.zip``.
    """
    archive = folder / f"smartrisk-{__version__}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for path in sorted(_PACKAGE.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                name = path.relative_to(_PACKAGE.parent).as_posix()
                about = zipfile.ZipInfo(name, _DATE)
                about.external_attr = _MODE
                target.writestr(about, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return archive
