"""The commands `register`, `rollback` and `champions` of the registry of engines."""

from __future__ import annotations

import pandas as pd

from smartrisk.cli._files import DataFiles, load_declarations, load_outcomes
from smartrisk.cli._messages import print_message, render_message
from smartrisk.cli._table_words import print_table
from smartrisk.cli._terminal import print_line
from smartrisk.tracking import Gate
from smartrisk.tracking import champions as find_champions
from smartrisk.tracking import register as register_engine
from smartrisk.tracking import rollback as roll_back


def register(
    data: DataFiles,
    *,
    run: str,
    name: str,
    by: str,
    reason: str,
    gate: str | None,
    metric: str | None,
    min_gain: float | None,
    confidence: float | None,
    since: str | None,
    tracking_uri: str | None,
) -> int:
    """Judge an engine against the champion; return 1 when it stays challenger."""
    given = {"metric": metric, "min_gain": min_gain, "confidence": confidence}
    settings = Gate() if gate is None else Gate.from_toml(gate)
    stated = {k: v for k, v in given.items() if v is not None}
    settings = Gate(**settings.settings() | stated)
    declarations = load_declarations(data)
    outcomes = load_outcomes(data, declarations)
    registration = register_engine(
        run,
        declarations=declarations,
        outcomes=outcomes,
        by=by,
        reason=reason,
        name=name,
        gate=settings,
        since=since,
        tracking_uri=tracking_uri,
    )
    print_table(registration.frame().dropna(axis="columns", how="all"))
    print_line(f"\n{render_message(registration.message)}")
    print_message("cli.engine_at", "engine: {uri}", uri=registration.model_uri)
    return 0 if registration.promoted else 1


def rollback(*, name: str, by: str, reason: str, tracking_uri: str | None) -> int:
    """Go back to the champion before."""
    moves = roll_back(name, by=by, reason=reason, tracking_uri=tracking_uri)
    print_table(_show(moves.frame()))
    print_line()
    print_message(
        "cli.champion_again",
        "{name}: version {version} is the champion again",
        name=name,
        version=moves.version,
    )
    return 0


def champions(*, name: str, tracking_uri: str | None) -> int:
    """Show every move of the champion."""
    moves = find_champions(name, tracking_uri=tracking_uri)
    if moves.version is None:
        print_message("cli.no_champion", "{name}: no champion", name=name)
        return 0
    print_table(_show(moves.frame()))
    print_line()
    print_message(
        "cli.champion",
        "{name}: version {version} is the champion",
        name=name,
        version=moves.version,
    )
    return 0


def _show(moves: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of moves that fit a terminal."""
    return moves.drop(columns="number")
