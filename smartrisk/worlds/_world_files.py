"""A world as a folder of Parquet files, and back."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from smartrisk.errors import ArgumentError, ArtefactError, format_values
from smartrisk.worlds._croissant import WrittenFile, make_description
from smartrisk.worlds._world import World, read_scenario

#: Tables of a world, each a file.
TABLES = ("declarations", "outcomes", "truth", "events", "officers")
_CROISSANT, _SCENARIO = "croissant.json", "scenario.toml"
#: Key of the description under which the seed is.
_SETTINGS = "smartrisk"


def write_world(world: World, folder: str | os.PathLike[str]) -> Path:
    """Write a world as Parquet files with a Croissant description.

    The folder holds ``declarations.parquet``, ``outcomes.parquet``,
    ``truth.parquet``, ``events.parquet``, ``officers.parquet``, ``scenario.toml`` and
    ``croissant.json``. Give learners the first two; keep the truth to judge them.

    Parameters
    ----------
    world : World
        The world.
    folder : path
        An empty folder, a new one, or one that this function wrote.

    Returns
    -------
    folder : Path
        The folder.

    Raises
    ------
    ArgumentError
        If `world` is not a World.
    ArtefactError
        If the folder holds other files.

    See Also
    --------
    read_world : Read the folder again.

    Notes
    -----
    The same world gives the same bytes with the same version of pyarrow.

    References
    ----------
    Akhtar, M., et al. (2024). Croissant: A metadata format for ML-ready datasets.
    DEEM workshop at SIGMOD.

    Examples
    --------
    >>> import tempfile
    >>> from smartrisk.datasets import make_declarations, read_world, write_world
    >>> world = make_declarations(500, random_state=0)
    >>> with tempfile.TemporaryDirectory() as place:
    ...     again = read_world(write_world(world, f"{place}/world"))
    >>> again.truth.equals(world.truth)
    True
    """
    if not isinstance(world, World):
        raise ArgumentError(
            "worlds.not_a_world",
            "write_world: 'world' must be a World; got {type_name}.",
            type_name=type(world).__name__,
        )
    target = Path(folder)
    if target.exists() and (
        not target.is_dir()
        or (any(target.iterdir()) and not (target / _CROISSANT).is_file())
    ):
        raise ArtefactError(
            "worlds.folder_not_empty",
            "write_world: {folder!r} holds other files. Choose an empty or new folder.",
            folder=str(target),
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        _write_files(world, draft)
        if target.exists():
            shutil.rmtree(target)
        draft.chmod(0o755)
        draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return target


def _write_files(world: World, place: Path) -> None:
    """Write all files of a world into a folder."""
    frames = {name: getattr(world, name) for name in TABLES}
    for name, frame in frames.items():
        frame.to_parquet(
            place / f"{name}.parquet", index=False, compression="zstd", engine="pyarrow"
        )
    world.scenario.to_toml(place / _SCENARIO)
    files = []
    for path in sorted(place.iterdir()):
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        files.append(WrittenFile(path.name, size=len(content), sha256=digest))
    description = make_description(world.scenario, world.random_state, frames, files)
    description[_SETTINGS] = {
        "random_state": world.random_state,
        "first_item": world.first_item,
    }
    text = json.dumps(description, indent=2, ensure_ascii=False) + "\n"
    (place / _CROISSANT).write_text(text, encoding="utf-8")


def read_world(folder: str | os.PathLike[str]) -> World:
    """Return a world that `write_world` wrote, after checking every digest.

    Parameters
    ----------
    folder : path
        The folder.

    Returns
    -------
    world : World
        With equal tables, scenario and seed.

    Raises
    ------
    ArtefactError
        If the folder has no description, or a file is missing or was changed.

    Examples
    --------
    >>> import tempfile
    >>> from smartrisk.datasets import make_declarations, read_world, write_world
    >>> world = make_declarations(500, random_state=0)
    >>> with tempfile.TemporaryDirectory() as place:
    ...     folder = write_world(world, f"{place}/world")
    ...     print(read_world(folder))
    World('national', random_state=0, n_items=500, n_results=46)
    """
    place = Path(folder)
    description = _read_description(place)
    changed, missing = [], []
    for entry in description["distribution"]:
        path = place / str(entry["name"])
        if not path.is_file():
            missing.append(path.name)
        elif hashlib.sha256(path.read_bytes()).hexdigest() != entry["sha256"]:
            changed.append(path.name)
    if changed or missing:
        raise ArtefactError(
            "worlds.files_changed",
            "read_world: {folder!r} is not what was written: changed "
            "[{changed}], missing [{missing}]. Write the world again or "
            "restore a copy.",
            folder=str(place),
            changed=format_values(changed),
            missing=format_values(missing),
        )
    frames = {name: _read_table(place / f"{name}.parquet") for name in TABLES}
    return World(
        scenario=read_scenario(place / _SCENARIO),
        random_state=int(description[_SETTINGS]["random_state"]),
        first_item=int(description[_SETTINGS]["first_item"]),
        **frames,
    )


def _read_description(place: Path) -> dict[str, Any]:
    """Return the description of a folder, after checking that it is one of a world."""
    path = place / _CROISSANT
    if not path.is_file():
        raise ArtefactError(
            "worlds.no_description",
            "read_world: {folder!r} has no {file!r}. Pass the folder that "
            "write_world wrote.",
            folder=str(place),
            file=_CROISSANT,
        )
    try:
        description = dict(json.loads(path.read_text(encoding="utf-8")))
        files = {str(entry["name"]) for entry in description["distribution"]}
        seeds = {key: int(value) for key, value in description[_SETTINGS].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArtefactError(
            "worlds.description_damaged",
            "read_world: {path!r} is damaged. Restore a copy.",
            path=str(path),
        ) from error
    wanted = {*(f"{name}.parquet" for name in TABLES), _SCENARIO}
    if files != wanted or set(seeds) != {"random_state", "first_item"}:
        raise ArtefactError(
            "worlds.description_of_something_else",
            "read_world: {path!r} does not describe a world: it lacks "
            "[{missing}]. Pass a folder that write_world wrote.",
            path=str(path),
            missing=format_values(sorted(wanted - files)),
        )
    return description


def _read_table(path: Path) -> pd.DataFrame:
    """Return a table with the types that it had when it was written."""
    frame = pd.read_parquet(path, engine="pyarrow")
    for name in frame.select_dtypes("datetime"):
        frame[name] = frame[name].astype("datetime64[us]")
    return frame
