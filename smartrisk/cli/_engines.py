"""Engines by address: the folder of a saved one, or one of a tracking store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from smartrisk.engine import RiskEngine
from smartrisk.errors import ArgumentError

#: Starts of addresses in a tracking store; anything else is a folder.
_TRACKED = ("models:/", "runs:/")


@dataclass(frozen=True, kw_only=True)
class EngineAddress:
    """Where a command finds its engine.

    Parameters
    ----------
    address : str
        Folder of a saved engine, or ``models:/name@alias``, ``models:/name/version``,
        ``runs:/run``.
    tracking_uri : str, default=None
        Address of the store of the latter; None for MLFLOW_TRACKING_URI, else the local
        store.
    """

    address: str
    tracking_uri: str | None = None


def load_engine(place: EngineAddress) -> RiskEngine:
    """Return the engine at an address."""
    if place.address.startswith(_TRACKED):
        # Loaded here: MLflow takes seconds, and a folder does not need it.
        from smartrisk.tracking import load

        return load(place.address, tracking_uri=place.tracking_uri)
    if place.tracking_uri is not None:
        raise ArgumentError(
            "cli.folder_in_a_store",
            "--engine: {address!r} is a folder, and --tracking-uri names a store. Pass "
            "models:/NAME@ALIAS, models:/NAME/VERSION or runs:/RUN as the engine, or "
            "leave out --tracking-uri.",
            address=place.address,
        )
    if not Path(place.address).exists():
        raise ArgumentError(
            "cli.no_engine",
            "--engine: no folder {address!r}. Pass the folder that 'smartrisk fit "
            "--out' wrote, or an engine of a tracking store: models:/NAME@ALIAS, "
            "models:/NAME/VERSION, runs:/RUN.",
            address=place.address,
        )
    return RiskEngine.load(place.address, verify="first_use")
