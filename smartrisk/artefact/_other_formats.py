"""Folders of formats that are not read: who wrote them, and what to do."""

from __future__ import annotations

import json
import re

from smartrisk.artefact._manifest import FORMAT, MANIFEST
from smartrisk.artefact._opening import OpenFolder
from smartrisk.errors import ArtefactError

#: The settings of an engine, which have stated the version of the library from the
#: first format on.
_SETTINGS = "engine.json"
#: More than any settings have.
_MOST_BYTES = 50_000_000


def refuse_format(opened: OpenFolder, stored: str | None) -> ArtefactError:
    """Return the error of a folder of another format.

    Parameters
    ----------
    opened : OpenFolder
        The folder.
    stored : str or None
        The format that its manifest states.
    """
    stem, _, number = (stored or "").rpartition("/")
    known = stem == FORMAT.rpartition("/")[0] and re.fullmatch(r"[0-9]{1,9}", number)
    newer = bool(known) and int(number) > int(FORMAT.rpartition("/")[2])
    advice = (
        "It was written by a later version of smartrisk: install that one."
        if newer
        else "Fit an engine again from the declarations and results, or load it with "
        "the version that wrote it."
    )
    return ArtefactError(
        "artefact.other_format",
        "{owner}: {manifest!r} in {folder!r} has the format {stored!r}, written by "
        "smartrisk {writer}; this version reads {expected!r} and the two before it. "
        "{advice}",
        owner=opened.owner,
        manifest=MANIFEST,
        folder=str(opened.place),
        stored=stored,
        writer=_find_writer(opened),
        expected=FORMAT,
        advice=advice,
    )


def _find_writer(opened: OpenFolder) -> str:
    """Return the version that a folder states in its manifest or settings."""
    for name in (MANIFEST, _SETTINGS):
        try:
            content = json.loads(bytes(opened.read(name, most=_MOST_BYTES)))
        except (ArtefactError, ValueError, RecursionError):
            continue
        if isinstance(content, dict) and isinstance(content.get("smartrisk"), str):
            return str(content["smartrisk"])[:40]
    return "of an unknown version"
